"""The comparison of declared statuses with those that the suite has seen."""

from tests.support.operations import operations
from tests.support.statuses import differences

EVERYTHING = {
    (operation.method, operation.path.replace("{", "").replace("}", ""), int(status))
    for operation in operations()
    for status in operation.responses
}
CONTACT = "/api/v1/contacts/0190a3c4-7d2e-7c31-9a55-1f2b3c4d5e6f"


def test_nothing_differs_when_every_declared_status_was_answered() -> None:
    assert differences(EVERYTHING) == []


def test_a_declared_status_that_was_never_answered_is_named() -> None:
    seen = EVERYTHING - {("PATCH", "/api/v1/contacts/contact_id", 412)}

    assert differences(seen) == [
        "PATCH /api/v1/contacts/{contact_id} (patchContact) declares 412, and no test has had it"
    ]


def test_an_answer_that_is_not_declared_is_named() -> None:
    assert differences(EVERYTHING | {("GET", CONTACT, 418)}) == [
        "GET /api/v1/contacts/{contact_id} (getContact) answered 418, and does not declare it"
    ]


def test_an_answer_under_another_path_counts_for_the_same_operation() -> None:
    elsewhere = {(method, path.replace("/api/v1/", "/v1/", 1), status) for method, path, status in EVERYTHING}

    assert differences(elsewhere) == []


def test_a_literal_path_is_not_taken_for_a_variable() -> None:
    seen = {entry for entry in EVERYTHING if not entry[1].endswith("/sessions/current")}

    assert all("(signOut)" in fault for fault in differences(seen))
    assert differences(seen) != []
