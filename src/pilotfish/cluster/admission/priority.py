"""Priority: a pod's priority and preemption policy come from its PriorityClass."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.admission.plugin import Review, refuse
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Store

PRIORITY_CLASSES: Final = "priorityclasses.scheduling.k8s.io"
DEFAULT_POLICY: Final = "PreemptLowerPriority"


class Priority:
    """Resolves PriorityClasses, and keeps the default one the only one.

    Source: kubernetes v1.36 plugin/pkg/admission/priority/admission.go.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, review: Review) -> None:
        """Let a write pass.

        Raises:
            StatusError: 403: the class does not exist, or says something else than the pod.
        """
        if review.subresource or review.new is None:
            return
        match review.resource.kind, review.operation:
            case "Pod", "create":
                self._resolve(review, review.new["spec"])
            case "Pod", _ if review.old is not None:
                for field in ("priority", "preemptionPolicy"):
                    if field in review.old["spec"]:
                        review.new["spec"].setdefault(field, review.old["spec"][field])
            case "PriorityClass", _ if review.new.get("globalDefault"):
                default = self._default()
                if default is not None and (
                    review.operation == "create" or default["metadata"]["name"] != review.name
                ):
                    name = default["metadata"]["name"]
                    raise refuse(
                        review,
                        f"PriorityClass {name} is already marked as default. "
                        "Only one default can exist",
                    )

    def _resolve(self, review: Review, spec: JsonObject) -> None:
        priority, policy = 0, DEFAULT_POLICY
        if name := spec.get("priorityClassName"):
            stored = self._store.get(PRIORITY_CLASSES, "", name)
            if stored is None:
                raise refuse(review, f"no PriorityClass with name {name} was found")
            found: JsonObject | None = stored.decode()
        else:
            found = self._default()
        if found is not None:
            spec["priorityClassName"] = found["metadata"]["name"]
            priority, policy = found.get("value", 0), found.get("preemptionPolicy", policy)
        if spec.get("priority", priority) != priority:
            raise refuse(
                review,
                f"the integer value of priority ({spec['priority']}) must not be provided in pod "
                f"spec; priority admission controller computed {priority} from the given "
                "PriorityClass name",
            )
        if spec.get("preemptionPolicy", policy) != policy:
            raise refuse(
                review,
                f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be "
                f"provided in pod spec; priority admission controller computed {policy} from the "
                "given PriorityClass name",
            )
        spec["priority"], spec["preemptionPolicy"] = priority, policy

    def _default(self) -> JsonObject | None:
        """Give the class of pods that name none; of several the one of the lowest priority."""
        classes = [stored.decode() for stored in self._store.list(PRIORITY_CLASSES).items]
        defaults = [each for each in classes if each.get("globalDefault")]
        return min(defaults, key=lambda each: each.get("value", 0), default=None)
