"""Whatever is done to pods and nodes, kubelets keep their accounts and finish what they began."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubelet_story import Story
from pilotfish.cluster.kinds import NODES, PODS
from pilotfish.cluster.kubelet import annotations as keys

NODE_NAMES = ("node-1", "node-2")
POD_NAMES = ("a", "b", "c", "d")
ENDED = ("Succeeded", "Failed")
ACTIONS = st.one_of(
    st.tuples(
        st.just("create"),
        st.sampled_from(POD_NAMES),
        st.sampled_from(NODE_NAMES),
        st.sampled_from(("Always", "OnFailure", "Never")),
        st.sampled_from(("", "2", "9")),
        st.sampled_from(("0", "1")),
        st.sampled_from(("1", "3")),
    ),
    st.tuples(st.just("delete"), st.sampled_from(POD_NAMES), st.sampled_from((None, 0, 1, 5))),
    st.tuples(st.just("fault"), st.sampled_from(NODE_NAMES), st.sampled_from(("NotReady", None))),
    st.tuples(st.just("fault"), st.sampled_from(NODE_NAMES), st.just("Silent")),
    st.tuples(st.just("anew"), st.sampled_from(NODE_NAMES)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("run"), st.sampled_from((0.5, 2.0, 7.0, 40.0))),
)


class Chaos(Story):
    """A story in which anything may happen, and what must never happen is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self._ended: dict[str, str] = {}

    def do(self, action: tuple[Any, ...]) -> None:
        """Let one thing happen."""
        match action:
            case "create", name, node, policy, seconds, code, cpu:
                if self.find(name) is None:
                    said = {keys.RUN_SECONDS: seconds, keys.EXIT_CODE: code} if seconds else {}
                    containers = [{"resources": {"requests": {"cpu": cpu}}}]
                    more: dict[str, Any] = {"containers": containers, "annotations": said}
                    self.create(name, node=node, restartPolicy=policy, **more)
            case "delete", name, grace:
                if self.find(name) is not None:
                    self.delete(name, grace)
            case "fault", node, fault:
                self.annotate_node(node, keys.FAULT, fault)
            case "anew", node:
                self.client.delete(NODES, "", node, self.now)
                self.client.create(NODES, {"metadata": {"name": node}}, self.now)
                self.run(0)
            case "restart", *_:
                self.kubelets = type(self.kubelets)(self.client)
                self.run(0)
            case "run", seconds:
                self.run(seconds)
        self.look()

    def look(self) -> None:
        """See that nobody has more than there is, and that who has ended stays so."""
        taken = dict.fromkeys(NODE_NAMES, 0)
        for pod in self.client.list(PODS):
            uid, phase = pod["metadata"]["uid"], pod["status"]["phase"]
            assert self._ended.get(uid, phase) == phase
            if phase in ENDED:
                self._ended[uid] = phase
            elif phase == "Running":
                cpu = pod["spec"]["containers"][0]["resources"]["requests"]["cpu"]
                taken[pod["spec"]["nodeName"]] += int(cpu)
        assert max(taken.values()) <= 4


@settings(max_examples=60)
@given(st.lists(ACTIONS, max_size=25))
def test_kubelets_keep_their_accounts_and_end_what_is_deleted(
    actions: list[tuple[Any, ...]],
) -> None:
    story = Chaos()
    for action in actions:
        story.do(action)
    for node in NODE_NAMES:
        story.annotate_node(node, keys.FAULT, None)
    story.run(400)
    assert all(pod["status"]["phase"] != "Pending" for pod in story.client.list(PODS))
    for name in POD_NAMES:
        if story.find(name) is not None:
            story.delete(name)
    story.run(60)
    story.look()
    assert list(story.client.list(PODS)) == []
