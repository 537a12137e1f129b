"""An account's mail is handed to its own server and to nobody else, and waits while that takes none."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.services.mail import MailCatcher
from penguinmails import smtp_connections, vault
from penguinmails.db import transaction
from penguinmails.domain import provider_secrets
from send_campaign_emails.app import handler as send_campaign_emails
from send_emails.app import handler as send_emails
from send_platform_mail.app import handler as send_platform_mail
from tests.support.campaigns import add_contact, ask, carry_out, mails, plan, started
from tests.support.certificates import Authority, certificate
from tests.support.mail_servers import OwnServer, new_password
from tests.support.mail_servers_of_accounts import (
    Chief,
    address,
    built_in,
    given,
    owners,
    queue,
    send,
    send_again,
    shown,
    stored,
    told,
)
from tests.support.people import signed_in
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant, make_tenant

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


def test_single_mails_go_out_by_the_accounts_own_server_over_a_kept_connection(
    chief: Chief, tenant: TestTenant, own: OwnServer, mail_catcher: MailCatcher
) -> None:
    login, key = given(chief, tenant, own), tenant.key()
    found = [queue(key) for _ in range(2)]
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    taken = [own.to(to) for _, to in found]
    assert {shown(key, email_id)["status"] for email_id, _ in found} == {"sent"}
    assert {(mail.login, mail.is_encrypted) for mail in taken} == {(login.username, True)}
    assert len({mail.connection for mail in taken}) == 1
    assert [mail_catcher.mails_to(to) for _, to in found] == [[], []]


def test_campaigns_and_their_test_mails_go_out_by_the_accounts_own_server(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer
) -> None:
    login = given(chief, tenant, own)
    person, tester = address(), address()
    add_contact(key, email=person)
    campaign_id = started(key)
    assert ask(key, "POST", f"/{campaign_id}/test", json={"to": [tester], "values": {"email": tester}}).status == 200

    carry_out(tenant)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert {own.to(to).login for to in (person, tester)} == {login.username}


def test_in_test_mode_no_server_hears_of_a_mail(chief: Chief, tenant: TestTenant, own: OwnServer) -> None:
    given(chief, tenant, own)

    email, _ = send(tenant, tenant.key(mode="test"))

    assert (email["provider"], own.mails) == ("simulated", [])


def test_the_platforms_own_mail_goes_by_the_platforms_server(
    chief: Chief, tenant: TestTenant, own: OwnServer, mail_catcher: MailCatcher
) -> None:
    person = signed_in(tenant)
    given(chief, tenant, own)
    from penguinmails.domain.platform_mail import queue_mail

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        queue_mail(tx, user_id=person.id, mail_type="account_exists", dedupe_key=uuid4().hex)
    assert consume(send_platform_mail, *messages_for("platform_mail", tenant.id)) == []

    assert len(mail_catcher.mails_to(person.email)) == 1
    assert own.mails == []


def test_two_accounts_on_one_server_never_share_a_connection(chief: Chief, own: OwnServer) -> None:
    logins = [given(chief, make_tenant(), own) for _ in range(2)]
    keys = [login.tenant.key() for login in logins]

    found = [
        (login, own.to(send(login.tenant, key)[1])) for _ in range(3) for login, key in zip(logins, keys, strict=True)
    ]

    assert {(mail.login == login.username) for login, mail in found} == {True}
    connections = {login.username: {mail.connection for by, mail in found if by is login} for login in logins}
    assert [len(ports) for ports in connections.values()] == [1, 1]
    assert len(set.union(*connections.values())) == 2


def test_no_more_than_eight_connections_are_kept(chief: Chief, own: OwnServer) -> None:
    for _ in range(10):
        login = given(chief, make_tenant(), own)
        send(login.tenant, login.tenant.key())

    assert len(smtp_connections._kept) == 8  # pyright: ignore[reportPrivateUsage]


def test_after_a_change_of_password_the_next_mail_signs_in_anew(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer
) -> None:
    login = given(chief, tenant, own)
    _, first = send(tenant, key)
    login.password = own.logins[login.username] = new_password()
    assert login.set_by(chief).status == 200

    email, second = send(tenant, key)

    assert email["status"] == "sent"
    assert own.to(first).connection != own.to(second).connection
    assert stored(tenant)["secret_version"] == 2


def test_with_a_wrong_password_mails_wait_admins_are_told_once_and_a_new_password_sends_them(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer
) -> None:
    signed_in(tenant)
    login = given(chief, tenant, own)
    own.logins[login.username], to_be_told = new_password(), owners(tenant)

    first, to = send(tenant, key)
    tries = own.attempts
    second, _ = send(tenant, key)

    reason = "the mail server does not take the user name and password (535 5.7.8)"
    assert {email["status"] for email in (first, second)} == {"queued"}
    assert first["error"].startswith(f"{reason}; the mail waits for it until")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.all("SELECT DISTINCT attempts FROM emails", {}) == [0]
    assert own.attempts == tries, "a password that was refused is not tried again at once"
    assert told(tenant) == [{"host": "localhost", "reason": reason}] * to_be_told
    state = built_in(tenant)
    assert (state["status"], state["status_detail"]) == ("error", reason)
    assert chief.call("GET", tenant.id).json["status"] == "error"

    login.password = own.logins[login.username]
    assert login.set_by(chief).status == 200
    send_again(tenant)
    assert shown(key, first["id"])["status"] == "sent"
    assert own.to(to).login == login.username
    assert built_in(tenant)["status"] == "active"


def test_a_mail_that_waited_three_days_for_a_password_fails(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer
) -> None:
    login = given(chief, tenant, own)
    own.logins[login.username] = new_password()
    email, _ = send(tenant, key)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET created_at = created_at - interval '4 days'", {})

    send_again(tenant)

    found = shown(key, email["id"])
    assert (found["status"], found["error"].endswith("nobody put that right within three days")) == ("failed", True)


def test_with_a_wrong_password_a_campaign_rests_and_loses_nobody(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer
) -> None:
    signed_in(tenant)
    login = given(chief, tenant, own)
    people = [address() for _ in range(3)]
    for email in people:
        add_contact(key, email=email)
    campaign_id = started(key)
    own.logins[login.username] = new_password()
    tries = own.attempts

    assert consume(send_campaign_emails, *plan(tenant)) == []

    campaign = ask(key, "GET", f"/{campaign_id}").json
    assert (campaign["status"], campaign["paused_reason"]) == ("paused", "provider_refused")
    assert "user name and password" in campaign["paused_detail"]
    assert {(mail["status"], mail["attempts"]) for mail in mails(tenant)} == {("queued", 0)}
    assert len(told(tenant)) == owners(tenant)
    assert built_in(tenant)["status"] == "error"
    methods = 2  # PLAIN and LOGIN
    assert own.attempts - tries <= methods, "one try for all mails"

    login.password = own.logins[login.username]
    assert login.set_by(chief).status == 200
    assert ask(key, "POST", f"/{campaign_id}/start").status == 200
    send_again(tenant)
    assert {own.to(email).login for email in people} == {login.username}


def test_a_certificate_that_has_become_wrong_makes_mails_wait_and_the_state_heals_by_itself(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer, authority: Authority, tmp_path: Path
) -> None:
    given(chief, tenant, own)
    own.stop()
    trusted_context, own.context = own.context, certificate(tmp_path, days=9)
    own.start()
    email, to = send(tenant, key)
    assert (email["status"], own.mails) == ("queued", [])
    assert "certificate is not valid" in built_in(tenant)["status_detail"]

    own.stop()
    own.context = trusted_context
    own.start()
    smtp_connections.close_all()
    send_again(tenant)

    assert shown(key, email["id"])["status"] == "sent"
    assert own.to(to).is_encrypted
    assert (built_in(tenant)["status"], built_in(tenant)["status_detail"]) == ("active", None)


def test_a_server_that_no_longer_offers_starttls_gets_nothing(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer
) -> None:
    given(chief, tenant, own)
    own.stop()
    own.kind = "none"
    own.start()

    email, _ = send(tenant, key)

    assert email["status"] == "queued"
    assert "offers no STARTTLS" in email["error"]
    assert (own.mails, own.attempts) == ([], 1)


def test_a_server_out_of_reach_costs_an_attempt_and_holds_up_nobody(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(chief, tenant, own)
    own.stop()
    first, to = send(tenant, key)
    assert (first["status"], first["error"]) == ("queued", "the mail server cannot be reached (ConnectionRefusedError)")
    assert built_in(tenant)["status"] == "active"
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT attempts FROM emails", {}) == 1

    def count_calls(*_arguments: Any) -> Any:
        raise AssertionError("it was tried again at once")

    with monkeypatch.context() as patched:
        patched.setattr(smtp_connections, "_open", count_calls)
        assert send(tenant, key)[0]["status"] == "queued"

    own.start()
    smtp_connections.close_all()
    send_again(tenant)
    assert own.to(to).is_encrypted


def test_while_vault_is_away_mails_wait(
    chief: Chief, tenant: TestTenant, key: TestKey, own: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(chief, tenant, own)

    def away(*_arguments: Any, **_options: Any) -> Any:
        raise vault.VaultUnavailable("The secret store cannot be reached right now.")

    monkeypatch.setattr(provider_secrets, "read_secret", away)
    email, _ = send(tenant, key)

    assert (email["status"], email["error"]) == ("queued", "the mail server's password cannot be read just now")
