import msgspec

from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import RoleAggregation, bootstrap_objects
from pilotfish.cluster.requests import ApiAnswer, ApiRequest
from pilotfish.cluster.settings import ClusterSettings
from pilotfish.cluster.store import Store
from policies import cluster_role, put, remove, rule, storage_of, store_of

VIEW, EDIT = {"to-view": "true"}, {"to-edit": "true"}
GET, SET = rule("get", "pods"), rule("update", "pods")


def client_of(store: Store) -> LoopbackClient:
    """Make a client whose patches of rules go straight into the store."""

    def request(asked: ApiRequest, _now: float) -> ApiAnswer:
        stored = store.get(asked.resource.storage, asked.namespace, asked.name)
        assert asked.verb == "patch"
        assert stored is not None
        written = store.put(asked.resource.storage, stored.decode() | asked.body)
        return ApiAnswer(code=200, resource=asked.resource, body=written.body)

    return LoopbackClient(store, request, ClusterSettings())


def settle(aggregation: RoleAggregation, store: Store) -> None:
    """Let it work until it writes nothing any more."""
    before = -1
    while before != store.resource_version:
        before = store.resource_version
        aggregation.sync(0.0)


def rules_of(store: Store, name: str) -> list[JsonObject]:
    stored = store.get(storage_of(cluster_role("")), "", name)
    assert stored is not None
    rules: list[JsonObject] = msgspec.json.decode(stored.body)["rules"]
    return rules


def test_aggregated_role_has_the_rules_of_all_roles_that_it_selects() -> None:
    store = store_of(
        cluster_role("all", aggregates=[EDIT, VIEW]),
        cluster_role("b", GET, labels=VIEW),
        cluster_role("a", SET, GET, labels=VIEW),
        cluster_role("c", rule("delete", "pods"), labels=EDIT),
        cluster_role("d", rule("get", "secrets")),
    )
    settle(RoleAggregation(client_of(store)), store)
    assert rules_of(store, "all") == [rule("delete", "pods"), SET, GET]


def test_aggregated_role_follows_its_parts() -> None:
    part = cluster_role("part", GET, labels=VIEW)
    store = store_of(cluster_role("all", aggregates=[VIEW]))
    aggregation = RoleAggregation(client_of(store))
    settle(aggregation, store)
    put(store, part)
    settle(aggregation, store)
    assert rules_of(store, "all") == [GET]
    put(store, cluster_role("part", SET, labels=VIEW))
    settle(aggregation, store)
    assert rules_of(store, "all") == [SET]
    remove(store, part)
    settle(aggregation, store)
    assert rules_of(store, "all") == []


def test_aggregated_role_takes_no_rules_from_itself() -> None:
    store = store_of(cluster_role("all", GET, labels=VIEW, aggregates=[VIEW]))
    settle(RoleAggregation(client_of(store)), store)
    assert rules_of(store, "all") == []


def test_admin_edit_and_view_settle_one_through_the_other() -> None:
    store = store_of(*bootstrap_objects())
    settle(RoleAggregation(client_of(store)), store)

    def names(role: str, verb: str) -> set[str]:
        rules = [each for each in rules_of(store, role) if verb in each["verbs"]]
        return {resource for each in rules for resource in each["resources"]}

    assert names("view", "get") < names("edit", "get") < names("admin", "get")
    assert "secrets" in names("edit", "get") - names("view", "get")
    assert "rolebindings" in names("admin", "create") - names("edit", "create")
    assert names("view", "create") == set()
