"""While Vault is sealed or stopped, keys that were proved before work everywhere; the others are told when to come back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.vault import RunningVault, start
from me.app import handler
from penguinmails.auth import api_keys
from tests.support.http import Answer, call
from tests.support.sources import ROOT
from tests.support.tenants import TestKey, make_tenant
from tests.support.vaults import BOTH, start_kind, using

_COLD_PROCESS = """
import json, sys
from me.app import handler
from tests.support.http import call
answers = [call(handler, "GET", "/api/v1/me", token=token) for token in json.loads(sys.stdin.read())]
print("answers:" + json.dumps([[a.status, a.json.get("code"), a.headers.get("retry-after")] for a in answers]))
"""


@pytest.fixture(scope="module", params=BOTH)
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The kind of Vault, and where its data is."""
    return request.param, tmp_path_factory.mktemp("vault")


@pytest.fixture
def server(directory: tuple[str, Path]) -> Iterator[RunningVault]:
    """A Vault of the test's own, which it may break."""
    running = start_kind(*directory)
    with using(running.environment("api-service")):
        yield running
    running.stop()


def use(key: TestKey) -> Answer:
    return call(handler, "GET", "/api/v1/me", token=key.plaintext)


def in_a_new_process(*keys: TestKey) -> list[Any]:
    """Status, code and Retry-After for each key, from a process that shares only Redis and PostgreSQL with us."""
    done = subprocess.run(
        [sys.executable, "-c", _COLD_PROCESS],
        input=json.dumps([key.plaintext for key in keys]),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *(ROOT / p for p in _PATHS))))},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("answers:")]
    assert lines, done.stderr
    return json.loads(lines[0].removeprefix("answers:"))


_PATHS = ("functions", "layers/common/python")


def refused_for_now(answer: Answer) -> bool:
    return (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE") and int(answer.headers["retry-after"]) > 0


def test_a_sealed_vault_stops_new_keys_only_and_unsealing_heals(server: RunningVault) -> None:
    tenant = make_tenant()
    known, unknown = tenant.key(), tenant.key()
    assert use(known).status == 200

    server.seal()
    api_keys.forget_proofs()
    assert use(known).status == 200
    assert refused_for_now(use(unknown))
    assert in_a_new_process(known, unknown) == [[200, None, None], [503, "SERVICE_UNAVAILABLE", "30"]]

    server.unseal()
    assert use(unknown).status == 200
    api_keys.forget_proofs()
    assert in_a_new_process(known, unknown) == [[200, None, None], [200, None, None]]


def test_a_stopped_vault_stops_new_keys_only_and_its_return_heals(server: RunningVault) -> None:
    tenant = make_tenant()
    known, unknown = tenant.key(), tenant.key()
    assert use(known).status == 200

    server.stop()
    api_keys.forget_proofs()
    assert use(known).status == 200
    assert refused_for_now(use(unknown))
    assert in_a_new_process(known, unknown) == [[200, None, None], [503, "SERVICE_UNAVAILABLE", "30"]]

    folder = server.directory.parent if server.process is None else server.directory
    again = start(folder, urlsplit(server.address).port or 0)
    try:
        assert use(unknown).status == 200
    finally:
        again.stop()


def test_a_proof_does_not_outlive_a_new_secret_while_vault_is_away(server: RunningVault) -> None:
    """The proof names the generation and the version in Vault; a changed key has none and waits for Vault."""
    from penguinmails.db import transaction
    from penguinmails.domain.key_changes import announce_key_change

    tenant = make_tenant()
    key = tenant.key()
    assert use(key).status == 200
    server.seal()
    with transaction(tenant_id=tenant.id) as tx:
        announcement = announce_key_change(tx, key.id)
        tx.run("UPDATE api_keys SET vault_version = vault_version + 1 WHERE id = %(id)s", {"id": key.id})
    announcement.confirm()

    assert refused_for_now(use(key))
    assert in_a_new_process(key) == [[503, "SERVICE_UNAVAILABLE", "30"]]
