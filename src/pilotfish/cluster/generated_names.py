"""Names and uids by chance.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/storage/names/generate.go and
    staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go.
"""

from __future__ import annotations

import random
from typing import Final

NAME_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"  # upstream's: no vowels, no bad words
SUFFIX_LENGTH: Final = 5
MAX_GENERATED_PREFIX: Final = 63 - SUFFIX_LENGTH


def new_uid(rng: random.Random) -> str:
    """Make a random UUID, version 4."""
    digits = f"{rng.getrandbits(122):031x}"
    variant = "89ab"[int(digits[0])]  # 122 bits are 30 digits and these two bits
    return f"{digits[1:9]}-{digits[9:13]}-4{digits[13:16]}-{variant}{digits[16:19]}-{digits[19:]}"


def new_name(prefix: str, rng: random.Random) -> str:
    """Make a name of a generateName."""
    suffix = "".join(rng.choices(NAME_ALPHABET, k=SUFFIX_LENGTH))
    return prefix[:MAX_GENERATED_PREFIX] + suffix
