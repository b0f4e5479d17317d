"""Where the embedded server answers otherwise than kube-apiserver, and why that stays.

A row names a contract test, with its parameters where it has some. On the embedded server that test
must fail; one that passes there is an error: its row is to be deleted.
"""

from __future__ import annotations

GO = "upstream quotes a type or value of its Go source; ours quotes the JSON"
SERVER_ERROR = "upstream answers 500 to a mistake of the client, which clients retry; ours is 4xx"
EVENT = "upstream names every Event by the core group; ours by the group that was asked for"
SPACES = "upstream compares the bytes of a revision's data, spaces included; ours what they say"
CEL = "expressions are kept unread, since nothing here allocates devices"

DIFFERENCES = {
    "test_object_is_changed_alike[ControllerRevision first revision.-1]": SPACES,
    "test_object_is_changed_alike[ControllerRevision first revision.2]": SPACES,
    "test_object_is_changed_alike[Event a.2 note.other]": EVENT,
    "test_object_is_made_changed_and_deleted_alike[ControllerRevision first]": SPACES,
    "test_request_is_refused[binding to a kind that is no node]": SERVER_ERROR,
    "test_request_is_refused[binding to no name]": SERVER_ERROR,
    "test_request_is_refused[binding without target]": SERVER_ERROR,
    "test_request_is_refused[budget with both bounds]": GO,
    "test_request_is_refused[claim with a selector that is no expression]": CEL,
    "test_request_is_refused[empty volume]": GO,
    "test_request_is_refused[empty event]": EVENT,
    "test_request_is_refused[event of unknown type]": EVENT,
    "test_request_is_refused[get at an unreadable version]": SERVER_ERROR,
    "test_request_is_refused[list as a body]": GO,
    "test_request_is_refused[null as a body]": "upstream reads null as an object without fields",
    "test_request_is_refused[options of another kind]": GO,
    "test_request_is_refused[string as a body]": GO,
    "test_request_is_refused[unknown group]": "plain text upstream; ours is a Status",
    "test_request_is_refused[unreadable continue token]": "the words are those of the JSON reader",
    "test_request_is_refused[watch from an unreadable version]": SERVER_ERROR,
    "test_server_side_apply_creates": "server-side apply is refused (415), naming `kubectl apply`",
    "test_unknown_view_is_not_acceptable": "the list of forms is what is served: no protobuf",
    "test_watch_of_one_object_by_its_own_path": "an old path; a field selector does the same",
}
