"""Files that only their owner may read, replaced at once so that nobody sees half of one."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def check_place(path: Path) -> None:
    """See that a file could be made or replaced.

    Raises:
        OSError: it could not.
    """
    draft, descriptor = _draft(path.resolve())
    os.close(descriptor)
    draft.unlink()


def replace_file(path: Path, content: bytes) -> None:
    """Make or replace a file; what a link leads to, where it is one.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    target = path.resolve()
    draft, descriptor = _draft(target)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _draft(target: Path) -> tuple[Path, int]:
    """Make an empty file beside the target, of mode 0600."""
    if target.exists() and not target.is_file():  # a device would be gone afterwards
        raise OSError(errno.EINVAL, "it is no regular file")
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    return Path(name), descriptor
