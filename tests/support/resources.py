"""What the API's operations work on: one real thing of each kind, made by a real call.

A new path variable needs an entry in RESOURCES, a new field or filter that names another thing one in REFERENCES; the tests
that walk over the operations say which is missing. Bodies stand in `bodies`.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg import sql

from penguinmails.auth import step_up
from penguinmails.auth.access_tokens import session_of
from penguinmails.db import Mode, transaction
from penguinmails.http.access import Requirement
from tests.support import domains, inboxes
from tests.support.bodies import body_for, somebody
from tests.support.catalogue import tables
from tests.support.connections import as_owner
from tests.support.http import Answer
from tests.support.operations import Operation, operations
from tests.support.people import Person, sign_in, signed_in
from tests.support.tenants import TestTenant, make_tenant

MODES: tuple[Mode, ...] = ("live", "test")
Ids = dict[str, UUID]


@dataclass(frozen=True)
class Client:
    """A program that calls for an account: with an API key of a mode, or with a session that asks for that mode."""

    account: "Account"
    kind: Literal["api_key", "session"]
    mode: Mode

    def __str__(self) -> str:
        return f"{self.kind} in {self.mode} mode"

    def call(self, operation: Operation, ids: Ids | None = None, **request: Any) -> Answer:
        """Call an operation, with a fresh confirmation of identity where it wants one."""
        headers = dict(request.pop("headers", {}))
        if self.kind == "api_key":
            token = self.account.key(self.mode)
        else:
            token = self.account.person.access_token
            headers["X-PenguinMails-Mode"] = self.mode
            headers |= confirmation(self.account.person, operation.requirement)
        if operation.id in QUERIES:
            request["query"] = {**QUERIES[operation.id](self.account, self.mode), **(request.get("query") or {})}
        return operation.call(ids, token=token, headers=headers, **request)


class Account:
    """A tenant with a signed-in owner and a key of each mode; keys are made when they are first used."""

    def __init__(self) -> None:
        self.tenant: TestTenant = make_tenant()
        self.person: Person = signed_in(self.tenant)
        self._keys: dict[Mode, str] = {}

    def key(self, mode: Mode) -> str:
        """The plaintext of a key with all scopes."""
        if mode not in self._keys:
            self._keys[mode] = self.tenant.key(mode=mode).plaintext
        return self._keys[mode]

    def clients(self, operation: Operation) -> Iterator[Client]:
        """Every kind of caller that the operation lets in."""
        for mode in MODES:
            if operation.requirement.takes_api_keys:
                yield Client(self, "api_key", mode)
            yield Client(self, "session", mode)


@dataclass(frozen=True)
class Resource:
    """Things of one kind. `make` gets the account, the mode and the ids that stand before this one in the path."""

    table: str
    make: Callable[[Account, Mode, Ids], UUID]
    column: str = "id"
    """Where the id stands in the table."""

    @property
    def has_mode(self) -> bool:
        """Whether live and test things are two data sets, as row security has it."""
        (table,) = [t for t in tables(os.environ["MIGRATIONS_DATABASE_URL"]) if t.name == self.table]
        return any("app.current_mode" in policy.using for policy in table.policies)

    def row(self, id_: UUID) -> Any:
        """The row as it is now, seen past row security; None when there is none."""
        statement = sql.SQL("SELECT to_jsonb(t) FROM {} t WHERE {} = %s").format(
            sql.Identifier(self.table), sql.Identifier(self.column)
        )
        found = as_owner().execute(statement, [id_]).fetchone()
        return found and found[0]


def _made_by(operation_id: str, field: str = "id") -> Callable[[Account, Mode, Ids], UUID]:
    """What an operation makes; its answer holds the id in a field."""

    def make(account: Account, mode: Mode, ids: Ids) -> UUID:
        operation = next(o for o in operations() if o.id == operation_id)
        client = next(c for c in account.clients(operation) if c.mode == mode)
        answer = client.call(operation, ids, json=body_for(operation))
        assert answer.status in {200, 201, 202}, answer.body
        return UUID(answer.json[field])

    return make


def _session(account: Account, _mode: Mode, _ids: Ids) -> UUID:
    return UUID(sign_in(account.person.email).json["session_id"])


def _colleague(account: Account, _mode: Mode, _ids: Ids) -> UUID:
    return signed_in(account.tenant, "developer").id


def _workspace_member(account: Account, mode: Mode, ids: Ids) -> UUID:
    user_id = _colleague(account, mode, ids)
    operation = next(o for o in operations() if o.id == "setWorkspaceMember")
    answer = Client(account, "session", mode).call(operation, {**ids, "user_id": user_id}, json=body_for(operation))
    assert answer.status == 200, answer.body
    return user_id


def _default_workspace(account: Account, _mode: Mode, _ids: Ids) -> UUID:
    return account.tenant.workspace_id


def _workspace_with_a_template(account: Account, mode: Mode, _ids: Ids) -> UUID:
    operation = next(o for o in operations() if o.id == "createTemplate")
    client = next(c for c in account.clients(operation) if c.mode == mode)
    workspace_id = _made_by("createWorkspace")(account, mode, {})
    body = {**(body_for(operation) or {}), "workspace_id": str(workspace_id)}
    assert client.call(operation, json=body).status == 201
    return workspace_id


def _delivery(account: Account, mode: Mode, ids: Ids) -> UUID:
    delivery_id = uuid4()
    as_owner().execute(
        """
        INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at, status)
        SELECT %s, tenant_id, mode, %s, id, type, created_at, 'failed' FROM events WHERE id = %s
        """,
        [delivery_id, ids["webhook_id"], _event(account, mode, ids)],
    )
    return delivery_id


def _replay(account: Account, mode: Mode, ids: Ids) -> UUID:
    replay_id = uuid4()
    found = as_owner().execute("SELECT id FROM webhooks WHERE id = %s AND mode = %s", [ids["webhook_id"], mode])
    webhook_id = ids["webhook_id"] if found.fetchone() else _made_by("createWebhook")(account, mode, {})
    as_owner().execute(
        """
        INSERT INTO webhook_replays (id, tenant_id, mode, webhook_id, from_at, to_at, event_types, only_undelivered,
                                     per_second, total, created_by)
        VALUES (%s, %s, %s, %s, now() - interval '1 day', now(), '{contact.created}', false, 50, 0, %s)
        """,
        [replay_id, account.tenant.id, mode, webhook_id, uuid4()],
    )
    return replay_id


def _event(account: Account, mode: Mode, _ids: Ids) -> UUID:
    event_id = uuid4()
    as_owner().execute(
        """
        INSERT INTO events (id, tenant_id, mode, type, data, created_at)
        VALUES (%s, %s, %s, 'contact.created', '{}', now())
        """,
        [event_id, account.tenant.id, mode],
    )
    return event_id


def _email_of_a_campaign(account: Account, mode: Mode, ids: Ids) -> UUID:
    """The campaign's id."""
    email_id, campaign_id = _made_by("sendEmail")(account, mode, ids), _made_by("createCampaign")(account, mode, ids)
    as_owner().execute("UPDATE emails SET campaign_id = %s WHERE id = %s", [campaign_id, email_id])
    return campaign_id


def _list_with_a_contact(account: Account, mode: Mode, ids: Ids) -> UUID:
    list_id, contact_id = _made_by("createList")(account, mode, ids), _made_by("createContact")(account, mode, ids)
    operation = next(o for o in operations() if o.id == "addListContacts")
    client = next(c for c in account.clients(operation) if c.mode == mode)
    answer = client.call(operation, {"list_id": list_id}, json={"contact_ids": [str(contact_id)]})
    assert answer.status == 200, answer.body
    return list_id


def _finished_export(account: Account, mode: Mode, ids: Ids) -> UUID:
    from export_contacts.app import handler
    from tests.support.queues import consume

    export_id = _made_by("createContactExport")(account, mode, ids)
    assert consume(handler, {"tenant_id": account.tenant.id, "mode": mode, "job_id": export_id}) == []
    return export_id


def _ended_import(account: Account, mode: Mode, ids: Ids) -> UUID:
    """With a contact that it has added, and a row that it has left out."""
    from import_contacts.app import handler
    from tests.support.queues import consume

    create, start = (next(o for o in operations() if o.id == f"{verb}ContactImport") for verb in ("create", "start"))
    client = next(c for c in account.clients(create) if c.mode == mode)
    content = f"email\n{somebody()}\nnobody\n"
    body = {"file_name": "p.csv", "file_type": "csv", "content": content}
    import_id = UUID(client.call(create, ids, json=body).json["id"])
    assert client.call(start, {"import_id": import_id}, json={}).status == 202
    assert consume(handler, {"tenant_id": account.tenant.id, "mode": mode, "job_id": import_id}) == []
    return import_id


def _campaign(account: Account, mode: Mode, ids: Ids) -> UUID:
    """A draft that somebody would get."""
    _made_by("createContact")(account, mode, ids)
    return _made_by("createCampaign")(account, mode, ids)


def _contact(account: Account, mode: Mode, ids: Ids) -> UUID:
    """A contact; enrolled, where it stands below a campaign."""
    contact_id = _made_by("createContact")(account, mode, {})
    if "campaign_id" in ids:
        operation = next(o for o in operations() if o.id == "enrolRecipients")
        client = next(c for c in account.clients(operation) if c.mode == mode)
        answer = client.call(operation, ids, json={"contact_ids": [str(contact_id)]})
        assert answer.status == 200, answer.body
    return contact_id


def _start(account: Account, mode: Mode, ids: Ids) -> None:
    operation = next(o for o in operations() if o.id == "startCampaign")
    answer = next(c for c in account.clients(operation) if c.mode == mode).call(operation, ids)
    assert answer.status == 200, answer.body


def _finished_account_export(account: Account, mode: Mode, ids: Ids) -> UUID:
    from export_account.app import handler
    from tests.support.queues import run_job

    # One is made at a time.
    run_job(handler)
    export_id = _made_by("exportAccount")(account, mode, ids)
    run_job(handler)
    return export_id


def _copied(account: Account, mode: Mode, ids: Ids) -> UUID:
    from answer_privacy_requests.app import handler
    from tests.support.queues import run_job

    request_id = _made_by("createPrivacyRequest")(account, mode, ids)
    run_job(handler)
    return request_id


def _uploaded_file(account: Account, mode: Mode, ids: Ids) -> UUID:
    """A file of a mail, uploaded to the place that its link names."""
    from penguinmails import aws

    upload_id = _made_by("createAttachmentUpload")(account, mode, ids)
    row = Resource("email_uploads", _uploaded_file).row(upload_id)
    aws.store_object(row["file_key"], bytes(row["size"]), row["content_type"])
    return upload_id


def _close(account: Account, mode: Mode, _ids: Ids) -> None:
    operation = next(o for o in operations() if o.id == "closeAccount")
    answer = Client(account, "session", mode).call(operation, json=body_for(operation))
    assert answer.status == 202, answer.body


RESOURCES = {
    "privacy_request_id": Resource("privacy_requests", _copied),
    "account_export_id": Resource("account_exports", _finished_account_export),
    "campaign_id": Resource("campaigns", _campaign),
    "contact_id": Resource("contacts", _contact),
    "export_id": Resource("export_jobs", _finished_export),
    "import_id": Resource("import_jobs", _made_by("createContactImport")),
    "field_id": Resource("contact_fields", _made_by("createContactField")),
    "list_id": Resource("lists", _made_by("createList")),
    "segment_id": Resource("segments", _made_by("createSegment")),
    "suppression_id": Resource("suppression_list", _made_by("createSuppression")),
    "tag_id": Resource("tags", _made_by("createTag")),
    "domain_id": Resource("domains", _made_by("createDomain")),
    "email_id": Resource("emails", _made_by("sendEmail")),
    "key_id": Resource("api_keys", _made_by("createApiKey", "key_id")),
    "invitation_id": Resource("invitations", _made_by("inviteMember")),
    "member_id": Resource("users", _colleague),
    "template_id": Resource("templates", _made_by("createTemplate")),
    "thread_id": Resource("inbox_threads", inboxes.make_thread),
    "attachment_id": Resource("inbox_attachments", inboxes.attachment_of),
    "delivery_id": Resource("webhook_deliveries", _delivery),
    "event_id": Resource("events", _event),
    "replay_id": Resource("webhook_replays", _replay),
    "session_id": Resource("sessions", _session),
    "user_id": Resource("workspace_members", _workspace_member, column="user_id"),
    "webhook_id": Resource("webhooks", _made_by("createWebhook")),
    "workspace_id": Resource("workspaces", _made_by("createWorkspace")),
}
"""By the variable in the path."""

IN_A_STATE = {"getContactImportErrors": _ended_import, "rollbackContactImport": _ended_import}
"""By operation: the thing in its path, where one that was just made would not do."""

REFERENCES = {
    "attachments": Resource("email_uploads", _uploaded_file),
    "campaign_id": Resource("emails", _email_of_a_campaign),
    "workspace_id": Resource("workspaces", _workspace_with_a_template),
    "template_id": Resource("templates", _made_by("createTemplate")),
    "workspace_ids": Resource("workspaces", _default_workspace),
    "contact_id": Resource("contacts", _made_by("createContact")),
    "contact_ids": Resource("contacts", _made_by("createContact")),
    "list_id": Resource("lists", _list_with_a_contact),
    "segment_id": Resource("segments", _made_by("createSegment")),
    "steps": Resource("lists", _list_with_a_contact),
    "webhook_id": Resource("webhooks", _made_by("createWebhook")),
}
"""By the name of the field or filter that holds the id."""

WRITTEN: dict[str, Callable[[str], Any]] = {
    "attachments": lambda upload_id: [{"upload_id": upload_id}],
    "steps": lambda list_id: [{"type": "action", "action": {"type": "add_to_list", "list_id": list_id}}],
}
"""By the name of a field that holds an id deep within: what the field is then."""


def _with_provider(provider: str) -> Callable[[Account, Mode, Ids], None]:
    def configure(account: Account, mode: Mode, _ids: Ids) -> None:
        operation = next(o for o in operations() if o.id == f"configure{provider}")
        answer = Client(account, "session", mode).call(operation, json=body_for(operation))
        assert answer.status in {200, 201}, answer.body

    return configure


FIRST: dict[str, Callable[[Account, Mode, Ids], None]] = {
    "testMailgun": _with_provider("Mailgun"),
    "testPostmark": _with_provider("Postmark"),
    "keepAccount": _close,
    "pauseCampaign": _start,
    "sendCampaign": _start,
    **domains.FIRST,
}
"""By operation: what must have been done to the things in its path before it can be called."""


def confirmation(person: Person, requirement: Requirement) -> dict[str, str]:
    """The header that proves what a requirement wants proved: a fresh confirmation of identity, or nothing."""
    if requirement.step_up is None:
        return {}
    with transaction(tenant_id=person.tenant_id) as tx:
        token = step_up.grant(
            tx,
            user_id=person.id,
            session_id=session_of(person.access_token),
            level=requirement.step_up_level,
            purpose=requirement.step_up,
        )
    return {"X-Reauth-Token": token}


QUERIES: dict[str, Callable[[Account, Mode], dict[str, Any]]] = {
    "explainEvent": lambda account, mode: {"webhook_id": str(_made_by("createWebhook")(account, mode, {}))},
    "removeListContacts": lambda account, mode: {"contact_id": str(_made_by("createContact")(account, mode, {}))},
}
"""By operation: query parameters that must name a thing of the account's own."""


def make_path(operation: Operation, account: Account, mode: Mode) -> Ids:
    """The things that the path names, made for an account, each below the one before."""
    ids: Ids = {}
    for name in operation.path_parameters:
        assert name in RESOURCES, f"{operation}: say in tests/support/resources.py how to make a {name}"
        ids[name] = IN_A_STATE.get(operation.id, RESOURCES[name].make)(account, mode, ids)
    if operation.id in FIRST:
        FIRST[operation.id](account, mode, ids)
    return ids
