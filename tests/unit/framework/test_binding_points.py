"""How a profile calls its plugins between the choice of a node and the end of the bind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

import make
from pilotfish.api.workloads import Namespace
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import (
    Allow,
    Assume,
    BindingError,
    ClusterEvent,
    Deny,
    EnabledPlugin,
    Patch,
    Plugin,
    PluginError,
    Pod,
    PreBind,
    Profile,
    ProfileError,
    Rejection,
    Wait,
    WaitingPod,
)
from pilotfish.framework.binding_points import BindingPoints, Permitted, Placed, Refused, is_done
from pilotfish.plugins.priority_sort import PrioritySort

POD = make.pod("p")
CACHE = ClusterCache()
PLACED = Placed(POD, "n1", {"One": "state of One"})
NO = Rejection("node(s) had no seat")
SPACE = Namespace(metadata=POD.metadata)


class One(Plugin):
    """Answers as it is told, or raises; notes how it is called."""

    name = "One"
    requeue_on = frozenset({ClusterEvent.WILDCARD})
    reads = frozenset({"namespaces"})
    assumes = frozenset({"namespaces"})

    def __init__(self, calls: list[str], **answers: Any) -> None:
        self.calls = calls
        self.answers = answers

    def _answer(self, point: str, said: object) -> Any:
        self.calls.append(f"{self.name}.{point}({said})")
        answer = self.answers.get(point)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reserve(self, pod: Pod, node_name: str, state: str | None) -> Any:
        """Answer."""
        return self._answer("reserve", f"{pod.name}, {node_name}, {state}")

    def unreserve(self, node_name: str) -> Any:
        """Answer."""
        return self._answer("unreserve", node_name)

    def permit(self, waiting: Sequence[WaitingPod]) -> Any:
        """Answer."""
        return self._answer("permit", [one.pod.name for one in waiting])

    def pre_bind(self, state: str | None) -> Any:
        """Answer."""
        return self._answer("pre_bind", state)


class Two(One):
    """Another one."""

    name = "Two"


def points(one: dict[str, Any], two: dict[str, Any]) -> tuple[BindingPoints, list[str]]:
    """Make the points of two plugins, and the list of their calls."""
    calls: list[str] = []
    plugins = (PrioritySort(), One(calls, **one), Two(calls, **two))
    return Profile("s", [EnabledPlugin(plugin) for plugin in plugins]).binding, calls


def nobody(_plugin: str) -> tuple[WaitingPod, ...]:
    return ()


def ignore(_kind: str, _thing: object) -> None:
    """Assume nothing."""


def test_profile_without_such_plugins_has_no_points() -> None:
    assert not Profile("s", [EnabledPlugin(PrioritySort())]).binding
    assert points({}, {})[0]


def test_reserve_gives_each_plugin_its_own_state_and_takes_what_it_assumes() -> None:
    binding, calls = points({"reserve": Assume((("namespaces", SPACE),))}, {})
    assumed: list[tuple[str, object]] = []
    refused = binding.reserve(PLACED, CACHE, lambda kind, thing: assumed.append((kind, thing)))
    assert refused is None
    assert calls == ["One.reserve(p, n1, state of One)", "Two.reserve(p, n1, None)"]
    assert assumed == [("namespaces", SPACE)]


def test_first_no_of_reserve_ends_it() -> None:
    binding, calls = points({"reserve": NO}, {})
    assert binding.reserve(PLACED, CACHE, ignore) == Refused("One", NO)
    assert len(calls) == 1


def test_unreserve_goes_backwards_past_a_plugin_that_raises() -> None:
    denied = Deny(("uid-q",), "its group failed")
    binding, calls = points({"unreserve": denied}, {"unreserve": KeyError("seat")})
    (two, error), (one, said) = binding.unreserve(PLACED, nobody)
    assert calls == ["Two.unreserve(n1)", "One.unreserve(n1)"]
    assert (two.name, one.name, said) == ("Two", "One", denied)
    assert isinstance(error, PluginError)
    assert error.problem.startswith("KeyError: 'seat' (")


def test_permit_sees_who_waits_at_the_plugin_and_gathers_what_all_say() -> None:
    binding, calls = points({"permit": Wait(1e9)}, {"permit": Allow(("uid-q",))})
    waiting = {"One": (WaitingPod(make.pod("q"), "n2"),), "Two": ()}
    permitted = binding.permit(PLACED, CACHE, waiting.__getitem__)
    assert permitted == Permitted({"One": 900.0}, {"Two": ("uid-q",)})
    assert calls == ["One.permit(['q'])", "Two.permit([])"]


def test_no_of_permit_outweighs_a_wait() -> None:
    binding, _ = points({"permit": Wait(5)}, {"permit": NO})
    assert binding.permit(PLACED, CACHE, nobody) == Permitted({}, {}, Refused("Two", NO))


def test_error_of_the_binding_cycle_keeps_its_own_words() -> None:
    binding, _ = points({"reserve": BindingError("no seat is left")}, {})
    with pytest.raises(PluginError) as caught:
        binding.reserve(PLACED, CACHE, ignore)
    assert caught.value.problem == "no seat is left"


def test_until_may_say_yes_no_and_why_not() -> None:
    answers: list[bool | Rejection] = [True, False, NO]
    work = PreBind(until=lambda _cluster: answers.pop())
    binding, _ = points({"pre_bind": work}, {})
    call = binding.pre_binds[0]
    assert binding.pre_bind(call, PLACED, CACHE) is work
    assert [is_done(call, work, POD, CACHE) for _ in range(3)] == [NO, False, True]
    assert is_done(call, PreBind(), POD, CACHE) is True


CALLS: dict[str, Callable[[BindingPoints], object]] = {
    "reserve": lambda binding: binding.reserve(PLACED, CACHE, ignore),
    "permit": lambda binding: binding.permit(PLACED, CACHE, nobody),
    "pre_bind": lambda binding: binding.pre_bind(binding.pre_binds[0], PLACED, CACHE),
}
BROKEN: list[tuple[str, Any, str]] = [
    ("reserve", "yes", "returned 'yes', not an Assume"),
    ("reserve", Assume((("namespaces", cast("Any", {})),)), "which is no object"),
    ("reserve", Rejection(cast("Any", 7)), "reason of its rejection is 7"),
    ("permit", "yes", "returned 'yes', not a Wait"),
    ("permit", Wait(cast("Any", "soon")), "timeout_seconds is 'soon'"),
    ("permit", Wait(float("nan")), "timeout_seconds is nan"),
    ("permit", Allow(cast("Any", "uid-q")), "uids are 'uid-q', not a tuple"),
    ("pre_bind", "yes", "returned 'yes', not a PreBind"),
    ("pre_bind", PreBind(timeout_seconds=-1), "timeout_seconds is -1"),
    ("pre_bind", PreBind(cast("Any", ("a",))), "it writes 'a', which is no Patch"),
    ("pre_bind", PreBind((Patch("pods", cast("Any", 7), {}),)), "Expected `str`, got `int`"),
    ("pre_bind", PreBind((Patch("pods", "a", {"x": object()}),)), "object"),
]


@pytest.mark.parametrize(("point", "answer", "problem"), BROKEN)
def test_answer_that_breaks_the_contract_is_an_error(
    point: str, answer: object, problem: str
) -> None:
    binding, _ = points({point: answer}, {})
    with pytest.raises(PluginError, match=f"failed in {point} for pod default/p: .*{problem}"):
        CALLS[point](binding)


def test_unreserve_that_denies_no_texts_is_an_error() -> None:
    binding, _ = points({"unreserve": Deny(cast("Any", None), "no")}, {})
    *_, (_call, error) = binding.unreserve(PLACED, nobody)
    assert "its uids are None" in str(error)


def test_what_is_assumed_is_of_a_declared_kind() -> None:
    binding, _ = points({"reserve": Assume((("services", SPACE),))}, {})
    with pytest.raises(PluginError, match="services, which is not in its assumes"):
        binding.reserve(PLACED, CACHE, ignore)


def profile_of(plugin: type[Plugin]) -> Profile:
    return Profile("s", [EnabledPlugin(PrioritySort()), EnabledPlugin(plugin())])


def test_plugin_that_reserves_says_what_wakes_its_pods() -> None:
    class Silent(Plugin):
        name = "Silent"

        def permit(self) -> None: ...

    with pytest.raises(ProfileError, match="can reject pods in permit but has no requeue_on"):
        profile_of(Silent)


def test_kind_that_is_assumed_must_be_read() -> None:
    class Blind(Plugin):
        name = "Blind"
        assumes = frozenset({"services"})

    with pytest.raises(ProfileError, match="'Blind' assumes services, which it does not read"):
        profile_of(Blind)


def test_wait_without_a_kind_to_read_would_never_end() -> None:
    class Blind(Plugin):
        name = "Blind"

        def pre_bind(self) -> PreBind:
            return PreBind(until=lambda _cluster: False)

    binding = profile_of(Blind).binding
    with pytest.raises(PluginError, match="would never be asked again: its reads is empty"):
        binding.pre_bind(binding.pre_binds[0], PLACED, CACHE)


def test_async_method_may_ask_for_pod_and_node_name_only() -> None:
    class Greedy(Plugin):
        name = "Greedy"

        async def pre_bind(self, pod: Pod, state: object) -> None: ...

    with pytest.raises(
        ProfileError, match="async pre_bind asks for state; it may ask for node_name, pod"
    ):
        profile_of(Greedy)


def test_only_the_last_points_may_be_async() -> None:
    async def reserve(_self: Plugin) -> None: ...

    events = frozenset({ClusterEvent.WILDCARD})
    slow = type("Slow", (Plugin,), {"name": "Slow", "requeue_on": events, "reserve": reserve})
    with pytest.raises(
        ProfileError, match="reserve must not be async; only post_bind and pre_bind"
    ):
        profile_of(slow)
