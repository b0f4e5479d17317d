"""When the next request may go out: a rate limit and a back-off, both pure."""

import random

BACKOFF_SECONDS = 0.8  # upstream's reflector: first pause
BACKOFF_MAX_SECONDS = 30.0  # upstream's reflector: cap before jitter


class TokenBucket:
    """Lets `qps` requests a second through, `burst` at once after a quiet spell.

    A `qps` of 0 means unlimited; a `burst` of 0 means one second's worth.

    Source: client-go v0.36 util/flowcontrol/throttle.go. Differs: 0 is unlimited, not 5.
    """

    __slots__ = ("_at", "_burst", "_qps", "_tokens")

    def __init__(self, qps: float = 0.0, burst: int = 0) -> None:
        self._qps = qps
        self._burst = float(burst or max(1.0, qps))
        self._tokens = self._burst
        self._at = 0.0

    def reserve(self, now: float) -> float:
        """Take a token and return the seconds to wait before using it, in order of reservation."""
        if self._qps <= 0:
            return 0.0
        earned = max(0.0, now - self._at) * self._qps
        self._tokens = min(self._burst, self._tokens + earned) - 1.0
        self._at = max(self._at, now)
        return max(0.0, -self._tokens / self._qps)


class Backoff:
    """Pauses that double from 0.8 s to 30 s, each stretched by up to its own length at random.

    Source: client-go v0.36 tools/cache/reflector.go, defaultBackoff*.
    """

    __slots__ = ("_base", "_cap", "_rng", "failures")

    def __init__(
        self,
        rng: random.Random,
        *,
        base: float = BACKOFF_SECONDS,
        cap: float = BACKOFF_MAX_SECONDS,
    ) -> None:
        self._rng = rng
        self._base = base
        self._cap = cap
        self.failures = 0

    def next(self) -> float:
        """Count a failure and return the seconds to pause."""
        pause = min(self._cap, self._base * 2.0 ** min(self.failures, 16))
        self.failures += 1
        return pause * (1.0 + self._rng.random())

    def reset(self) -> None:
        """Forget the failures: things work again."""
        self.failures = 0
