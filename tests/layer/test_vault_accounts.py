"""What each service account may do, before the stand-in and the real server alike."""

import json
from collections.abc import Iterator
from uuid import uuid4

import hvac
import hvac.exceptions
import pytest

from local.services.process import ServiceError
from local.vault import RunningVault
from local.vault_accounts import ACCOUNTS, STAFF_POLICIES
from penguinmails import vault
from penguinmails.vault import VaultRefused, read_secret, write_secret
from tests.support.vaults import BOTH, client_of, start_kind, using

TENANT = "7b0c1f0e-6d7c-4d1f-9a35-0a8f7e1d2c3b"
API_KEY, WEBHOOK, ESP, CRM = (f"secret/data/{kind}/{TENANT}/x" for kind in ("api_keys", "webhooks", "esp", "crm"))
SSH, TENANT_SSH = f"secret/data/vps/{TENANT}/admin_ssh", f"secret/data/vps/{TENANT}/tenant_ssh"
SMTP, DKIM, TOTP = f"secret/data/smtp/{TENANT}/admin", f"secret/data/dkim/{TENANT}/x", f"secret/data/totp/{TENANT}/x"
SENDING, SENDING_VERSIONS = f"secret/data/smtp/{TENANT}/sending", f"secret/metadata/smtp/{TENANT}/sending"
PLATFORM, PLATFORM_SMTP = "secret/data/platform/stripe", "secret/data/platform/smtp"
SNAPSHOT = "sys/storage/raft/snapshot"
ASKED = (
    API_KEY, WEBHOOK, ESP, CRM, SSH, TENANT_SSH, SMTP, SENDING, SENDING_VERSIONS, DKIM, TOTP, PLATFORM, PLATFORM_SMTP, SNAPSHOT,
)  # fmt: skip
READ, WRITE, CHANGE = {"read"}, {"create", "update"}, {"read", "update"}
ALLOWED: dict[str, dict[str, set[str]]] = {
    "api-service": {**dict.fromkeys((API_KEY, WEBHOOK, ESP, TOTP), READ | WRITE), CRM: WRITE, DKIM: WRITE},
    "provisioning-service": dict.fromkeys((SSH, TENANT_SSH, SMTP, SENDING, DKIM), WRITE),
    "rotation-service": {
        **dict.fromkeys((SSH, TENANT_SSH), READ | WRITE),
        **dict.fromkeys((SMTP, SENDING, DKIM, CRM), CHANGE),
        SENDING_VERSIONS: {"list"},
    },
    "delivery-service": {WEBHOOK: READ},
    "sending-service": dict.fromkeys((ESP, DKIM, SENDING, PLATFORM_SMTP), READ),
    "platform-mail-service": {PLATFORM_SMTP: READ},
    "staff-service": {SENDING: WRITE, SENDING_VERSIONS: {"delete", "read"}},
    "crm-service": {CRM: CHANGE},
    "admin-console": {SMTP: READ, SENDING: READ, SENDING_VERSIONS: {"list"}},
    "closing-service": {SENDING_VERSIONS: {"delete", "list"}},
    "backup-service": {SNAPSHOT: READ},
    "monitor": {},
    "incident-service": {API_KEY: {"delete"}},
}


@pytest.fixture(scope="module", params=BOTH)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVault]:
    """The stand-in, then the real server."""
    running = start_kind(request.param, tmp_path_factory.mktemp("vault"))
    yield running
    running.stop()


@pytest.fixture
def path() -> str:
    """A record that nobody has written."""
    return f"webhooks/{TENANT}/{uuid4()}"


@pytest.mark.parametrize("account", sorted(ALLOWED))
def test_an_account_may_do_what_its_work_needs_and_nothing_else(server: RunningVault, account: str) -> None:
    if not next(known for known in ACCOUNTS if known.name == account).is_standing:
        server.issue_secret_id(account)

    found = client_of(server, account).adapter.post("/v1/sys/capabilities-self", json={"paths": list(ASKED)})["data"]

    assert {path: set(found[path]) for path in ASKED} == {path: ALLOWED[account].get(path, {"deny"}) for path in ASKED}


def test_every_account_is_held_to_the_table() -> None:
    assert {account.name for account in ACCOUNTS} == set(ALLOWED)


@pytest.mark.parametrize(
    ("account", "path"),
    [
        ("api-service", f"vps/{TENANT}/admin_ssh"),
        ("api-service", f"crm/{TENANT}/x"),
        ("delivery-service", f"api_keys/{TENANT}/x"),
        ("crm-service", f"webhooks/{TENANT}/x"),
        ("admin-console", f"vps/{TENANT}/admin_ssh"),
        ("provisioning-service", f"smtp/{TENANT}/admin"),
        ("staff-service", f"smtp/{TENANT}/sending"),
        ("sending-service", f"smtp/{TENANT}/admin"),
        ("platform-mail-service", f"smtp/{TENANT}/sending"),
        ("api-service", "platform/smtp"),
        ("backup-service", f"api_keys/{TENANT}/x"),
        ("monitor", f"api_keys/{TENANT}/x"),
    ],
)
def test_a_read_outside_the_account_is_refused_and_says_so(server: RunningVault, account: str, path: str) -> None:
    with using(server.environment(account)), pytest.raises(VaultRefused, match=r"permission denied.*policy"):
        read_secret(path)


@pytest.mark.parametrize("account", ["delivery-service", "admin-console", "backup-service", "monitor"])
def test_an_account_that_only_looks_cannot_write(server: RunningVault, account: str, path: str) -> None:
    with using(server.environment(account)), pytest.raises(VaultRefused, match="permission denied"):
        write_secret(path, {"n": 1}, expected_version=0)


def test_an_account_that_may_update_may_not_create(server: RunningVault) -> None:
    path = f"crm/{TENANT}/{uuid4()}"
    with using(server.environment("crm-service")):
        with pytest.raises(VaultRefused, match="permission denied"):
            write_secret(path, {"n": 1}, expected_version=0)
        with using(server.environment("api-service")):
            write_secret(path, {"n": 1}, expected_version=0)
        assert write_secret(path, {"n": 2}, expected_version=1) == 2


def test_removal_needs_the_right_to_the_metadata(server: RunningVault) -> None:
    path = f"crm/{TENANT}/{uuid4()}"
    with using(server.environment("api-service")):
        write_secret(path, {"n": 1}, expected_version=0)
        with pytest.raises(VaultRefused, match="permission denied"):
            vault.delete_secret(path)
    with using(server.environment("crm-service")):
        assert read_secret(path) is not None


def test_the_console_lists_everything_and_reads_only_the_metadata_of_ssh_keys(server: RunningVault) -> None:
    name = str(uuid4())
    with using(server.environment("provisioning-service")):
        write_secret(f"vps/{name}/admin_ssh", {"private_key": "x"}, expected_version=0)

    with using(server.environment("admin-console")):
        assert "vps/" in server.operator.secrets.kv.v2.list_secrets("")["data"]["keys"]
        assert f"{name}/" in vault.list_secrets("vps")
    metadata = client_of(server, "admin-console").secrets.kv.v2.read_secret_metadata(f"vps/{name}/admin_ssh")
    assert metadata["data"]["current_version"] == 1


def test_who_may_not_use_vaults_key_cannot_open_what_it_sealed(server: RunningVault) -> None:
    with using(server.environment("provisioning-service")):
        sealed = vault.encrypt(b"x", associated_data=b"smtp/one")
        with pytest.raises(VaultRefused, match="permission denied"):
            vault.decrypt(sealed, associated_data=b"smtp/one")
    with using(server.environment("admin-console")):
        assert vault.decrypt(sealed, associated_data=b"smtp/one") == b"x"
        with pytest.raises(VaultRefused, match="permission denied"):
            vault.encrypt(b"x", associated_data=b"smtp/one")


def test_the_backup_account_takes_a_snapshot_and_others_do_not(server: RunningVault) -> None:
    snapshot = client_of(server, "backup-service").adapter.get(f"/v1/{SNAPSHOT}")
    assert snapshot.content[:2] == b"\x1f\x8b"

    with pytest.raises(hvac.exceptions.Forbidden):
        client_of(server, "api-service").adapter.get(f"/v1/{SNAPSHOT}")


def test_the_monitor_reads_measurements_and_others_do_not(server: RunningVault) -> None:
    assert "Gauges" in client_of(server, "monitor").adapter.get("/v1/sys/metrics")
    with pytest.raises(hvac.exceptions.Forbidden):
        client_of(server, "delivery-service").adapter.get("/v1/sys/metrics")


def test_the_incident_account_works_from_the_moment_an_incident_opens(server: RunningVault) -> None:
    (server.directory / "incident-service.secret-id").unlink(missing_ok=True)
    with pytest.raises(ServiceError, match="has no login"):
        server.environment("incident-service")

    victim = client_of(server, "api-service")
    server.issue_secret_id("incident-service")
    responder = client_of(server, "incident-service")
    accessor = victim.auth.token.lookup_self()["data"]["accessor"]
    assert accessor in responder.adapter.list("/v1/auth/token/accessors")["data"]["keys"]
    responder.auth.token.revoke_accessor(accessor)
    with pytest.raises(hvac.exceptions.Forbidden):
        victim.auth.token.lookup_self()

    responder.sys.seal()
    assert server.operator.sys.is_sealed()
    server.unseal()


def test_policies_of_staff_are_stored(server: RunningVault) -> None:
    stored = {name: server.operator.sys.read_acl_policy(name)["data"]["policy"] for name in STAFF_POLICIES}

    assert {name: json.loads(text)["path"].keys() for name, text in stored.items()} == {
        name: rules.keys() for name, rules in STAFF_POLICIES.items()
    }
