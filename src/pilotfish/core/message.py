"""The words about a failed attempt: upstream's texts, exactly, since people search for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pilotfish.framework.fit_message import fit_message
from pilotfish.framework.profile_results import RejectedBy

NOTE_BYTES: Final = 1024  # upstream NoteLengthLimit: the API refuses longer notes of Events
CUT: Final = " ..."


def unschedulable_message(
    nodes: int, rejections: Iterable[RejectedBy], post_filter: str = ""
) -> str:
    """Say why none of the nodes is feasible, and then what `post_filter` could not do about it.

    Source: kubernetes v1.36 pkg/scheduler/framework/types.go (FitError).
    """
    message = fit_message(nodes, rejections)
    return f"{message} {post_filter}" if post_filter else message


def shortened_note(message: str) -> str:
    """Cut a message to what the note of an Event may hold.

    Source: kubernetes v1.36 pkg/scheduler/schedule_one.go (truncateMessage).
    """
    raw = message.encode()
    if len(raw) <= NOTE_BYTES:
        return message
    return raw[: NOTE_BYTES - len(CUT)].decode(errors="ignore") + CUT
