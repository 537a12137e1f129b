"""What the sweeps report of the platform as a whole."""

import json

import pytest

from penguinmails.db import transaction
from sweep_deliveries.app import handler as sweep_deliveries
from sweep_outbox.app import handler as sweep_outbox
from tests.support.hooks import hook
from tests.support.queues import run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant


def reported(output: str, metric: str) -> list[float]:
    lines = [json.loads(line) for line in output.splitlines() if f'"{metric}"' in line]
    return [line[metric][0] for line in lines]


def test_failing_webhooks_are_counted_each_minute(
    tenant: TestTenant, key: TestKey, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Receiver()
    hook(key, server)
    server.stop()
    run_job(sweep_deliveries)
    before = reported(capsys.readouterr().out, "webhooks_failing")[-1]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET is_failing = true", {})

    run_job(sweep_deliveries)

    assert reported(capsys.readouterr().out, "webhooks_failing")[-1] == before + 1


def test_messages_that_wait_for_their_queue_are_counted(tenant: TestTenant, capsys: pytest.CaptureFixture[str]) -> None:
    run_job(sweep_outbox)
    before = reported(capsys.readouterr().out, "queue_depth")[-1]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            INSERT INTO outbox (id, tenant_id, mode, queue, payload)
            VALUES (gen_random_uuid(), %(tenant_id)s, 'live', 'events', '{}')
            """,
            {"tenant_id": tenant.id},
        )

    run_job(sweep_outbox)

    assert reported(capsys.readouterr().out, "queue_depth")[-1] == before + 1
