"""No operation of the API shows or changes what belongs to another account, or to the other mode of the same one.

The operations come from the documents, so that a new one is held to this from its first day on; what it works on is
said in tests/support/resources.py.
"""

from typing import Any
from uuid import UUID

import pytest

from tests.support.bodies import REPLACED, body_for
from tests.support.operations import Operation, operations, referenced_ids
from tests.support.resources import (
    MODES,
    REFERENCES,
    RESOURCES,
    WRITTEN,
    Account,
    Client,
    Ids,
    make_path,
)

OF_AN_ACCOUNT = [o for o in operations() if o.requirement.kind in {"scoped", "any", "session"}]
ON_A_THING = [o for o in OF_AN_ACCOUNT if o.path_parameters]
# What stands on a list of contacts, in a webhook's log or in a campaign's ledger, what a search finds, and that it is nobody
# else's, is shown in their own tests; event types are the same for everybody.
ELSEWHERE = {
    "listEventTypes",
    "listListContacts",
    "listMailProviders",
    "listRecipients",
    "listWebhookDeliveries",
    "listWebhookReplays",
    "searchContacts",
}
LISTS = [
    o
    for o in OF_AN_ACCOUNT
    if o.method == "GET"
    and "data" in ((o.responses.get("200") or {}).get("properties") or {})
    and o.id not in ELSEWHERE
]
REFERRING = [(o, field) for o in OF_AN_ACCOUNT for field in referenced_ids(o)]

ABOUT_THE_CALLER = {
    "closeAccount": "concerns the caller's account; the body repeats its name",
    "exportAccount": "makes a thing of the caller's",
    "getSender": "concerns the caller's account",
    "setSender": "concerns the caller's account",
    "getAccountClosing": "concerns the caller's account",
    "createDomain": "makes a thing of the caller's",
    "listEventTypes": "says what kinds of events there are, the same for everybody",
    "rehearseWebhook": "looks at the caller's own events; those of another account are shown to be absent in its own tests",
    "keepAccount": "concerns the caller's account",
    "configureMailgun": "sets up the caller's own account",
    "configurePostmark": "sets up the caller's own account",
    "listMailProviders": "shows the caller's own accounts; that of another one is shown to be absent in its own tests",
    "removeMailgun": "removes the caller's own account",
    "removePostmark": "removes the caller's own account",
    "testMailgun": "tests the caller's own account",
    "testPostmark": "tests the caller's own account",
    "bulkContacts": "names contacts in its items; that those of another account are not there is shown in its own tests",
    "changePassword": "changes the password of the signed-in user; the body names nobody",
    "confirmSecondFactor": "concerns the signed-in user",
    "createApiKey": "makes a thing of the caller's",
    "createAttachmentUpload": "makes a thing of the caller's",
    "createPrivacyRequest": "makes a thing of the caller's; works on what the caller's account holds alone",
    "createCampaign": "makes a thing of the caller's",
    "createContact": "makes a thing of the caller's",
    "createContactField": "makes a thing of the caller's",
    "createList": "makes a thing of the caller's",
    "createSegment": "makes a thing of the caller's",
    "createSuppression": "makes a thing of the caller's",
    "createSuppressions": "makes a thing of the caller's",
    "createTemplate": "makes a thing of the caller's",
    "createTag": "makes a thing of the caller's",
    "createContactExport": "makes a thing of the caller's",
    "createContactImport": "makes a thing of the caller's",
    "createWebhook": "makes a thing of the caller's",
    "createWorkspace": "makes a thing of the caller's",
    "enrolSecondFactor": "concerns the signed-in user",
    "getEmailAnalytics": "adds up the account's mails; those of another one are shown to be absent in its own tests",
    "getApiUsage": "adds up the account's requests; the usage of another one is shown to be absent below",
    "getMe": "says who the caller is",
    "getSecondFactor": "concerns the signed-in user",
    "inviteMember": "makes a thing of the caller's",
    "removeSecondFactor": "concerns the signed-in user",
    "renewRecoveryCodes": "concerns the signed-in user",
    "searchContacts": "finds contacts of the caller's account; that those of another one are absent is shown in its own tests",
    "revokeAllApiKeys": "ends the keys of the account; those of another one are shown to go on below",
    "checkSuppression": "names an address; that another account has suppressed it changes nothing is shown in its own tests",
    "listWebhookSourceIps": "lists addresses of the platform, the same for everybody",
    "previewSegment": "finds by rules; that those reach nobody else is shown in its own tests",
    "sendEmail": "makes a thing of the caller's",
    "signOut": "ends the very session that calls",
    "signOutEverywhere": "ends the sessions of the signed-in user",
    "stepUp": "confirms the identity of the signed-in user",
}
"""Operations that name nothing in their path and list nothing, with the reason why they cannot reach what is another's."""


def listed_resource(operation: Operation) -> str:
    """The path variable of what a list holds: that of the path one step below."""
    below = [o.path for o in operations() if o.path.startswith(operation.path + "/{")]
    names = {path.removeprefix(operation.path + "/{").partition("}")[0] for path in below}
    assert len(names) == 1, f"{operation} lists things that no path below it shows; say here what they are"
    return names.pop()


def expect_refused(client: Client, operation: Operation, ids: Ids) -> None:
    before = {name: RESOURCES[name].row(id_) for name, id_ in ids.items()}

    answer = client.call(operation, ids, json=body_for(operation))

    assert answer.status in {403, 404}, f"{operation} by {client}: {answer.status} {answer.body}"
    assert {name: RESOURCES[name].row(id_) for name, id_ in ids.items()} == before, f"{operation} by {client}"


def mixed(own: Ids, foreign: Ids) -> list[Ids]:
    """Another's whole path, and one's own path with a single step of the other's."""
    return [foreign, *({**own, name: foreign[name]} for name in foreign if len(foreign) > 1)]


def test_every_operation_is_walked_or_stands_in_the_list_with_a_reason() -> None:
    walked = {o.id for o in (*ON_A_THING, *LISTS)}

    assert len(ON_A_THING) >= 15
    assert len(LISTS) >= 5
    assert {o.id for o in OF_AN_ACCOUNT} - walked == set(ABOUT_THE_CALLER)


@pytest.mark.parametrize("operation", ON_A_THING, ids=str)
def test_what_is_another_accounts_is_not_there(operation: Operation) -> None:
    alice, bob = Account(), Account()
    for mode in MODES:
        foreign, own = make_path(operation, alice, mode), make_path(operation, bob, mode)
        for client in bob.clients(operation):
            for ids in mixed(own, foreign):
                expect_refused(client, operation, ids)


@pytest.mark.parametrize("operation", ON_A_THING, ids=str)
def test_what_is_of_the_other_mode_is_not_there_and_what_is_ones_own_is(operation: Operation) -> None:
    """The second half shows that the refusals of this file come from whose the thing is, and from nothing else."""
    account = Account()
    for mode in MODES:
        for client in account.clients(operation):
            ids = make_path(operation, account, mode)
            if client.mode != mode and all(RESOURCES[name].has_mode for name in ids):
                expect_refused(client, operation, ids)
            elif client.mode == mode:
                answer = client.call(operation, ids, json=body_for(operation))
                assert answer.status < 300, f"{operation} by {client}: {answer.body}"


@pytest.mark.parametrize("operation", LISTS, ids=str)
def test_a_list_holds_what_is_the_callers_own_in_its_mode_alone(operation: Operation) -> None:
    alice, bob = Account(), Account()
    resource = RESOURCES[listed_resource(operation)]
    paths = {account: make_path(operation, account, "live") for account in (alice, bob)}
    made = {(who, mode): str(resource.make(who, mode, paths[who])) for who in (alice, bob) for mode in MODES}

    for client in bob.clients(operation):
        answer = client.call(operation, paths[bob], query={"limit": 100})
        shown = {id_ for id_ in made.values() if id_ in answer.body}
        own = {made[bob, mode] for mode in MODES if mode == client.mode or not resource.has_mode}
        assert (answer.status, shown) == (200, own), f"{operation} by {client}"


def _set(operation: Operation, field: str, id_: UUID) -> dict[str, Any]:
    """The request with the id in its place."""
    body = body_for(operation)
    if referenced_ids(operation)[field] == "query":
        return {"json": body, "query": {field: str(id_)}}
    properties = (operation.body or {})["properties"]
    if field in WRITTEN:
        return {"json": {**(body or {}), field: WRITTEN[field](str(id_))}}
    is_list = properties[field].get("type") == "array"
    changed = {**(body or {}), **REPLACED.get((operation.id, field), {}), field: [str(id_)] if is_list else str(id_)}
    return {"json": {name: value for name, value in changed.items() if value is not None}}


@pytest.mark.parametrize(("operation", "field"), REFERRING, ids=str)
def test_an_id_of_another_account_is_refused_wherever_a_request_may_hold_one(operation: Operation, field: str) -> None:
    assert field in REFERENCES, f"{operation}: say in tests/support/resources.py what {field} refers to"
    alice, bob = Account(), Account()
    for client in bob.clients(operation):
        foreign = REFERENCES[field].make(alice, client.mode, {})
        ids = make_path(operation, bob, client.mode)
        before = {name: RESOURCES[name].row(id_) for name, id_ in ids.items()}

        answer = client.call(operation, ids, **_set(operation, field, foreign))

        if answer.status == 200 and operation in LISTS:
            assert answer.json["data"] == [], f"{operation} by {client}"
        else:
            assert answer.status in {400, 403, 404, 409}, f"{operation} by {client}: {answer.status} {answer.body}"
            assert {name: RESOURCES[name].row(id_) for name, id_ in ids.items()} == before


@pytest.mark.parametrize(("operation", "field"), REFERRING, ids=str)
def test_an_id_of_ones_own_is_accepted_there(operation: Operation, field: str) -> None:
    account = Account()
    for client in account.clients(operation):
        own = REFERENCES[field].make(account, client.mode, {})
        ids = make_path(operation, account, client.mode)

        answer = client.call(operation, ids, **_set(operation, field, own))

        assert answer.status < 300, f"{operation} by {client}: {answer.body}"
        assert operation not in LISTS or len(answer.json["data"]) == 1


def test_the_usage_of_an_account_is_not_counted_for_another() -> None:
    from collect_usage.app import handler as collect
    from penguinmails.auth import usage
    from tests.support.queues import run_job

    alice, bob = Account(), Account()
    me, shown = (next(o for o in operations() if o.id == id_) for id_ in ("getMe", "getApiUsage"))
    for _ in range(3):
        me.call(token=alice.key("live"))
    usage.flush()
    run_job(collect)

    figures = [Client(account, "session", "live").call(shown).json["requests"] for account in (alice, bob)]

    assert figures == [3, 0]


def test_ending_all_keys_of_an_account_leaves_those_of_another() -> None:
    alice, bob = Account(), Account()
    me, revoke_all = (next(o for o in operations() if o.id == id_) for id_ in ("getMe", "revokeAllApiKeys"))
    keys = [account.key(mode) for account in (alice, bob) for mode in MODES]
    assert [me.call(token=key).status for key in keys] == [200] * 4

    Client(bob, "session", "live").call(revoke_all, json=body_for(revoke_all))

    assert [me.call(token=key).status for key in keys] == [200, 200, 401, 401]
