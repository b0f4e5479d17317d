"""Decisions equal those of a twin that reads every rule of every binding each time."""

import random
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import Attributes, Authorizer, PathAttributes
from pilotfish.cluster.requests import User
from pilotfish.cluster.store import Store
from policies import put, remove
from random_policies import random_binding, random_request, random_role, random_user

Policies = dict[tuple[str, str, str], JsonObject]


def twin_allows(policies: Policies, user: User, attributes: Attributes) -> bool:
    """Decide as upstream's rules read, without any index."""
    namespace = "" if isinstance(attributes, PathAttributes) else attributes.namespace
    for (kind, where, _), bound in policies.items():
        counts = kind == "ClusterRoleBinding" or (kind == "RoleBinding" and where == namespace)
        if counts and any(_is(subject, user, where) for subject in bound["subjects"]):
            reference = bound["roleRef"]
            home = where if reference["kind"] == "Role" else ""
            granted = policies.get((reference["kind"], home, reference["name"]), {})
            if any(_covers(rule, attributes) for rule in granted.get("rules", ())):
                return True
    return False


def _is(subject: JsonObject, user: User, namespace: str) -> bool:
    match subject["kind"]:
        case "User":
            return bool(user.name == subject["name"])
        case "Group":
            return subject["name"] in user.groups
        case _:
            home = subject.get("namespace", namespace)
            return bool(user.name == f"system:serviceaccount:{home}:{subject['name']}")


def _covers(rule: JsonObject, attributes: Attributes) -> bool:
    if not {attributes.verb, "*"} & set(rule["verbs"]):
        return False
    if isinstance(attributes, PathAttributes):
        urls = rule.get("nonResourceURLs", ())
        return any(
            attributes.path.startswith(url[:-1]) if url.endswith("*") else attributes.path == url
            for url in urls
        )
    names = rule.get("resourceNames", ())
    covered = set(rule.get("resources", ()))
    return (
        bool({attributes.group, "*"} & set(rule.get("apiGroups", ())))
        and bool(covered & set(_spellings(attributes.resource, attributes.subresource)))
        and (not names or attributes.name in names)
    )


def _spellings(resource: str, subresource: str) -> Iterator[str]:
    yield "*"
    yield f"{resource}/{subresource}" if subresource else resource
    if subresource:
        yield f"*/{subresource}"


@given(st.integers(0, 2**32))
def test_decisions_equal_the_twins_while_policies_come_and_go(seed: int) -> None:
    rng, store = random.Random(seed), Store()
    policies: Policies = {}
    authorizer = Authorizer(store)
    for _ in range(30):
        if rng.random() < 0.6:
            made = rng.choice((random_role, random_binding))(rng)
            put(store, made)
            metadata = made["metadata"]
            policies[made["kind"], metadata.get("namespace", ""), metadata["name"]] = made
        elif policies and rng.random() < 0.3:
            remove(store, policies.pop(rng.choice(sorted(policies))))
        user, attributes = random_user(rng), random_request(rng)
        decision = authorizer.allowed(user, attributes)
        assert decision.allowed is twin_allows(policies, user, attributes)
        assert decision == Authorizer(store).allowed(user, attributes)
