import asyncio

from pilotfish.core.inputs import Absent, Input
from pilotfish.runtime.inbox import Inbox


def test_everything_is_taken_at_once_in_order() -> None:
    async def story() -> list[Input]:
        inbox = Inbox()
        inbox.put(Absent("a"))
        inbox.put(Absent("b"))
        return await inbox.take(wait=True)

    assert asyncio.run(story()) == [Absent("a"), Absent("b")]


def test_nothing_is_taken_without_waiting() -> None:
    async def story() -> list[Input]:
        return await Inbox().take(wait=False)

    assert asyncio.run(story()) == []


def test_wake_ends_the_wait_without_an_input() -> None:
    async def story() -> list[Input]:
        inbox = Inbox()
        asyncio.get_running_loop().call_soon(inbox.wake)
        return await inbox.take(wait=True)

    assert asyncio.run(story()) == []
