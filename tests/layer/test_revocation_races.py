"""A revoked key is refused on the next request everywhere: counted across processes that hammer it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from local.services.valkey import Valkey
from me.app import handler as me_handler
from penguinmails.db import transaction
from penguinmails.domain.key_changes import announce_key_change
from tests.support.http import call
from tests.support.tenants import TestKey, TestTenant

ROOT = Path(__file__).resolve().parents[2]
HAMMER = """
import json, sys, time
out = sys.stdout
sys.stdout = sys.stderr  # the logger keeps the stream that it finds
from me.app import handler
from tests.support.http import call
key, seconds, pause = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
call(handler, "GET", "/api/v1/me", token=key)
print("ready", file=out, flush=True)
end = time.time() + seconds
admitted = []
while time.time() < end:
    started = time.time()
    answer = call(handler, "GET", "/api/v1/me", token=key)
    # A 429 of the key's own limit counts: it was recognised. That of an address which keeps failing names no limit.
    if answer.status == 200 or "x-ratelimit-limit" in answer.headers:
        admitted.append(started)
    time.sleep(pause)
print(json.dumps(admitted), file=out, flush=True)
"""


def hammer(key: TestKey, seconds: float, pause: float = 0.0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HAMMER, key.plaintext, str(seconds), str(pause)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def admissions(process: subprocess.Popen[str]) -> list[float]:
    output, _ = process.communicate(timeout=60)
    return json.loads(output)


def revoke(tenant: TestTenant, key: TestKey) -> bool:
    """Revoke as the API does; whether the cache was told."""
    with transaction(tenant_id=tenant.id) as tx:
        announcement = announce_key_change(tx, key.id)
        tx.run(
            "UPDATE api_keys SET status = 'revoked', revoked_at = clock_timestamp() WHERE id = %(id)s", {"id": key.id}
        )
    return announcement.reached_cache


def test_no_request_that_starts_after_the_revocation_was_confirmed_is_admitted(
    tenant: TestTenant, key: TestKey
) -> None:
    processes = [hammer(key, 3) for _ in range(3)]
    time.sleep(1)

    assert revoke(tenant, key)
    confirmed = time.time()

    found = [admissions(process) for process in processes]
    assert all(len(times) > 20 for times in found)
    assert [sum(started > confirmed for started in times) for times in found] == [0, 0, 0]


def test_a_process_that_slept_through_the_revocation_refuses_when_it_wakes(tenant: TestTenant, key: TestKey) -> None:
    sleeper = hammer(key, 3, pause=2)
    time.sleep(0.5)

    assert revoke(tenant, key)
    confirmed = time.time()

    assert [started for started in admissions(sleeper) if started > confirmed] == []


def test_with_redis_stopped_no_later_request_is_admitted_either(tenant: TestTenant, own_valkey: Valkey) -> None:
    key = tenant.key()
    assert call(me_handler, "GET", "/api/v1/me", token=key.plaintext).status == 200
    processes = [hammer(key, 4) for _ in range(2)]
    time.sleep(0.5)
    own_valkey.stop()
    time.sleep(0.5)

    assert not revoke(tenant, key)
    committed = time.time()

    found = [admissions(process) for process in processes]
    assert [sum(started > committed for started in times) for times in found] == [0, 0]
