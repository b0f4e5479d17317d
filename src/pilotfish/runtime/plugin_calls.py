"""Plugin calls: runs the asynchronous methods of plugins, and turns every outcome into an input."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from pilotfish.client import always
from pilotfish.core.effects import CallPlugin
from pilotfish.core.inputs import Input, PluginAnswered
from pilotfish.framework.answers import with_text
from pilotfish.framework.plugin_call import PluginCall
from pilotfish.framework.profile import Profile
from pilotfish.framework.rejection import Rejection

AT_ONCE = 256  # the others wait; requests to the API server never wait for them


class PluginCalls:
    """Runs what CallPlugin asks for, each for as long as its plugin may take.

    Args:
        profiles: by scheduler name.
        answer: takes the inputs that the outcomes are.
        tasks: owns the tasks.
        may_call: asked right before each call; where it says no, nothing is called or answered: the
            process leads no more, and is about to end.
    """

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        answer: Callable[[Input], None],
        tasks: asyncio.TaskGroup,
        may_call: Callable[[], bool] = always,
    ) -> None:
        self._profiles = profiles
        self._answer = answer
        self._tasks = tasks
        self._may_call = may_call
        self._places = asyncio.Semaphore(AT_ONCE)

    def submit(self, effect: CallPlugin) -> None:
        """Run a method; returns at once."""
        self._tasks.create_task(self._run(effect))

    async def _run(self, effect: CallPlugin) -> None:
        meta = effect.pod.metadata
        binding = self._profiles[effect.pod.spec.scheduler_name].binding
        call = binding.call_of(effect.plugin, effect.extension_point)
        async with self._places:
            if not self._may_call():
                return
            (result,) = await asyncio.gather(_result(call, effect), return_exceptions=True)
        rejection, error = None, ""
        match result:
            case Exception() | asyncio.CancelledError():  # the method's own, not this task's
                error = call.failed(result, effect.pod).problem
            case BaseException():
                raise result
            case _:
                rejection = result
        self._answer(
            PluginAnswered(
                meta.uid,
                meta.namespace,
                meta.name,
                effect.number,
                effect.plugin,
                effect.extension_point,
                rejection,
                error,
            )
        )


async def _result(call: PluginCall, effect: CallPlugin) -> Rejection | None:
    """Run the method.

    Raises:
        TimeoutError: it took too long.
        TypeError: it returned what it may not.
        Exception: whatever it raised.
    """
    arguments = {"pod": effect.pod, "node_name": effect.node_name}
    seconds = call.plugin.call_timeout_seconds
    try:
        async with asyncio.timeout(seconds) as limit:
            result = await call.method(*[arguments[name] for name in call.names])
    except TimeoutError as error:
        if limit.expired():
            raise TimeoutError(f"it took longer than {seconds:g} seconds") from error
        raise
    if result is None or (isinstance(result, Rejection) and call.point == "pre_bind"):
        return with_text(result)
    raise TypeError(f"it returned {result!r}, not a Rejection or None")
