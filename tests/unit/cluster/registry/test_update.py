import pytest

from unit.cluster.registry.api import Api, Json, message, pod

CONFIG: Json = {"metadata": {"name": "a"}, "data": {"k": "v"}}
MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


@pytest.fixture
def created(api: Api) -> Json:
    return api.create("configmaps", CONFIG)


def test_update_with_the_resource_version_that_was_read_succeeds(api: Api, created: Json) -> None:
    changed = api.update("configmaps", "a", created | {"data": {"k": "w"}})
    assert changed["data"] == {"k": "w"}
    assert changed["metadata"]["uid"] == created["metadata"]["uid"]
    assert changed["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"]


def test_update_with_an_older_resource_version_conflicts(api: Api, created: Json) -> None:
    api.update("configmaps", "a", CONFIG | {"data": {}})
    refusal = api.update("configmaps", "a", created)
    assert message(refusal, 409) == f'Operation cannot be fulfilled on configmaps "a": {MODIFIED}'
    patch = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}}
    assert api.merge("configmaps", "a", patch)["reason"] == "Conflict"


def test_update_of_what_was_made_anew_under_the_same_name_conflicts(
    api: Api, created: Json
) -> None:
    refusal = api.update("configmaps", "a", {"metadata": {"name": "a", "uid": "other"}})
    assert message(refusal, 409) == (
        'Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, '
        "Key: /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: "
        "Precondition failed: UID in precondition: other, UID in object meta: "
        f"{created['metadata']['uid']}"
    )


@pytest.mark.usefixtures("created")
def test_update_that_changes_nothing_writes_nothing(api: Api) -> None:
    before = api.cluster.store.resource_version
    reordered = {"data": {"k": "v"}, "metadata": {"labels": {}, "name": "a"}}
    answer = api.update("configmaps", "a", reordered)
    assert answer["metadata"]["resourceVersion"] == str(before)
    assert api.cluster.store.resource_version == before


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"metadata": {"name": "b"}},
            "the name of the object (b) does not match the name on the URL (a)",
        ),
        (
            {"data": {}},
            "the name of the object (a based on URL) was undeterminable: name must be provided",
        ),
        (
            {"metadata": {"name": "a", "namespace": "z"}},
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ],
)
@pytest.mark.usefixtures("created")
def test_update_of_another_object_than_the_path_says_is_refused(
    api: Api, body: Json, text: str
) -> None:
    assert message(api.update("configmaps", "a", body), 400) == text


@pytest.mark.usefixtures("created")
def test_uid_and_deletion_timestamp_are_immutable(api: Api) -> None:
    patch = {"metadata": {"uid": "x", "deletionTimestamp": "2020-01-01T00:00:00Z"}}
    assert message(api.merge("configmaps", "a", patch), 422) == (
        'ConfigMap "a" is invalid: [metadata.uid: Invalid value: "x": field is immutable, '
        'metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable]'
    )


@pytest.mark.usefixtures("created")
def test_creation_time_and_managed_fields_of_the_client_are_left_out(api: Api) -> None:
    metadata = {"creationTimestamp": "2020-01-01T00:00:00Z", "managedFields": [{"manager": "me"}]}
    kept = api.merge("configmaps", "a", {"metadata": metadata})["metadata"]
    assert kept["creationTimestamp"] == "2001-09-09T01:46:40Z"
    assert "managedFields" not in kept


@pytest.mark.usefixtures("created")
def test_the_three_kinds_of_patch_are_applied(api: Api) -> None:
    assert api.merge("configmaps", "a", {"data": {"k": None, "m": "1"}})["data"] == {"m": "1"}
    assert api.strategic("configmaps", "a", {"data": {"n": "2"}})["data"] == {"m": "1", "n": "2"}
    operation = {"op": "remove", "path": "/data/m"}
    assert api.json_patch("configmaps", "a", [operation])["data"] == {"n": "2"}


@pytest.mark.usefixtures("created")
def test_server_side_apply_names_what_to_use_instead(api: Api) -> None:
    refusal = api.ask("patch", "configmaps", "a", {}, patch_type="application/apply-patch+yaml")
    assert "plain `kubectl apply`" in message(refusal, 415)
    assert refusal["reason"] == "UnsupportedMediaType"


def test_most_kinds_are_not_created_by_an_update_but_leases_are(api: Api) -> None:
    assert message(api.update("configmaps", "a", CONFIG), 404) == 'configmaps "a" not found'
    lease = {"metadata": {"name": "l"}, "spec": {"holderIdentity": "me"}}
    assert api.update("leases", "l", lease)["metadata"]["uid"]


def test_budget_and_lease_are_updated_only_by_who_read_them(api: Api) -> None:
    lease = {"metadata": {"name": "l"}, "spec": {}}
    api.create("leases", lease)
    assert message(api.update("leases", "l", lease), 422) == (
        'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: '
        "must be specified for an update"
    )


def test_status_and_spec_are_written_apart(api: Api) -> None:
    api.create("pods", pod())
    change = {"spec": {"activeDeadlineSeconds": 9}, "status": {"phase": "Running"}}
    written = api.merge("pods", "p", change)
    assert written["status"]["phase"] == "Pending"
    assert written["spec"]["activeDeadlineSeconds"] == 9
    change = {"spec": {"activeDeadlineSeconds": 5}, "status": {"phase": "Running"}}
    written = api.merge("pods", "p", change, part="status")
    assert written["status"]["phase"] == "Running"
    assert written["spec"]["activeDeadlineSeconds"] == 9


def test_status_writes_labels_and_annotations_but_no_owners(api: Api) -> None:
    api.create("pods", pod())
    owner = {"apiVersion": "v1", "kind": "x", "name": "y", "uid": "z"}
    metadata = {"labels": {"l": "1"}, "annotations": {"a": "2"}, "ownerReferences": [owner]}
    written = api.merge("pods", "p", {"metadata": metadata}, part="status")["metadata"]
    assert (written["labels"], written["annotations"]) == ({"l": "1"}, {"a": "2"})
    assert "ownerReferences" not in written


def test_generation_counts_changes_of_the_spec_alone(api: Api) -> None:
    def generation_after(change: Json, part: str = "") -> int:
        return int(api.merge("pods", "p", change, part=part)["metadata"]["generation"])

    api.create("pods", pod())
    assert generation_after({"metadata": {"labels": {"a": "b"}}}) == 1
    assert generation_after({"status": {"phase": "Running"}}, part="status") == 1
    assert generation_after({"spec": {"activeDeadlineSeconds": 9}}) == 2


def test_dry_run_update_shows_the_result_and_keeps_nothing(api: Api, created: Json) -> None:
    answer = api.merge("configmaps", "a", {"data": {"x": "y"}}, dry_run=True)
    assert answer["data"] == {"k": "v", "x": "y"}
    assert api.get("configmaps", "a") == created


def test_update_may_not_add_finalizers_to_what_is_being_deleted(api: Api) -> None:
    api.create("configmaps", {"metadata": {"name": "f", "finalizers": ["a.b/c"]}})
    api.delete("configmaps", "f")
    refusal = api.merge("configmaps", "f", {"metadata": {"finalizers": ["a.b/c", "a.b/d"]}})
    assert message(refusal, 422) == (
        'ConfigMap "f" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added '
        'if the object is being deleted, found new finalizers []string{"a.b/d"}'
    )


def test_write_through_events_k8s_io_is_read_in_both_forms(api: Api) -> None:
    event: Json = {
        "metadata": {"name": "e"},
        "eventTime": "2001-09-09T01:46:40.000000Z",
        "reportingController": "a.b/c",
        "reportingInstance": "i",
        "action": "Binding",
        "reason": "Scheduled",
        "type": "Normal",
        "note": "told",
        "regarding": {"kind": "Pod", "namespace": "default", "name": "p"},
    }
    assert api.create("events.events.k8s.io", event)["note"] == "told"
    assert api.get("events", "e")["message"] == "told"
    assert message(api.merge("events.events.k8s.io", "e", {"note": "x"}), 422).endswith(
        'message: Invalid value: "x": field is immutable'
    )
    series: Json = {"count": 2, "lastObservedTime": "2001-09-09T01:46:40.000000Z"}
    assert api.merge("events.events.k8s.io", "e", {"series": series})["series"] == series
