"""Random small policies and requests: few names, so that they often meet."""

from __future__ import annotations

import random

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import Attributes
from pilotfish.cluster.requests import User
from policies import ask, ask_path, binding, cluster_role, path_rule, role, rule

VERBS = ("get", "list", "create", "*")
API_GROUPS = ("", "apps", "*")
RESOURCES = ("pods", "pods/status", "deployments", "deployments/scale", "*/scale", "*/status", "*")
PATHS = ("/healthz", "/logs/*", "/lo*", "*", "/api")
NAMES = ("x", "y", "")
NAMESPACES = ("one", "two", "")
SUBJECTS = (
    "User/ada",
    "User/bob",
    "Group/staff",
    "Group/system:authenticated",
    "ServiceAccount/one/sa",
    "ServiceAccount/two/sa",
)
ROLES = ("r1", "r2", "r3")
USERS = (
    User("ada", ("staff", "system:authenticated")),
    User("bob", ("system:authenticated",)),
    User("eve", ()),
    User("system:serviceaccount:one:sa", ("system:serviceaccounts", "system:authenticated")),
)


def random_role(rng: random.Random, prefix: str = "") -> JsonObject:
    """Make a Role or ClusterRole of one of a few names."""
    name = prefix + rng.choice(ROLES)
    namespace = rng.choice(NAMESPACES)
    rules = [_resource_rule(rng) for _ in range(rng.randrange(3))]
    if namespace:
        return role(prefix + namespace, name, *rules)
    if rng.random() < 0.5:
        rules.append(path_rule(rng.choice(VERBS), *_some(rng, PATHS)))
    return cluster_role(name, *rules)


def random_binding(rng: random.Random, prefix: str = "") -> JsonObject:
    """Make a binding of one of a few names, perhaps of a role that does not exist."""
    namespace = rng.choice(NAMESPACES)
    kind = rng.choice(("Role", "ClusterRole")) if namespace else "ClusterRole"
    granted = f"{kind}/{prefix}{rng.choice((*ROLES, 'lost'))}"
    subjects = [_prefixed(subject, prefix) for subject in _some(rng, SUBJECTS)]
    name = prefix + rng.choice(("b1", "b2", "b3", "b4")) + kind.lower()
    return binding(name, granted, *subjects, namespace=namespace and prefix + namespace)


def random_request(rng: random.Random, prefix: str = "") -> Attributes:
    """Make a request that such policies may or may not cover."""
    verb = rng.choice(VERBS[:-1])
    if rng.random() < 0.2:
        return ask_path(verb, rng.choice(("/healthz", "/logs/a", "/logs", "/x")))
    namespace = rng.choice(NAMESPACES)
    return ask(
        verb,
        rng.choice(RESOURCES[:4]),
        group=rng.choice(API_GROUPS[:2]),
        namespace=namespace and prefix + namespace,
        name=rng.choice(NAMES),
    )


def random_user(rng: random.Random, prefix: str = "") -> User:
    """Give one of a few users."""
    user = rng.choice(USERS)
    return User(user.name.replace(":one:", f":{prefix}one:"), user.groups)


def _resource_rule(rng: random.Random) -> JsonObject:
    names = [name for name in _some(rng, NAMES) if name] if rng.random() < 0.3 else []
    groups = ",".join(group or "core" for group in _some(rng, API_GROUPS))
    return rule(",".join(_some(rng, VERBS)), ",".join(_some(rng, RESOURCES)), *names, groups=groups)


def _some(rng: random.Random, choices: tuple[str, ...]) -> list[str]:
    return rng.sample(choices, rng.randint(1, 2))


def _prefixed(subject: str, prefix: str) -> str:
    return subject.replace("ServiceAccount/", f"ServiceAccount/{prefix}")
