"""Closing an account: suspended at once, kept for thirty days, then erased everywhere, and nobody else's data with it."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from account.app import handler
from contacts.app import handler as contacts_handler
from database.migrate import migrate
from erase_tenant.app import handler as erase_handler
from local.services.postgres import Postgres
from local.vault import RunningVault
from penguinmails import aws, vault
from penguinmails.cache import command
from penguinmails.clock import now
from penguinmails.db import close_connection, transaction
from tests.support.catalogue import tables
from tests.support.http import Answer, call
from tests.support.operations import operations
from tests.support.people import Person, signed_in
from tests.support.queues import run_job
from tests.support.resources import FIRST, IN_A_STATE, MODES, Account, confirmation, make_path
from tests.support.sample_rows import insert_row, relax
from tests.support.staff import staff
from tests.support.tenants import TestTenant, make_tenant
from tests.support.vaults import using

CLOSING = "/api/v1/account/closing"


@pytest.fixture
def owner(tenant: TestTenant) -> Person:
    return signed_in(tenant)


def ask(person: Person, method: str, path: str = CLOSING, **request: Any) -> Answer:
    route = next(o for o in operations() if o.method == method and o.path == path)
    headers = confirmation(person, route.requirement)
    return call(handler, method, path, token=person.access_token, headers=headers, **request)


def close(person: Person) -> None:
    assert ask(person, "POST", json={"account_name": "Test tenant"}).status == 202


def let_time_pass(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE tenants SET closes_at = now() - interval '1 second'", {})


@pytest.fixture
def erase(running_vault: RunningVault) -> Callable[[], None]:
    """Runs the job once, with no more rights in Vault than it has when it is deployed."""

    def run() -> None:
        with using(running_vault.environment("closing-service")):
            run_job(erase_handler)

    return run


def tenant_tables() -> list[str]:
    """Every table, partitions aside, that names a tenant in its rows; the account's own too."""
    found = tables(os.environ["MIGRATIONS_DATABASE_URL"])
    return [t.name for t in found if t.parent is None and (t.has("tenant_id") or t.name == "tenants")]


def as_the_database_has_it(tenant_id: UUID) -> dict[str, int]:
    """How many rows of a tenant each table holds."""
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        return {
            table: connection.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE {} = %s").format(
                    sql.Identifier(table), sql.Identifier("id" if table == "tenants" else "tenant_id")
                ),
                [tenant_id],
            ).fetchone()[0]  # type: ignore[index]
            for table in tenant_tables()
        }


# ---- Closing, and keeping after all --------------------------------------------------------------------------------------


def test_an_account_that_closes_may_be_read_but_not_changed_and_each_owner_is_told(
    tenant: TestTenant, owner: Person
) -> None:
    key = tenant.key()
    answer = ask(owner, "POST", json={"account_name": "Test tenant"})

    assert answer.status == 202
    assert answer.json["is_closing"]
    assert ask(owner, "GET").json == answer.json
    with transaction(tenant_id=tenant.id) as tx:
        closes_at = tx.one("SELECT closes_at FROM tenants", {})
        assert tx.all("SELECT type FROM mail_outbox WHERE user_id = %(id)s", {"id": owner.id}) == ["account_closing"]
    assert timedelta(days=29, hours=23) < closes_at - now() <= timedelta(days=30)
    assert call(contacts_handler, "GET", "/api/v1/contacts", token=key.plaintext).status == 200
    refused = call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json={"email": "a@example.com"})
    assert (refused.status, refused.code) == (403, "SUBSCRIPTION_SUSPENDED")


def test_the_name_must_be_the_account_s(owner: Person) -> None:
    answer = ask(owner, "POST", json={"account_name": "test tenant"})

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "account_name")
    assert not ask(owner, "GET").json["is_closing"]


def test_an_account_is_closed_once_and_kept_once(tenant: TestTenant, owner: Person) -> None:
    key = tenant.key()
    close(owner)

    again = ask(owner, "POST", json={"account_name": "Test tenant"})
    kept = ask(owner, "DELETE")
    kept_again = ask(owner, "DELETE")

    assert (again.status, again.code) == (409, "INVALID_STATE_TRANSITION")
    assert (kept.status, kept.json["is_closing"]) == (200, False)
    assert (kept_again.status, kept_again.code) == (409, "INVALID_STATE_TRANSITION")
    body = {"email": "a@example.com"}
    assert call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=body).status == 201


def test_an_account_that_was_suspended_before_is_suspended_again_when_it_is_kept(
    tenant: TestTenant, owner: Person
) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE tenants SET status = 'suspended'", {})
    close(owner)

    assert ask(owner, "DELETE").status == 200

    with transaction(tenant_id=tenant.id) as tx:
        assert tx.one("SELECT status FROM tenants", {}) == "suspended"


def test_an_account_that_staff_reinstate_is_no_longer_closed(tenant: TestTenant, owner: Person) -> None:
    close(owner)
    path = f"/tenants/{tenant.id}/reinstate"
    answer = staff().confirmed("POST", path, json={"reason": "asked by phone"})

    assert answer.status == 200, answer.body
    assert not ask(owner, "GET").json["is_closing"]


# ---- Erasing -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def full_account() -> Account:
    """An account that has used everything there is, in both modes."""
    account = Account()
    of_an_account = [
        o for o in operations() if o.requirement.kind in {"scoped", "any", "session"} and o.path_parameters
    ]
    # Where no operation wants them in a state of their own, the same things serve all operations on them.
    by_things = {o.id if o.id in {*FIRST, *IN_A_STATE} else tuple(o.path_parameters): o for o in of_an_account}
    for operation in by_things.values():
        for mode in MODES:
            make_path(operation, account, mode)
    return account


def test_nothing_of_an_account_is_left_and_nothing_of_another_is_touched(
    full_account: Account, erase: Callable[[], None], running_vault: RunningVault
) -> None:
    tenant, other = full_account.tenant, make_tenant()
    other_key = other.key()
    files = f"{tenant.id}/"
    aws.store_object(f"{files}left-over", b"x", "text/plain")
    aws.store_object(f"{other.id}/kept", b"x", "text/plain")
    digests = [tenant.key().digest]
    for somebody in (tenant.id, other.id):
        running_vault.operator.secrets.kv.v2.create_or_update_secret(
            f"smtp/{somebody}/sending", {"password": "x"}, cas=0, mount_point="secret"
        )
    assert len([name for name, rows in as_the_database_has_it(tenant.id).items() if rows]) >= 25
    others = as_the_database_has_it(other.id)
    close(full_account.person)
    let_time_pass(tenant)

    erase()

    left = {name: rows for name, rows in as_the_database_has_it(tenant.id).items() if rows}
    assert set(left) == {"tenants", "audit_log"}
    assert aws.list_objects(files, 10) == []
    assert aws.list_objects(f"{other.id}/", 10) == [f"{other.id}/kept"]
    with using(running_vault.environment("closing-service")):
        kinds = vault.list_kinds()
        assert {"api_keys", "smtp"} <= {*kinds}
        assert [kind for kind in kinds if vault.list_secrets(f"{kind}/{tenant.id}")] == []
        assert vault.list_secrets(f"api_keys/{other.id}") == [str(other_key.id)]
        assert vault.list_secrets(f"smtp/{other.id}") == ["sending"]
    for digest in digests:
        assert not [name for name in every_redis_key() if digest.hex() in name]
    named = [name for name in every_redis_key() if str(tenant.id) in name or tenant.id.hex in name]
    assert [name for name in named if int(command("TTL", name)) < 0] == []
    assert as_the_database_has_it(other.id) == others


def forget_connections() -> None:
    for role in ("app", "jobs"):
        close_connection(role)


@pytest.fixture
def tenants_with_a_row_in_every_table(postgres: Postgres, running_vault: RunningVault) -> Iterator[tuple[UUID, UUID]]:
    """Two of them, in a database of their own, whatever the columns; the first is closed and its time has come."""
    database, closed, other = "erasure", uuid4(), uuid4()
    postgres.create_database(database)
    migrate(postgres.url(database))
    found = tables(postgres.url(database))
    with psycopg.connect(postgres.url(database)) as connection:
        relax(connection)
        for table in found:
            if table.name not in tenant_tables():
                continue
            for tenant_id in (closed, other):
                for mode in MODES if table.has("mode") else MODES[:1]:
                    insert_row(connection, table, tenant_id, mode)
        connection.execute("UPDATE tenants SET closes_at = NULL, erased_at = NULL, status = 'active', settings = '{}'")
        connection.execute(
            "UPDATE tenants SET closes_at = now(), status_before_closing = 'active' WHERE id = %s", [closed]
        )
    names = {"DATABASE_URL": "penguinmails_app", "JOBS_DATABASE_URL": "penguinmails_jobs"}
    urls = {name: postgres.url(database, role) for name, role in names.items()}
    with using(
        {**urls, "MIGRATIONS_DATABASE_URL": postgres.url(database), **running_vault.environment("closing-service")}
    ):
        forget_connections()
        yield closed, other
    forget_connections()


def test_every_table_that_there_is_is_emptied_of_a_closed_account(
    tenants_with_a_row_in_every_table: tuple[UUID, UUID],
) -> None:
    closed, other = tenants_with_a_row_in_every_table
    others = as_the_database_has_it(other)
    assert len(others) >= 50
    assert 0 not in others.values()

    run_job(erase_handler)

    assert {name for name, rows in as_the_database_has_it(closed).items() if rows} == {"tenants", "audit_log"}
    assert as_the_database_has_it(other) == others


def every_redis_key() -> list[str]:
    return [name.decode() if isinstance(name, bytes) else name for name in command("KEYS", "*")]


def test_what_is_left_is_a_confirmation_without_names_or_addresses(
    tenant: TestTenant, owner: Person, erase: Callable[[], None]
) -> None:
    call(contacts_handler, "POST", "/api/v1/contacts", token=tenant.key().plaintext, json={"email": "a@example.com"})
    close(owner)
    let_time_pass(tenant)

    erase()
    erase()

    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT name, status, settings, closing_requested_by, erased FROM tenants WHERE id = %s", [tenant.id]
        ).fetchone()
        trail = connection.execute(
            "SELECT event, ip_address, user_agent FROM audit_log WHERE tenant_id = %s ORDER BY created_at", [tenant.id]
        ).fetchall()
    assert row is not None
    assert row[:4] == ("Closed account", "canceled", {}, None)
    assert (row[4]["contacts"], row[4]["users"]) == (1, 2)
    assert [event for event, *_ in trail][-3:] == ["account_closing", "account_closed", "account_erased"]
    assert {(ip, agent) for _, ip, agent in trail} == {(None, None)}


def test_an_account_is_not_erased_before_its_time_nor_when_it_was_kept(
    tenant: TestTenant, owner: Person, erase: Callable[[], None]
) -> None:
    before = as_the_database_has_it(tenant.id)["users"]
    close(owner)
    erase()
    assert as_the_database_has_it(tenant.id)["users"] == before

    assert ask(owner, "DELETE").status == 200
    erase()
    assert as_the_database_has_it(tenant.id)["users"] == before


def test_the_database_itself_refuses_to_erase_an_account_that_is_not_closed(tenant: TestTenant) -> None:
    with (
        pytest.raises(psycopg.errors.RaiseException, match="not to be erased"),
        transaction(role="jobs", tenant_id=tenant.id, mode="live") as tx,
    ):
        tx.one("SELECT erase_rows_of_tenant('contacts', 10)", {})


def test_a_small_account_takes_a_few_steps_whatever_the_number_of_tables_that_hold_something(
    tenant: TestTenant, owner: Person, running_vault: RunningVault, erase: Callable[[], None]
) -> None:
    from erase_tenant import service

    tenant.key()
    erase()
    close(owner)
    let_time_pass(tenant)

    with using(running_vault.environment("closing-service")):
        steps = [service.erase() for _ in range(5)]

    # It is shut, its secrets go, then its rows, then its name; and no further account is due.
    assert [removed > 0 for removed in steps] == [True, True, True, True, False]


def test_an_erasure_that_breaks_off_goes_on_where_it_stopped(
    tenant: TestTenant,
    owner: Person,
    running_vault: RunningVault,
    erase: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from erase_tenant import service

    key = tenant.key()
    for name in "abc":
        body = {"email": f"{name}@example.com"}
        assert call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=body).status == 201
    close(owner)
    let_time_pass(tenant)

    with using(running_vault.environment("closing-service")), monkeypatch.context() as patch:
        patch.setattr(service, "BATCH", 1)
        patch.setattr(service, "_BATCHES_PER_STEP", 1)
        for _ in range(6):
            service.erase()
    erase()

    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        erased = connection.execute("SELECT erased FROM tenants WHERE id = %s", [tenant.id]).fetchone()
    assert erased is not None
    assert erased[0]["contacts"] == 3
