"""An account's own mail server: tried before it is kept, its password in Vault alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.services.mail import MailCatcher
from local.services.process import free_port
from local.vault import RunningVault
from penguinmails import smtp_connections, vault
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import transaction
from penguinmails.settings import get_settings
from penguinmails.vault import write_secret
from tests.support.certificates import Authority, certificate
from tests.support.mail_servers import OwnServer, new_password
from tests.support.mail_servers_of_accounts import Chief, Login, Start, built_in, given, send, stored
from tests.support.staff import staff
from tests.support.tenants import TestKey, TestTenant
from tests.support.vaults import using

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


def test_a_server_is_kept_with_its_password_in_vault_alone(
    chief: Chief, tenant: TestTenant, own: OwnServer, password_in_vault: Callable[[TestTenant], str | None]
) -> None:
    login = Login(tenant, own)

    answer = login.set_by(chief)
    shown_again = chief.call("GET", tenant.id)

    assert answer.status == 200, answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json["host"], answer.json["port"], answer.json["security"]) == ("localhost", own.port, "starttls")
    assert (answer.json["username"], answer.json["status"]) == (login.username, "active")
    assert shown_again.json == answer.json
    assert login.password not in answer.body + shown_again.body + str(stored(tenant))
    assert password_in_vault(tenant) == login.password
    assert own.mails == []


def test_what_staff_do_with_a_server_is_in_the_accounts_audit_log(
    chief: Chief, tenant: TestTenant, own: OwnServer
) -> None:
    login = given(chief, tenant, own)
    chief.call("GET", tenant.id)
    assert chief.call("DELETE", tenant.id).status == 204

    with transaction(tenant_id=tenant.id) as tx:
        trail = tx.all(
            "SELECT to_jsonb(a) FROM audit_log a WHERE resource_type = 'mail_server' ORDER BY created_at", {}
        )
    assert [row["event"] for row in trail] == ["mail_server_set", "mail_server_viewed", "mail_server_removed"]
    assert {(row["actor_type"], row["actor_id"], row["details"]["username"]) for row in trail} == {
        ("staff", str(chief.person.id), login.username)
    }


def test_implicit_tls_is_spoken_where_it_is_asked_for(chief: Chief, tenant: TestTenant, start: Start) -> None:
    server = start(kind="tls")
    login = given(chief, tenant, server)
    _, to = send(tenant, tenant.key())

    mail = server.to(to)
    assert (mail.login, mail.is_encrypted) == (login.username, True)


def test_a_server_of_this_machine_may_do_without_tls(chief: Chief, tenant: TestTenant, start: Start) -> None:
    server = start(kind="none")

    assert Login(tenant, server).set_by(chief).status == 200


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"password": "no-such-password"}, "password", "does not take the user name and password (535"),
        ({"username": "nobody@example.com"}, "password", "does not take the user name and password (535"),
        ({"security": "tls"}, "security", "does not speak TLS"),
        ({"port": 1}, "port", "must be 25, 465, 587, 2525 or from 1024 on"),
        ({"host": "10.0.0.1"}, "host", "is not an address on the public Internet"),
        ({"host": "169.254.169.254"}, "host", "is not an address on the public Internet"),
        ({"host": "2130706434.example.invalid"}, "host", "cannot be reached"),
        ({"host": "8.8.8.8", "security": "none"}, "security", "never travels in the clear"),
        ({"host": "smtp://mail.example.com"}, "host", "match"),
        ({"username": "a b"}, "username", "match"),
        ({"password": ""}, "password", "character"),
        ({"security": "ssl"}, "security", "'starttls', 'tls' or 'none'"),
    ],
)
def test_a_server_that_cannot_be_used_is_not_kept(
    chief: Chief, tenant: TestTenant, own: OwnServer, fields: dict[str, Any], field: str, says: str
) -> None:
    answer = Login(tenant, own).set_by(chief, **fields)

    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.json["errors"][0]["field"] == field
    assert says in answer.json["errors"][0]["message"]
    assert stored(tenant) is None


def test_the_password_of_a_server_that_cannot_be_used_is_not_kept(
    chief: Chief, tenant: TestTenant, own: OwnServer, password_in_vault: Callable[[TestTenant], str | None]
) -> None:
    assert Login(tenant, own).set_by(chief, username="nobody").status == 400

    assert password_in_vault(tenant) is None


def test_a_port_at_which_nobody_listens_is_named(chief: Chief, tenant: TestTenant) -> None:
    server = OwnServer(None, port=free_port())
    answer = Login(tenant, server).set_by(chief)

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "port")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    chief: Chief, tenant: TestTenant, start: Start, tmp_path: Path
) -> None:
    server = start(certificate(tmp_path, days=9))
    answer = Login(tenant, server).set_by(chief)

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "host")
    assert "certificate is not valid for localhost (self-signed certificate)" in answer.body
    assert (stored(tenant), server.attempts) == (None, 0)


@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_a_certificate_of_another_host_is_refused(
    chief: Chief, tenant: TestTenant, start: Start, authority: Authority, kind: str
) -> None:
    server = start(authority.server("mail.example.com"), kind=kind)
    answer = Login(tenant, server).set_by(chief)

    assert answer.status == 400
    assert "certificate is not valid for localhost" in answer.body
    assert server.attempts == 0


def test_a_server_that_offers_no_starttls_is_told_no_password(chief: Chief, tenant: TestTenant, start: Start) -> None:
    server = start(kind="none")
    answer = Login(tenant, server).set_by(chief, security="starttls")

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "security")
    assert "offers no STARTTLS" in answer.body
    assert (stored(tenant), server.attempts) == (None, 0)


def test_a_server_that_nobody_can_sign_in_to_is_refused(chief: Chief, tenant: TestTenant, start: Start) -> None:
    answer = Login(tenant, start(asks_for_login=False)).set_by(chief)

    assert answer.status == 400
    assert stored(tenant) is None


def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(
    chief: Chief, tenant: TestTenant, own: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = [(2, 1, 6, "", ("10.0.0.1", own.port))]
    monkeypatch.setattr(smtp_connections.socket, "getaddrinfo", lambda *_arguments, **_options: inside)

    answer = Login(tenant, own).set_by(chief, host="mail.example.com")

    assert answer.status == 400
    assert "not on the public Internet" in answer.body


def test_loopback_is_for_development_alone(
    chief: Chief, tenant: TestTenant, own: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_LOCALHOST_WEBHOOKS", "false")
    get_settings.cache_clear()
    try:
        for host in ("localhost", "127.0.0.1", "2130706433"):
            answer = Login(tenant, own).set_by(chief, host=host)
            assert (answer.status, answer.json["errors"][0]["code"]) == (400, "not_public")
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


def test_the_port_follows_from_the_security_when_none_is_named(
    chief: Chief, tenant: TestTenant, own: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def note(server: smtp_connections.MailServer) -> None:
        asked.append(server.port)

    monkeypatch.setattr(smtp_connections, "check", note)
    for security in ("starttls", "tls"):
        assert Login(tenant, own).set_by(chief, security=security, port=None).status == 200
    assert asked == [587, 465]


def test_only_a_super_admin_with_a_fresh_confirmation_sets_or_removes_a_server(
    chief: Chief, tenant: TestTenant, own: OwnServer
) -> None:
    body, path = Login(tenant, own).body(), f"/tenants/{tenant.id}/mail-server"

    for role in ("admin", "support", "ops"):
        somebody = staff(role)
        assert somebody.call("PUT", path, json=body).status == 403
        assert somebody.call("DELETE", path).status == 403
        assert somebody.call("GET", path).status == 404
    for method in ("PUT", "DELETE"):
        assert chief.person.call(method, path, json=body).code == "REAUTHENTICATION_REQUIRED"
    assert staff("finance").call("GET", path).status == 403
    assert own.attempts == 0


def test_an_account_that_is_not_there_or_closed_gets_no_server(
    chief: Chief, tenant: TestTenant, own: OwnServer
) -> None:
    body = Login(tenant, own).body()
    for nobody in (uuid4(), PLATFORM_TENANT_ID):
        assert chief.call("PUT", nobody, json=body).status == 404
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE tenants SET status = 'canceled'", {})

    answer = chief.call("PUT", tenant.id, json=body)

    assert (answer.status, answer.code, own.attempts) == (409, "INVALID_STATE_TRANSITION", 0)


def test_while_vault_is_away_nothing_is_kept(
    chief: Chief, tenant: TestTenant, own: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_path: str) -> int:
        raise vault.VaultUnavailable("The secret store cannot be reached right now.")

    monkeypatch.setattr("staff.mail_servers.newest_version", away)

    assert Login(tenant, own).set_by(chief).status == 503
    assert stored(tenant) is None


def test_a_password_whose_row_was_not_committed_is_not_used(
    chief: Chief, tenant: TestTenant, own: OwnServer, running_vault: RunningVault
) -> None:
    login = given(chief, tenant, own)
    with using(running_vault.environment("staff-service")):
        write_secret(f"smtp/{tenant.id}/sending", {"password": new_password()}, expected_version=1)
    smtp_connections.close_all()

    email, to = send(tenant, tenant.key())

    assert (email["status"], own.to(to).login) == ("sent", login.username)


def test_removing_a_server_removes_its_password_and_the_platforms_server_takes_over(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer, mail_catcher: MailCatcher,
    password_in_vault: Callable[[TestTenant], str | None],
) -> None:  # fmt: skip
    given(chief, tenant, own)

    assert chief.call("DELETE", tenant.id).status == 204

    assert password_in_vault(tenant) is None
    assert chief.call("DELETE", tenant.id).status == 404
    assert chief.call("GET", tenant.id).status == 404
    _, to = send(tenant, key)
    assert len(mail_catcher.mails_to(to)) == 1
    assert own.mails == []


def test_a_server_that_was_removed_and_set_again_is_signed_in_to_with_the_new_password(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer
) -> None:
    given(chief, tenant, own)
    send(tenant, key)
    chief.call("DELETE", tenant.id)
    second = given(chief, tenant, own)

    email, to = send(tenant, key)

    assert (email["status"], own.to(to).login) == ("sent", second.username)


# ---- What its admins see ---------------------------------------------------------------------------------------------


def test_admins_see_whether_the_server_is_their_own(
    chief: Chief, tenant: TestTenant, other_tenant: TestTenant, own: OwnServer
) -> None:
    before = built_in(tenant)
    given(chief, tenant, own)

    assert (before["provider"], before["status"], before["server"], before["host"]) == (
        "smtp",
        "active",
        "shared",
        None,
    )
    after = built_in(tenant)
    assert (after["status"], after["server"], after["host"]) == ("active", "own", "localhost")
    assert built_in(other_tenant)["server"] == "shared"
