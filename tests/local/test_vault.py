"""Vault on one machine: what it holds survives a restart, and everybody can see which one serves."""

import os
import signal
from pathlib import Path

import pytest

from local import run
from local.seed import Owner
from local.services.process import ServiceError, free_port
from local.stack import Ports, Stack
from local.staff import Staff
from local.template import read_template
from local.vault import RunningVault, find_server, start
from local.vault_accounts import ACCOUNTS
from penguinmails.vault import decrypt, encrypt, read_secret, write_secret
from tests.support.sources import ROOT
from tests.support.vaults import BOTH, NO_SERVER, real_version, start_kind, using


def end_at_once(vault: RunningVault) -> None:
    """As a power cut does; the stand-in has no process of its own."""
    if vault.process is None:
        vault.stop()
    else:
        os.kill(vault.process.pid, signal.SIGKILL)
        vault.process.wait()


@pytest.mark.parametrize("kind", BOTH)
def test_secrets_keys_and_logins_survive_a_restart_even_a_rude_one(kind: str, tmp_path: Path) -> None:
    path = "api_keys/tenant/key"
    first = start_kind(kind, tmp_path)
    with using(first.environment("api-service")):
        write_secret(path, {"n": 1}, expected_version=0)
        write_secret(path, {"n": 2}, expected_version=1)
    with using(first.environment("provisioning-service")):
        sealed = encrypt(b"kept", associated_data=b"here")
    role_id = first.environment("api-service")["VAULT_ROLE_ID"]
    end_at_once(first)

    second = start(tmp_path, free_port())
    try:
        assert second.kind == first.kind
        assert second.environment("api-service")["VAULT_ROLE_ID"] == role_id
        with using(second.environment("api-service")):
            found = [read_secret(path, version=version) for version in (1, 2)]
            assert [secret and secret.data for secret in found] == [{"n": 1}, {"n": 2}]
        with using(second.environment("rotation-service")):
            assert decrypt(sealed, associated_data=b"here") == b"kept"
    finally:
        second.stop()


def test_data_of_the_stand_in_stays_with_the_stand_in(tmp_path: Path) -> None:
    start(tmp_path, free_port(), prefer_standin=True).stop()

    again = start(tmp_path, free_port())
    again.stop()

    assert again.kind == "stand-in"


def test_data_of_a_server_is_not_silently_replaced_by_an_empty_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raft").mkdir()
    monkeypatch.setattr("local.vault.find_server", lambda: None)

    with pytest.raises(ServiceError, match="make vault"):
        start(tmp_path, free_port())


def test_a_lost_unseal_key_is_said_plainly(tmp_path: Path) -> None:
    vault = start(tmp_path, free_port(), prefer_standin=True)
    vault.stop()
    (vault.directory / "operator.json").unlink()

    with pytest.raises(ServiceError, match=r"unseal key.*make reset"):
        start(tmp_path, free_port())


@NO_SERVER
def test_the_audit_log_of_the_server_holds_no_secret(tmp_path: Path) -> None:
    vault = start(tmp_path, free_port())
    try:
        with using(vault.environment("api-service")):
            write_secret("api_keys/tenant/key", {"hash": "canary-in-the-record"}, expected_version=0)
    finally:
        vault.stop()

    audit = (vault.directory / "audit.log").read_text()
    assert "api_keys/tenant/key" in audit
    assert "canary-in-the-record" not in audit
    assert vault.secret_id_file("api-service").read_text() not in audit


@pytest.mark.parametrize("kind", BOTH)
def test_the_printed_table_says_which_vault_serves(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Stack(ROOT, Ports(20_000), directory=tmp_path)
    stack.vault = start_kind(kind, tmp_path / "vault")
    stack.vault.stop()

    staff = Staff("staff@example.com", "password", "seed")
    run._print_table(run._endpoints(stack, [Owner("pro", "owner@example.com", "password")], staff), 1.0)

    shown = next(line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("Vault"))
    assert stack.vault.address in shown
    assert ("stand-in" if kind == "stand-in" else real_version() or "") in shown


@NO_SERVER
def test_a_server_that_dies_is_noticed(tmp_path: Path) -> None:
    stack = Stack(ROOT, Ports(20_000), directory=tmp_path)
    stack.vault = start(tmp_path / "vault", free_port())
    stack.check()
    end_at_once(stack.vault)

    with pytest.raises(ServiceError, match="Vault has stopped"):
        stack.check()


def test_every_function_logs_in_as_an_account_that_exists() -> None:
    known = {account.name for account in ACCOUNTS if account.is_standing}
    functions = read_template(ROOT / "template.yaml").functions.values()
    used = {function.environment["VAULT_ROLE"] for function in functions if "VAULT_ROLE" in function.environment}

    assert {"api-service", "delivery-service"} <= used <= known


def test_the_server_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "vault"
    program.touch(mode=0o755)
    monkeypatch.setenv("VAULT_BIN", str(program))

    assert find_server() == program
