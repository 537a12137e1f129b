"""What the layer asks of Vault, of the stand-in and the real server alike: the same tests run against both."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import hvac
import hvac.exceptions
import pytest

from local.vault import RunningVault
from local.vault_accounts import ACCOUNTS
from penguinmails import vault
from penguinmails.vault import SecretVersionConflict, VaultRefused, read_secret, write_secret
from tests.support.vaults import BOTH, client_of, start_kind, using

TENANT = "7b0c1f0e-6d7c-4d1f-9a35-0a8f7e1d2c3b"


@pytest.fixture(scope="module", params=BOTH)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVault]:
    """The stand-in, then the real server."""
    running = start_kind(request.param, tmp_path_factory.mktemp("vault"))
    yield running
    running.stop()


@pytest.fixture
def as_api_service(server: RunningVault) -> Iterator[None]:
    with using(server.environment("api-service")):
        yield


@pytest.fixture
def path() -> str:
    """A record that nobody has written."""
    return f"webhooks/{TENANT}/{uuid4()}"


# ---- records ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("as_api_service")
def test_a_record_comes_back_as_it_was_written_with_its_time(path: str) -> None:
    content = {"secret": "whsec_ä€𝄞", "list": [1, None, {"deep": True}], "": ""}

    assert read_secret(path) is None
    assert write_secret(path, content, expected_version=0) == 1

    stored = read_secret(path)
    assert stored is not None
    assert (stored.data, stored.version) == (content, 1)
    assert abs(datetime.now(UTC) - stored.created_at) < timedelta(minutes=1)


@pytest.mark.usefixtures("as_api_service")
def test_a_write_from_an_old_version_changes_nothing(path: str) -> None:
    write_secret(path, {"n": 1}, expected_version=0)
    write_secret(path, {"n": 2}, expected_version=1)

    for stale in (0, 1, 3):
        with pytest.raises(SecretVersionConflict) as conflict:
            write_secret(path, {"n": "lost"}, expected_version=stale)
        assert conflict.value.status == 409
    stored = read_secret(path)
    assert stored is not None
    assert (stored.data, stored.version) == ({"n": 2}, 2)


@pytest.mark.usefixtures("as_api_service")
def test_of_writers_at_the_same_time_one_wins(path: str) -> None:
    def attempt(number: int) -> bool:
        try:
            write_secret(path, {"writer": number}, expected_version=0)
        except SecretVersionConflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(attempt, range(4)))

    stored = read_secret(path)
    assert stored is not None
    assert (won.count(True), stored.version, stored.data) == (1, 1, {"writer": won.index(True)})


def test_a_write_without_check_and_set_is_refused(server: RunningVault, path: str) -> None:
    with pytest.raises(hvac.exceptions.InvalidRequest, match="check-and-set parameter required"):
        client_of(server, "api-service").secrets.kv.v2.create_or_update_secret(path, {"n": 1})


@pytest.mark.usefixtures("as_api_service")
def test_ten_versions_are_kept_and_can_be_read_by_number(path: str) -> None:
    for version in range(12):
        write_secret(path, {"n": version + 1}, expected_version=version)

    found = {version: read_secret(path, version=version) for version in (1, 2, 3, 12, 13)}

    assert {version: secret and secret.data["n"] for version, secret in found.items()} == {
        1: None, 2: None, 3: 3, 12: 12, 13: None,
    }  # fmt: skip


@pytest.mark.usefixtures("as_api_service")
def test_a_deleted_record_is_gone_with_its_versions_and_can_be_written_anew(path: str) -> None:
    write_secret(path, {"n": 1}, expected_version=0)
    write_secret(path, {"n": 2}, expected_version=1)

    vault.delete_secret(path)
    vault.delete_secret(path)

    assert read_secret(path) is None
    assert read_secret(path, version=1) is None
    assert write_secret(path, {"n": 3}, expected_version=0) == 1


def test_a_version_that_an_operator_deleted_or_destroyed_reads_as_none(server: RunningVault, path: str) -> None:
    with using(server.environment("api-service")):
        write_secret(path, {"n": 1}, expected_version=0)
        write_secret(path, {"n": 2}, expected_version=1)
        records = server.operator.secrets.kv.v2

        records.delete_latest_version_of_secret(path)
        assert read_secret(path) is None
        records.undelete_secret_versions(path, [2])
        assert read_secret(path) is not None
        records.destroy_secret_versions(path, [1])
        assert read_secret(path, version=1) is None
        records.undelete_secret_versions(path, [1])
        assert read_secret(path, version=1) is None


@pytest.mark.usefixtures("as_api_service")
def test_names_are_listed_with_folders_marked() -> None:
    folder = f"webhooks/{uuid4()}"
    for name in ("b", "a", "a/below"):
        write_secret(f"{folder}/{name}", {"n": 1}, expected_version=0)

    assert vault.list_secrets(folder) == ["a", "a/", "b"]
    assert vault.list_secrets(f"{folder}/a") == ["below"]
    assert vault.list_secrets(f"{folder}/c") == []


def test_facts_about_a_record_are_replaced_without_a_new_version(server: RunningVault) -> None:
    path = f"api_keys/{TENANT}/{uuid4()}"
    with using(server.environment("api-service")):
        write_secret(path, {"n": 1}, expected_version=0)
        vault.annotate_secret(path, {"status": "active", "gone": "soon"})
        vault.annotate_secret(path, {"status": "revoked"})

        stored = read_secret(path)
    metadata = server.operator.secrets.kv.v2.read_secret_metadata(path)["data"]
    assert stored is not None
    assert (stored.version, metadata["current_version"]) == (1, 1)
    assert metadata["custom_metadata"] == {"status": "revoked"}


@pytest.mark.usefixtures("as_api_service")
@pytest.mark.parametrize("bad", ["", "webhooks//x", "webhooks/../api_keys", "webhooks/./x", "a/b?version=1", "a/%2e"])
def test_a_path_that_could_lead_elsewhere_is_not_sent(bad: str) -> None:
    for act in (
        lambda: read_secret(bad),
        lambda: write_secret(bad, {}, expected_version=0),
        lambda: vault.delete_secret(bad),
        lambda: vault.list_secrets(bad),
        lambda: vault.annotate_secret(bad, {}),
    ):
        with pytest.raises(ValueError, match="path segment"):
            act()


def test_a_mount_that_is_not_there_is_an_error_and_not_an_empty_answer(server: RunningVault) -> None:
    with using({**server.environment("api-service"), "VAULT_KV_MOUNT": "elsewhere"}), pytest.raises(VaultRefused):
        read_secret("api_keys/x/y")


# ---- sealing small values -----------------------------------------------------------------------------------------


@pytest.fixture
def as_rotation_service(server: RunningVault) -> Iterator[None]:
    with using(server.environment("rotation-service")):
        yield


@pytest.mark.usefixtures("as_rotation_service")
@pytest.mark.parametrize("plaintext", [b"", b"\x00\xff" * 3_000])
def test_what_is_sealed_opens_with_the_same_associated_data_only(plaintext: bytes) -> None:
    sealed = vault.encrypt(plaintext, associated_data=b"smtp/one")

    assert sealed.startswith("vault:v1:")
    assert sealed != vault.encrypt(plaintext, associated_data=b"smtp/one")
    assert vault.decrypt(sealed, associated_data=b"smtp/one") == plaintext
    for elsewhere in (b"smtp/two", b""):
        with pytest.raises(VaultRefused, match="authentication failed"):
            vault.decrypt(sealed, associated_data=elsewhere)


@pytest.mark.usefixtures("as_rotation_service")
@pytest.mark.parametrize("damaged", ["", "plain", "vault:v1:", "vault:v9:AAAA", "vault:v1:!!", "vault:v1:" + "A" * 80])
def test_a_sealed_value_that_was_changed_does_not_open(damaged: str) -> None:
    with pytest.raises(VaultRefused):
        vault.decrypt(damaged, associated_data=b"")


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key(server: RunningVault) -> None:
    with using(server.environment("rotation-service")):
        old = vault.encrypt(b"kept", associated_data=b"here")
        server.operator.secrets.transit.rotate_key("penguinmails")
        new = vault.encrypt(b"kept", associated_data=b"here")

        before, after = int(old.split(":")[1][1:]), int(new.split(":")[1][1:])
        assert after == before + 1
        assert vault.decrypt(old, associated_data=b"here") == vault.decrypt(new, associated_data=b"here") == b"kept"


# ---- what each looks like from outside -----------------------------------------------------------------------------


def test_health_is_told_without_a_login_sealed_or_not(server: RunningVault) -> None:
    with using({**server.environment("api-service"), "VAULT_ROLE_ID": "nobody"}):
        well = vault.health()
        server.seal()
        sealed = vault.health()
        server.unseal()

    assert (well.is_initialized, well.is_sealed, well.is_standby) == (True, False, False)
    assert (sealed.is_initialized, sealed.is_sealed) == (True, True)
    assert well.version.split(".")[0].isdigit()


def test_keys_and_logins_are_for_their_owners_eyes(server: RunningVault) -> None:
    private: list[Any] = [server.directory / "operator.json", *server.directory.glob("*.secret-id")]

    assert len(private) >= len([account for account in ACCOUNTS if account.is_standing]) + 1
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
