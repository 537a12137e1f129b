"""What is deleted is gone at once, however many contacts had it; a job removes their rows afterwards, piece by piece."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from account.app import handler as account
from campaigns import service as campaigns_service
from contact_fields.app import handler as fields
from contacts.app import handler as contacts
from export_account.app import handler as export_account
from lists.app import handler as lists
from penguinmails.db import ForeignKeyViolation, Mode, transaction
from penguinmails.domain import removals as domain
from purge_expired import removals, service
from purge_expired.app import handler as purge
from segments.app import handler as segments
from send_campaign_emails.app import handler as send_campaign_emails
from tags.app import handler as tags
from tests.support.campaigns import add_contact, ask, ledger, mails, plan, started
from tests.support.http import Answer, Handler, call
from tests.support.operations import operations
from tests.support.people import signed_in
from tests.support.queues import consume, run_job
from tests.support.resources import confirmation
from tests.support.tenants import TestKey, TestTenant
from workspaces.app import handler as workspaces

CONTACTS, SEGMENTS, EXPORTS = "/api/v1/contacts", "/api/v1/segments", "/api/v1/account/exports"
ROWS: dict[str, LiteralString] = {
    "list": "SELECT contact_id FROM contact_lists WHERE list_id = %(id)s",
    "tag": "SELECT contact_id FROM contact_tags WHERE tag_id = %(id)s",
    "contact_field": "SELECT contact_id FROM contact_field_values WHERE field_id = %(id)s",
    "workspace": "SELECT contact_id FROM contact_workspaces WHERE workspace_id = %(id)s",
}


@dataclass(frozen=True)
class Scene:
    """An account, and how it makes and deletes one kind of what contacts may have."""

    tenant: TestTenant
    key: TestKey
    kind: str
    ask: Callable[..., Answer]

    def api(self, app: Handler, method: str, path: str, **request: Any) -> Any:
        answer = call(app, method, path, token=self.key.plaintext, **request)
        assert answer.status < 300, answer.body
        return answer.json

    def contact(self, name: str, **fields_: Any) -> str:
        return self.api(contacts, "POST", CONTACTS, json={"email": f"{name}@example.com", **fields_})["id"]

    def make(self) -> str:
        answer = self.ask("POST", json={"key": "vip", "type": "number"} if self._is_field else {"name": "vip"})
        assert answer.status == 201, answer.body
        return answer.json["id"]

    @property
    def _is_field(self) -> bool:
        return self.kind == "contact_field"

    def give(self, id_: str, names: str) -> list[str]:
        """Contacts of these names that have it."""
        own = {
            "tag": {"tags": ["vip"]},
            "contact_field": {"attributes": {"vip": 7}},
            "workspace": {"workspace_ids": [id_]},
        }
        made = [self.contact(name, **own.get(self.kind, {})) for name in names]
        if self.kind == "list":
            self.api(lists, "POST", f"/api/v1/lists/{id_}/contacts", json={"contact_ids": made})
        return made

    def delete(self, id_: str) -> None:
        assert self.ask("DELETE", f"/{id_}").status == 200

    def having(self, id_: str, **more: str) -> list[str]:
        """Names of those whom the list of contacts, or a search, finds by it."""
        if self._is_field:
            found = self.api(contacts, "GET", f"{CONTACTS}/search", query={"query": "vip:7", **more})
        else:
            named = {"list": {"list_id": id_}, "tag": {"tag": "vip"}, "workspace": {"workspace": "vip"}}
            found = self.api(contacts, "GET", CONTACTS, query={**named[self.kind], **more})
        return sorted(row["email"][0] for row in found["data"])

    def rows(self, id_: str, mode: Mode = "live") -> int:
        with transaction(tenant_id=self.tenant.id, mode=mode) as tx:
            return len(tx.all(ROWS[self.kind], {"id": id_}))

    def words(self, id_: str) -> int:
        """How many contacts are found by a word that names it."""
        with transaction(tenant_id=self.tenant.id, mode="live") as tx:
            return tx.one(
                "SELECT count(*) FROM contact_search WHERE words::text LIKE '%%' || %(id)s::text || '%%'", {"id": id_}
            )

    def pending(self) -> int:
        with transaction(tenant_id=self.tenant.id, mode="live") as tx:
            return tx.one("SELECT count(*) FROM pending_removals", {})


@pytest.fixture(params=["list", "tag", "contact_field", "workspace"])
def scene(request: pytest.FixtureRequest, tenant: TestTenant, key: TestKey) -> Scene:
    apps: dict[str, tuple[Handler, str]] = {
        "list": (lists, "/api/v1/lists"), "tag": (tags, "/api/v1/tags"),
        "contact_field": (fields, "/api/v1/contact-fields"), "workspace": (workspaces, "/api/v1/workspaces"),
    }  # fmt: skip
    app, path = apps[request.param]
    # What other tests have left is out of the way of counts of batches.
    run_job(purge)
    token = signed_in(tenant).access_token if request.param == "workspace" else key.plaintext
    return Scene(
        tenant,
        key,
        request.param,
        lambda method, below="", **more: call(app, method, path + below, token=token, **more),
    )


def test_it_is_gone_at_once_while_its_rows_are_still_there(scene: Scene) -> None:
    deleted = scene.make()
    a, _ = scene.give(deleted, "ab")
    assert scene.having(deleted) == ["a", "b"]

    scene.delete(deleted)

    assert (scene.rows(deleted), scene.words(deleted), scene.pending()) == (2, 2, 1)
    assert scene.ask("GET", f"/{deleted}").status == 404
    assert scene.ask("GET").json["data"] == [row for row in scene.ask("GET").json["data"] if row["id"] != deleted]
    shown = scene.api(contacts, "GET", f"{CONTACTS}/{a}")
    assert (shown["tags"], shown["workspace_ids"]) == ([], [])
    if scene.kind == "contact_field":
        refused = call(contacts, "GET", f"{CONTACTS}/search", token=scene.key.plaintext, query={"query": "vip:7"})
        assert (refused.status, "vip" in refused.json["detail"]) == (400, True)
    else:
        assert scene.having(deleted) == scene.having(deleted, status="active") == []
        assert scene.having(deleted, email="a@example.com") == []


def test_its_name_can_be_used_again_and_nobody_of_before_comes_back(
    scene: Scene,
) -> None:
    deleted = scene.make()
    scene.give(deleted, "ab")
    scene.delete(deleted)
    anew = scene.make()
    of_before = ["a", "b"] if scene.kind == "contact_field" else []
    scene.give(anew, "c")

    assert scene.having(anew) == scene.having(anew, limit="5") == [*of_before, "c"], "attributes outlive a declaration"
    run_job(purge)

    assert (scene.rows(deleted), scene.words(deleted), scene.pending()) == (0, 0, 0)
    assert scene.having(anew) == [*of_before, "c"]


@pytest.mark.parametrize("scene", ["tag", "workspace"], indirect=True)
def test_a_negated_rule_finds_those_who_had_it(scene: Scene) -> None:
    deleted = scene.make()
    scene.give(deleted, "ab")
    value = "vip" if scene.kind == "tag" else deleted
    rule = {"not": {"field": scene.kind, "operator": "has", "value": value}}
    made = scene.api(segments, "POST", SEGMENTS, json={"name": "Others", "definition": rule})["id"]
    listed = scene.api(lists, "POST", "/api/v1/lists", json={"name": "Others", "segment_id": made})["id"]
    scene.delete(deleted)

    found = scene.api(lists, "GET", f"/api/v1/lists/{listed}/contacts")

    assert sorted(row["email"][0] for row in found["data"]) == ["a", "b"]


def test_rows_go_in_batches_and_a_job_that_dies_in_between_is_gone_on_with(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted = scene.make()
    kept = scene.give(deleted, "abcde")
    scene.delete(deleted)
    monkeypatch.setattr(service, "BATCH", 2)
    remove, batches = removals.remove, list[int]()

    def dying(*arguments: Any) -> int:
        batches.append(remove(*arguments))
        if len(batches) == 3:
            raise RuntimeError("killed")
        return batches[-1]

    monkeypatch.setattr(removals, "remove", dying)
    with pytest.raises(RuntimeError):
        run_job(purge)
    assert (batches, scene.rows(deleted), scene.words(deleted), scene.pending()) == ([2, 0, 2], 3, 3, 1)

    run_job(purge)

    assert max(batches) == 2
    assert (scene.rows(deleted), scene.words(deleted), scene.pending()) == (0, 0, 0)
    assert [scene.api(contacts, "GET", f"{CONTACTS}/{id_}")["id"] for id_ in kept] == kept
    assert run_job(purge)["done"] == 0


def test_a_contact_that_somebody_changes_is_left_for_later(scene: Scene) -> None:
    deleted = scene.make()
    a, _ = scene.give(deleted, "ab")
    scene.delete(deleted)

    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as somebody:
        somebody.execute("SELECT FROM contacts WHERE id = %s FOR UPDATE", [a])
        run_job(purge)
        assert (scene.rows(deleted), scene.pending()) == (1, 1)

    run_job(purge)
    assert (scene.rows(deleted), scene.pending()) == (0, 0)


def test_rows_of_another_account_are_out_of_reach(scene: Scene, other_tenant: TestTenant) -> None:
    theirs = scene.make()
    scene.give(theirs, "a")
    with transaction(tenant_id=other_tenant.id, mode="live") as tx:
        domain.remove_rows_later(tx, scene.kind, UUID(theirs))  # type: ignore[arg-type]

    run_job(purge)

    assert (scene.rows(theirs), scene.words(theirs), scene.having(theirs)) == (1, 1, ["a"])


TABLES = {
    "list": "contact_lists", "tag": "contact_tags", "contact_field": "contact_field_values", "workspace": "contact_workspaces",
}  # fmt: skip
LINKS: dict[str, LiteralString] = {
    "list": "INSERT INTO contact_lists (tenant_id, mode, contact_id, list_id, contact_created_at)"
    " VALUES (%(tenant_id)s, 'live', %(contact_id)s, %(id)s, now())",
    "tag": "INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)"
    " VALUES (%(tenant_id)s, 'live', %(contact_id)s, %(id)s, now())",
    "contact_field": "INSERT INTO contact_field_values (tenant_id, mode, contact_id, field_id, number_value)"
    " VALUES (%(tenant_id)s, 'live', %(contact_id)s, %(id)s, 1)",
    "workspace": "INSERT INTO contact_workspaces (tenant_id, mode, contact_id, workspace_id, contact_created_at)"
    " VALUES (%(tenant_id)s, 'live', %(contact_id)s, %(id)s, now())",
}


def test_nothing_is_added_to_what_is_not_there(scene: Scene) -> None:
    deleted, contact = scene.make(), scene.contact("a")
    scene.delete(deleted)
    for id_ in (deleted, str(uuid4())):
        params = {"tenant_id": scene.tenant.id, "contact_id": contact, "id": id_}
        with pytest.raises(ForeignKeyViolation), transaction(tenant_id=scene.tenant.id, mode="live") as tx:
            tx.run(LINKS[scene.kind], params)


def test_rows_of_both_modes_go_with_a_workspace(tenant: TestTenant) -> None:
    owner = signed_in(tenant)
    made = owner.call(workspaces, "POST", "/api/v1/workspaces", json={"name": "vip"}).json["id"]
    for mode in ("live", "test"):
        body = {"email": "a@example.com", "workspace_ids": [made]}
        assert call(contacts, "POST", CONTACTS, token=tenant.key(mode=mode).plaintext, json=body).status == 201
    assert owner.call(workspaces, "DELETE", f"/api/v1/workspaces/{made}").status == 200

    run_job(purge)

    for mode in ("live", "test"):
        with transaction(tenant_id=tenant.id, mode=mode) as tx:
            assert tx.all(ROWS["workspace"], {"id": made}) == []


def test_an_export_of_the_account_has_no_rows_of_what_is_deleted(scene: Scene) -> None:
    deleted = scene.make()
    scene.give(deleted, "a")
    scene.delete(deleted)
    owner = signed_in(scene.tenant)
    route = next(o for o in operations() if o.id == "exportAccount")
    export = owner.call(account, "POST", EXPORTS, headers=confirmation(owner, route.requirement)).json

    run_job(export_account)

    shown = owner.call(account, "GET", f"{EXPORTS}/{export['id']}").json
    with transaction(tenant_id=scene.tenant.id, mode="live") as tx:
        names = tx.all("SELECT name::text FROM account_export_parts WHERE export_id = %(id)s", {"id": export["id"]})
    assert shown["status"] == "completed"
    assert "live/contacts-0001.jsonl.gz" in names
    assert not [name for name in names if name.startswith(f"live/{TABLES[scene.kind]}-")]


@pytest.mark.parametrize("at_once", [0, 1, 9])
def test_no_mail_of_a_deleted_campaign_is_sent_and_its_ledger_goes_in_batches(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    run_job(purge)
    for name in "abc":
        add_contact(key, email=f"{name}@example.com")
    campaign = started(key)
    messages = plan(tenant)
    monkeypatch.setattr(campaigns_service, "_CANCELLED_AT_ONCE", at_once)
    assert ask(key, "POST", f"/{campaign}/pause").status == 200
    assert ask(key, "DELETE", f"/{campaign}").status == 200
    waiting = [mail["status"] for mail in mails(tenant)].count("queued")

    assert (ask(key, "GET", f"/{campaign}").status, waiting, len(ledger(tenant))) == (404, max(3 - at_once, 0), 3)
    assert consume(send_campaign_emails, *messages) == []
    assert {mail["attempts"] for mail in mails(tenant)} == {0}

    monkeypatch.setattr(service, "BATCH", 2)
    run_job(purge)

    assert ([mail["status"] for mail in mails(tenant)], ledger(tenant)) == (["cancelled"] * 3, {})
    assert run_job(purge)["done"] == 0
