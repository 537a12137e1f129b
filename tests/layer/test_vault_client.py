"""Login, retries and the circuit of the Vault client, before the stand-in and the real server alike."""

import json
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from local.vault import RunningVault
from penguinmails import circuit, vault, vault_client
from penguinmails.settings import ConfigurationError
from penguinmails.vault import (
    SecretVersionConflict,
    VaultIsSealed,
    VaultRefused,
    VaultUnavailable,
    read_secret,
    write_secret,
)
from tests.support.vaults import BOTH, Wire, start_kind, using


@pytest.fixture(scope="module", params=BOTH)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVault]:
    """The stand-in, then the real server."""
    running = start_kind(request.param, tmp_path_factory.mktemp("vault"))
    yield running
    running.stop()


@pytest.fixture
def wire(server: RunningVault) -> Iterator[Wire]:
    """The API's own account, through a wire that can fail."""
    wire = Wire(server.address)
    with using({**server.environment("api-service"), "VAULT_ADDR": wire.address}):
        yield wire
    wire.close()


@pytest.fixture
def path() -> str:
    """A record that nobody has written."""
    return f"api_keys/{uuid4()}/{uuid4()}"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the circuit's clock."""
    now = [1_000.0]
    monkeypatch.setattr(circuit, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


# ---- login -----------------------------------------------------------------------------------------------------------


def test_one_login_serves_many_requests(wire: Wire, path: str) -> None:
    for _ in range(3):
        assert read_secret(path) is None

    assert wire.asked("/login") == 1


def test_a_token_is_replaced_a_minute_before_it_is_over(wire: Wire, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(vault_client, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=time.sleep))
    read_secret(path)
    now[0] += 19 * 60 - 5
    read_secret(path)
    assert wire.asked("/login") == 1

    now[0] += 10
    read_secret(path)
    assert wire.asked("/login") == 2


def test_a_token_that_vault_no_longer_knows_is_replaced_unseen(wire: Wire, path: str) -> None:
    write_secret(path, {"n": 1}, expected_version=0)
    vault_client.ask("end a session", "post", "auth/token/revoke-self")

    stored = read_secret(path)

    assert stored is not None
    assert stored.data == {"n": 1}
    assert wire.asked("/login") == 2


def test_a_refusal_costs_one_new_login_and_not_more(wire: Wire) -> None:
    with pytest.raises(VaultRefused):
        read_secret("vps/x/admin_ssh")

    assert (wire.asked("/login"), wire.asked("admin_ssh")) == (2, 2)


@pytest.mark.parametrize("wrong", ["VAULT_ROLE_ID", "secret id"])
def test_a_login_that_is_refused_is_a_503_until_it_is_mended(
    server: RunningVault, path: str, tmp_path: Path, wrong: str
) -> None:
    right = server.environment("api-service")
    secret_id = tmp_path / "secret-id"
    secret_id.write_text(str(uuid4()))
    changed = {"VAULT_ROLE_ID": str(uuid4())} if wrong == "VAULT_ROLE_ID" else {"VAULT_SECRET_ID_FILE": str(secret_id)}

    with using({**right, **changed}):
        with pytest.raises(VaultUnavailable) as refused:
            read_secret(path)
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "30"})
        if wrong == "secret id":
            secret_id.write_bytes(Path(right["VAULT_SECRET_ID_FILE"]).read_bytes())
            assert read_secret(path) is None


def test_a_missing_setting_is_named(server: RunningVault, tmp_path: Path) -> None:
    environment = server.environment("api-service")
    with using({**environment, "VAULT_ADDR": ""}), pytest.raises(ConfigurationError, match="VAULT_ADDR"):
        read_secret("api_keys/x/y")
    gone = str(tmp_path / "gone")
    with (
        using({**environment, "VAULT_SECRET_ID_FILE": gone}),
        pytest.raises(ConfigurationError, match="VAULT_SECRET_ID_FILE"),
    ):
        read_secret("api_keys/x/y")


def test_tokens_and_proxies_of_the_environment_are_not_used(
    wire: Wire, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".vault-token").write_text("hvs.from-a-file")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    for token in ("hvs.from-the-environment", ""):
        monkeypatch.setenv("VAULT_TOKEN", token)
        if not token:
            monkeypatch.delenv("VAULT_TOKEN")
        vault.forget_session()
        assert read_secret(path) is None

    sent = json.dumps([request.headers for request in wire.requests])
    assert "from-" not in sent
    assert "Authorization" not in sent
    assert all("X-Vault-Token" not in request.headers for request in wire.requests if request.path.endswith("/login"))


def test_namespace_and_mounts_are_configuration(wire: Wire) -> None:
    wire.refuse_with = 400
    with (
        using({"VAULT_NAMESPACE": "admin/eu", "VAULT_AUTH_MOUNT": "functions", "VAULT_ADDR": wire.address}),
        pytest.raises(VaultUnavailable),
    ):
        read_secret("api_keys/x/y")

    assert wire.requests[0].path == "/v1/auth/functions/login"
    assert wire.requests[0].headers["X-Vault-Namespace"] == "admin/eu"


# ---- what is lost on the way -----------------------------------------------------------------------------------------


def test_a_write_whose_answer_is_lost_is_found_again_and_not_taken_for_a_strangers(wire: Wire, path: str) -> None:
    wire.lose_answers = 1

    assert write_secret(path, {"hash": "mine"}, expected_version=0) == 1

    stored = read_secret(path)
    assert stored is not None
    assert (stored.data, stored.version) == ({"hash": "mine"}, 1)


def test_a_strangers_write_after_a_lost_answer_is_a_conflict(server: RunningVault, wire: Wire, path: str) -> None:
    def rival() -> None:
        server.operator.secrets.kv.v2.create_or_update_secret(path, {"hash": "theirs"}, cas=1)

    wire.lose_answers, wire.before_repeat = 1, rival

    with pytest.raises(SecretVersionConflict):
        write_secret(path, {"hash": "mine"}, expected_version=0)
    stored = read_secret(path)
    assert stored is not None
    assert (stored.data, stored.version) == ({"hash": "theirs"}, 2)


def test_the_same_content_written_by_another_is_a_conflict_when_no_answer_was_lost(wire: Wire, path: str) -> None:
    write_secret(path, {"state": "rotating"}, expected_version=0)

    with pytest.raises(SecretVersionConflict):
        write_secret(path, {"state": "rotating"}, expected_version=0)


def test_who_may_write_but_not_read_is_told_of_a_conflict_after_a_lost_answer(server: RunningVault, wire: Wire) -> None:
    wire.lose_answers = 1
    with (
        using({**server.environment("provisioning-service"), "VAULT_ADDR": wire.address}),
        pytest.raises(SecretVersionConflict),
    ):
        write_secret(f"vps/{uuid4()}/admin_ssh", {"n": 1}, expected_version=0)


def test_a_request_is_tried_three_times(wire: Wire, path: str) -> None:
    read_secret(path)
    wire.refuse_with = 500
    before = len(wire.requests)

    with pytest.raises(VaultUnavailable):
        read_secret(path)

    assert len(wire.requests) - before == 3


def test_a_vault_that_hangs_is_given_up(path: str, server: RunningVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_client, "_TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with using({**server.environment("api-service"), "VAULT_ADDR": address}):
            for ask in (lambda: read_secret(path), vault.health):
                with pytest.raises(VaultUnavailable):
                    ask()


def test_what_answers_but_is_not_vault_is_unavailable(wire: Wire, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_ask", lambda *_: (200, b"<html>a load balancer says hello</html>"))

    with pytest.raises(VaultUnavailable):
        read_secret(path)
    with pytest.raises(VaultUnavailable):
        vault.health()


# ---- sealed, and the circuit -----------------------------------------------------------------------------------------


def test_a_sealed_vault_is_told_apart_and_unsealing_heals(server: RunningVault, wire: Wire, path: str) -> None:
    write_secret(path, {"n": 1}, expected_version=0)
    server.seal()
    try:
        for act in (lambda: read_secret(path), lambda: write_secret(path, {"n": 2}, expected_version=1)):
            with pytest.raises(VaultIsSealed) as sealed:
                act()
            assert (sealed.value.status, sealed.value.headers) == (503, {"Retry-After": "30"})
    finally:
        server.unseal()

    stored = read_secret(path)
    assert stored is not None
    assert stored.data == {"n": 1}


def fail(times: int, path: str) -> None:
    for _ in range(times):
        with pytest.raises(VaultUnavailable):
            read_secret(path)


def test_after_five_failures_vault_is_left_alone_for_half_a_minute(
    wire: Wire, path: str, later: Callable[[float], None]
) -> None:
    read_secret(path)
    wire.refuse_with = 500
    fail(5, path)
    before = len(wire.requests)
    fail(3, path)
    later(29.9)
    fail(1, path)
    assert len(wire.requests) == before

    later(0.2)
    fail(1, path)
    assert len(wire.requests) == before + 1  # one try without repeats decides
    fail(1, path)
    assert len(wire.requests) == before + 1

    wire.refuse_with = 0
    later(30.1)
    assert read_secret(path) is None
    wire.refuse_with = 500
    fail(4, path)
    wire.refuse_with = 0
    assert read_secret(path) is None


def test_while_it_is_left_alone_a_sealed_vault_is_still_called_sealed(
    server: RunningVault, wire: Wire, path: str, later: Callable[[float], None]
) -> None:
    server.seal()
    try:
        fail(5, path)
        asked = len(wire.requests)
        with pytest.raises(VaultIsSealed):
            read_secret(path)
        assert len(wire.requests) == asked
        assert vault.health().is_sealed
    finally:
        server.unseal()


def test_refusals_are_answers_and_do_not_open_the_circuit(wire: Wire, path: str) -> None:
    for _ in range(6):
        with pytest.raises(VaultRefused):
            read_secret("vps/x/admin_ssh")

    assert read_secret(path) is None


# ---- nothing private leaves ------------------------------------------------------------------------------------------

CANARY = "canary-3f9c1b"


def _every_way_to_fail(server: RunningVault, wire: Wire, path: str) -> Iterator[Exception]:
    def wrong_login() -> None:
        with using({"VAULT_SECRET_ID_FILE": str(server.directory / "wrong"), "VAULT_ADDR": wire.address}):
            read_secret(path)

    (server.directory / "wrong").write_text(f"{CANARY}-secret-id")
    content = {"secret": CANARY}
    write_secret(path, content, expected_version=0)
    ways: list[Callable[[], Any]] = [
        lambda: write_secret(path, content, expected_version=0),
        lambda: write_secret("vps/x/admin_ssh", content, expected_version=0),
        lambda: vault.encrypt(CANARY.encode(), associated_data=b""),
        lambda: vault.decrypt(CANARY, associated_data=b""),
        lambda: vault_client.ask("write nonsense", "post", f"secret/data/{path}", body={"wrong": CANARY}),
        wrong_login,
        lambda: setattr(wire, "refuse_with", 500) or write_secret(path, content, expected_version=1),
    ]
    for way in ways:
        with pytest.raises(Exception) as raised:
            way()
        yield raised.value


def test_no_error_log_or_repr_holds_a_secret_or_a_token(
    server: RunningVault, wire: Wire, path: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    errors = list(_every_way_to_fail(server, wire, path))
    tokens = {token for request in wire.requests if (token := request.headers.get("X-Vault-Token"))}
    wire.refuse_with = 0
    vault.forget_session()
    stored = read_secret(path)

    told = [text for error in errors for text in (str(error), repr(error), "".join(traceback.format_exception(error)))]
    told += [repr(stored), repr(vault_client._session), caplog.text, *capfd.readouterr()]
    assert len(errors) == 7
    assert tokens
    assert stored is not None
    assert stored.data["secret"] == CANARY
    for secret in (CANARY, *tokens, Path(server.environment("api-service")["VAULT_SECRET_ID_FILE"]).read_text()):
        assert [text for text in told if secret in text] == []
