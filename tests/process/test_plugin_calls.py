"""Methods of plugins that a shell runs: the examples of the docs, and what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from binding_plugins import profile_with
from docs_page import write_policies
from make import pod
from pilotfish.core.effects import CallPlugin
from pilotfish.core.inputs import Input, PluginAnswered
from pilotfish.framework import BindingError, Plugin, Pod, Rejection
from pilotfish.runtime.plugin_calls import AT_ONCE, PluginCalls
from pilotfish.runtime.policies import load_policy

POD = pod("a")


def call(
    plugin: Plugin, point: str = "pre_bind", *pods: Pod, may_call: bool = True
) -> list[PluginAnswered]:
    """Let methods be run, and return the answers."""

    async def run() -> list[PluginAnswered]:
        answers: list[PluginAnswered] = []

        def take(answer: Input) -> None:
            assert isinstance(answer, PluginAnswered)
            answers.append(answer)

        async with asyncio.TaskGroup() as tasks:
            profiles = {"my-scheduler": profile_with(plugin)}
            calls = PluginCalls(profiles, take, tasks, lambda: may_call)
            for number, one in enumerate(pods or (POD,)):
                calls.submit(CallPlugin(one.uid, number, plugin.name, point, one, "n1"))
        return answers

    return asyncio.run(run())


def example(name: str, folder: Path, **arguments: Any) -> Plugin:
    """Make a policy of the docs."""
    file = write_policies("docs/how-to/hook-into-binding.md", folder)[name]
    return load_policy(str(file)).type(**arguments)


def with_inventory(
    handler: Callable[[web.Request], Awaitable[web.Response]], folder: Path
) -> PluginAnswered:
    """Ask the inventory of the docs, which answers by `handler`, over HTTP."""

    async def run() -> PluginAnswered:
        app = web.Application()
        app.router.add_get("/nodes/{name}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            plugin = example("Inventory", folder, url=f"http://{host}:{port}")
            answers: asyncio.Queue[Input] = asyncio.Queue()
            async with asyncio.TaskGroup() as tasks:
                profiles = {"my-scheduler": profile_with(plugin)}
                calls = PluginCalls(profiles, answers.put_nowait, tasks)
                calls.submit(CallPlugin("uid-a", 1, "Inventory", "pre_bind", POD, "n1"))
            answer = answers.get_nowait()
            assert isinstance(answer, PluginAnswered)
            return answer
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def test_inventory_allows_rejects_and_fails(tmp_path: Path) -> None:
    asked: list[str] = []
    statuses = [500, 409, 200]

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.match_info["name"])
        return web.Response(status=statuses.pop())

    allowed, rejected, failed = (with_inventory(handler, tmp_path) for _ in range(3))
    assert asked == ["n1"] * 3
    same = PluginAnswered("uid-a", "default", "a", 1, "Inventory", "pre_bind")
    assert allowed == same
    assert rejected.rejection == Rejection("the node was taken out of the inventory")
    assert failed.rejection is None
    assert failed.error.startswith("ClientResponseError: 500")


def test_notes_are_written_after_the_bind(tmp_path: Path) -> None:
    file = tmp_path / "placements.txt"
    (answer,) = call(example("Notes", tmp_path, file=str(file)), "post_bind")
    assert answer.error == ""
    assert file.read_text() == "default/a n1\n"


class Slow(Plugin):
    """Never answers."""

    name = "Slow"
    call_timeout_seconds = 0.01

    async def pre_bind(self) -> None:
        """Wait."""
        await asyncio.Event().wait()


class Failing(Plugin):
    """Raises or returns what it is told."""

    name = "Failing"

    def __init__(self, answer: object) -> None:
        self._answer = answer

    async def pre_bind(self, pod: Pod) -> Any:
        """Raise or return."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer if pod.name == "a" else None


def test_call_that_takes_too_long_is_ended() -> None:
    (answer,) = call(Slow())
    assert answer.error.startswith("TimeoutError: it took longer than 0.01 seconds")


def test_time_out_of_the_plugins_own_is_told_as_it_is() -> None:
    (answer,) = call(Failing(TimeoutError("no answer from the inventory")))
    assert answer.error.startswith("TimeoutError: no answer from the inventory (")


def test_error_ends_with_the_authors_line_unless_its_words_are_meant_for_people() -> None:
    (answer,) = call(Failing(KeyError("seat")))
    assert answer.error.startswith(f"KeyError: 'seat' ({__file__}:")
    (answer,) = call(Failing(BindingError("no seat is left")))
    assert answer.error == "no seat is left"


def test_answer_that_breaks_the_contract_is_an_error_of_this_pod_alone() -> None:
    broken, fine = sorted(call(Failing("yes"), "pre_bind", POD, pod("b")), key=lambda one: one.name)
    assert broken.error.startswith("TypeError: it returned 'yes', not a Rejection or None")
    assert (fine.error, fine.rejection) == ("", None)


def test_method_that_is_cancelled_from_within_is_answered() -> None:
    class Cancelled(Plugin):
        name = "Cancelled"

        async def pre_bind(self) -> None:
            raise asyncio.CancelledError

    (answer,) = call(Cancelled())
    assert answer.error.startswith("CancelledError: ")


def test_more_calls_than_run_at_once_are_all_answered() -> None:
    names = [f"p{i}" for i in range(AT_ONCE + 9)]
    answers = call(Failing(None), "pre_bind", *(pod(name) for name in names))
    assert sorted(answer.name for answer in answers) == sorted(names)


def test_nothing_is_called_by_a_process_that_leads_no_more() -> None:
    assert call(Failing(AssertionError("it was called")), may_call=False) == []
