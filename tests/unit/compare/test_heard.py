from __future__ import annotations

from pilotfish.compare.heard import Heard

POLLING = """[polling] scheduler starting… name=my-scheduler
Checking pending pods
No pending pods
Checking pending pods
Detected Pending Pod default/a
Bound default/a -> node-1
2026-11-22T12:00:00Z INFO Checking pending pods
2026-11-22T12:00:00Z INFO Detected Pending Pod default/a"""


def heard(text: str) -> Heard:
    one = Heard()
    for now, line in enumerate(text.splitlines()):
        one.line(line, float(now))
    return one


def test_the_words_of_polling_are_counted() -> None:
    one = heard(POLLING)
    assert (one.cycles, one.empty_cycles) == (3, 1)
    assert one.detected_at == {"default/a": 4.0}
    assert one.detections == {"default/a": 2}


def test_the_words_of_watch_are_counted() -> None:
    one = heard("Pod added default/a\nPod updated default/a\nPod added default/b")
    assert (one.added, one.updated, one.cycles) == (2, 1, 0)
    assert one.detected_at == {"default/a": 0.0, "default/b": 2.0}


def test_a_scheduler_without_these_words_did_not_speak() -> None:
    assert not heard("starting\nListening on :8080").spoke
    assert heard(POLLING).spoke
