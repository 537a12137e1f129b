"""An account's own mail server: tried before it is kept, and its mail handed to it and to nobody else."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from emails.app import handler as emails
from local.services.mail import MailCatcher
from local.services.process import free_port
from local.vault import RunningVault
from penguinmails import smtp_connections, vault
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import transaction
from penguinmails.domain import provider_secrets
from penguinmails.settings import ConfigurationError, get_settings
from penguinmails.vault import read_secret, write_secret
from provider_accounts.app import handler as provider_accounts
from send_campaign_emails.app import handler as send_campaign_emails
from send_emails.app import handler as send_emails
from send_platform_mail.app import handler as send_platform_mail
from sweep_emails.app import handler as sweep_emails
from tests.support.campaigns import add_contact, ask, carry_out, mails, plan, started
from tests.support.certificates import Authority, certificate
from tests.support.http import Answer, call
from tests.support.mail_servers import OwnServer, new_password
from tests.support.people import signed_in
from tests.support.providers import ESP
from tests.support.queues import consume, messages_for, run_job
from tests.support.staff import staff
from tests.support.tenants import TestKey, TestTenant, make_tenant
from tests.support.vaults import AsSender, using

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
Start = Callable[..., OwnServer]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom this machine trusts in these tests."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    smtp_connections.close_all()
    provider_secrets.forget()
    yield
    smtp_connections.close_all()


class Chief:
    """A super admin, confirmed once for all of this module; the function has the rights in Vault that it is deployed with."""

    def __init__(self, running_vault: RunningVault) -> None:
        self.person, self._vault = staff("super_admin"), running_vault
        self._proof = self.person.step_up()

    def call(self, method: str, tenant_id: UUID, **request: Any) -> Answer:
        with using(self._vault.environment("staff-service")):
            return self.person.call(method, f"/tenants/{tenant_id}/mail-server", headers=self._proof, **request)


@pytest.fixture(scope="module")
def chief(platform: None, running_vault: RunningVault) -> Chief:
    return Chief(running_vault)


@pytest.fixture
def password_in_vault(running_vault: RunningVault) -> Callable[[TestTenant], str | None]:
    """What Vault has of an account."""

    def read(tenant: TestTenant) -> str | None:
        with using(running_vault.environment("sending-service")):
            secret = read_secret(f"smtp/{tenant.id}/sending")
        return secret and secret.data["password"]

    return read


@pytest.fixture(autouse=True)
def sends(as_sender: AsSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """What sends has the rights in Vault that it is deployed with."""

    def read(path: str, *, version: int | None = None) -> vault.Secret | None:
        with as_sender():
            return read_secret(path, version=version)

    monkeypatch.setattr(provider_secrets, "read_secret", read)


@pytest.fixture
def start(authority: Authority) -> Iterator[Start]:
    """Starts servers for localhost; `context` says with which certificate, if not the authority's."""
    running: list[OwnServer] = []

    def run(context: ssl.SSLContext | None = None, **fields: Any) -> OwnServer:
        server = OwnServer(context or authority.server("localhost"), **fields)
        server.start()
        running.append(server)
        return server

    yield run
    for server in running:
        server.stop()


@pytest.fixture
def own(start: Start) -> OwnServer:
    return start()


class Login:
    """An account that has a server, and what it signs in with."""

    def __init__(self, tenant: TestTenant, server: OwnServer) -> None:
        self.tenant, self.server = tenant, server
        self.username, self.password = f"sending-{uuid4().hex}@example.com", new_password()
        server.logins[self.username] = self.password

    def body(self, **fields: Any) -> dict[str, Any]:
        """What staff enter for it."""
        server = {"host": "localhost", "port": self.server.port, "security": self.server.kind}
        return {**server, "username": self.username, "password": self.password, **fields}

    def set_by(self, chief: Chief, **fields: Any) -> Answer:
        return chief.call("PUT", self.tenant.id, json=self.body(**fields))


def given(chief: Chief, tenant: TestTenant, server: OwnServer) -> Login:
    login = Login(tenant, server)
    answer = login.set_by(chief)
    assert answer.status == 200, answer.body
    return login


def address() -> str:
    return f"{uuid4().hex}@example.com"


def stored(tenant: TestTenant) -> Any:
    with transaction(tenant_id=tenant.id) as tx:
        return tx.one("SELECT to_jsonb(m) FROM mail_servers m", {})


def queue(key: TestKey) -> tuple[str, str]:
    """The id and the recipient of an email that waits to be sent."""
    to = address()
    body = {"to": to, "subject": "Hello", "text_body": "Hello"}
    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body
    return answer.json["id"], to


def send(tenant: TestTenant, key: TestKey) -> tuple[dict[str, Any], str]:
    """An email after one attempt, and its recipient."""
    email_id, to = queue(key)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    return shown(key, email_id), to


def send_again(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL", {})
    run_job(sweep_emails)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    assert consume(send_campaign_emails, *messages_for("campaign_emails", tenant.id)) == []


def shown(key: TestKey, email_id: str) -> Any:
    return call(emails, "GET", f"/api/v1/emails/{email_id}", token=key.plaintext).json


def built_in(tenant: TestTenant) -> Any:
    """The built-in server as the account's admins see it."""
    answer = call(provider_accounts, "GET", f"{ESP}/providers", token=signed_in(tenant).access_token)
    assert answer.status == 200, answer.body
    return answer.json["data"][0]


def told(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT variables FROM mail_outbox WHERE type = 'mail_server_refused'", {})


# ---- Set by staff ----------------------------------------------------------------------------------------------------


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


# ---- Sending ---------------------------------------------------------------------------------------------------------


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


def owners(tenant: TestTenant) -> int:
    with transaction(tenant_id=tenant.id) as tx:
        return tx.one(
            "SELECT count(*) FROM users WHERE role IN ('owner', 'admin') AND email_verified_at IS NOT NULL", {}
        )


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


# ---- The platform's own server ---------------------------------------------------------------------------------------


@pytest.fixture
def platforms(start: Start, running_vault: RunningVault) -> Iterator[OwnServer]:
    """The platform's server with STARTTLS and a login that stands in Vault."""
    server = start()
    server.logins["platform"] = new_password()
    running_vault.operator.secrets.kv.v2.create_or_update_secret(
        "platform/smtp", {"username": "platform", "password": server.logins["platform"]}, cas=0, mount_point="secret"
    )
    with using({"SMTP_HOST": "localhost", "SMTP_PORT": str(server.port), "SMTP_SECURITY": "starttls"}):
        yield server
    running_vault.operator.secrets.kv.v2.delete_metadata_and_all_versions("platform/smtp", mount_point="secret")
    provider_secrets.forget()


def test_the_platforms_server_is_signed_in_to_with_what_vault_has(
    tenant: TestTenant, key: TestKey, platforms: OwnServer, running_vault: RunningVault, as_sender: AsSender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from penguinmails.domain.platform_mail import queue_mail

    person = signed_in(tenant)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        queue_mail(tx, user_id=person.id, mail_type="account_exists", dedupe_key=uuid4().hex)
    monkeypatch.setattr(provider_secrets, "read_secret", read_secret)
    email_id, to = queue(key)
    with using(running_vault.environment("platform-mail-service")):
        assert consume(send_platform_mail, *messages_for("platform_mail", tenant.id)) == []
    smtp_connections.close_all()
    provider_secrets.forget()
    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert shown(key, email_id)["status"] == "sent"
    assert {(platforms.to(name).login, platforms.to(name).is_encrypted) for name in (person.email, to)} == {
        ("platform", True)
    }


def test_a_wrong_password_of_the_platform_blames_no_account(
    tenant: TestTenant, key: TestKey, platforms: OwnServer
) -> None:
    platforms.logins["platform"] = new_password()
    add_contact(key)
    campaign_id = started(key)
    carry_out(tenant)
    email, _ = send(tenant, key)

    assert ask(key, "GET", f"/{campaign_id}").json["status"] == "active"
    assert {mail["status"] for mail in mails(tenant)} == {"queued"}
    assert email["status"] == "queued"
    assert (built_in(tenant)["status"], told(tenant)) == ("active", [])


def test_without_starttls_the_platforms_server_gets_nothing(tenant: TestTenant, key: TestKey, start: Start) -> None:
    server = start(kind="none", asks_for_login=False)
    with using({"SMTP_HOST": "localhost", "SMTP_PORT": str(server.port), "SMTP_SECURITY": "starttls"}):
        email, _ = send(tenant, key)

    assert (email["status"], server.mails) == ("queued", [])
    assert "offers no STARTTLS" in email["error"]


def test_a_server_that_wants_a_login_that_nobody_has_given_us_loses_no_mail(
    tenant: TestTenant, key: TestKey, start: Start
) -> None:
    server = start()
    with using({"SMTP_HOST": "localhost", "SMTP_PORT": str(server.port), "SMTP_SECURITY": "starttls"}):
        email, _ = send(tenant, key)

    assert (email["status"], email["error"][:3]) == ("queued", "530")


def test_deployed_the_platforms_mail_never_travels_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = {
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "ALLOW_LOCALHOST_WEBHOOKS": "false",
        "PLATFORM_SECRETS_FILE": "",
        "VAULT_ADDR": "https://vault.example",
        "SMTP_SECURITY": "none",
    }
    for name, value in deployed.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    try:
        with pytest.raises(
            ConfigurationError, match="SMTP_SECURITY none is for one machine; set it to starttls or tls"
        ):
            get_settings()
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
