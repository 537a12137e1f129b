"""A campaign to many recipients through a local SMTP sink, with two workers killed on the way.

`python -m bench.campaign [recipients] [senders]`, 100,000 and 2 unless named. PostgreSQL is as durable as in production.
The plan's limits and pace are lifted by a tenant override, as staff would do it.
"""

import base64
import json
import os
import secrets
import signal
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from bench.platform import ROOT, machine
from database.migrate import migrate
from local.services.aws import AwsEmulator
from local.services.postgres import Postgres
from local.services.process import LOOPBACK, free_port, start, stop, wait_until
from local.services.valkey import Valkey
from local.vault import RunningVault
from local.vault import start as start_vault
from penguinmails.platform_secrets import PURPOSES
from penguinmails.settings import get_settings

_DATABASE = "penguinmails"
_KILLS_AT = (0.3, 0.6)
_QUEUES = ("events", "deliveries", "emails", "campaign_emails", "platform_mail")
_NO_LIMIT = 1_000_000_000
_DOMAIN = "bench.example.com"
_PARAGRAPH = "<p>What we have been working on, why it matters to you, and where to read more about all of it.</p>\n"
_HTML = "<h1>Hello {{ first_name | default('there') }}</h1>\n" + _PARAGRAPH * 40


class Bench:
    """The servers, and the processes that carry a campaign out."""

    def __init__(self, directory: Path) -> None:
        """Nothing is started yet."""
        self.postgres = Postgres(directory / "postgres")
        self.aws = AwsEmulator(ROOT, directory / "aws")
        self.valkey = Valkey(directory / "valkey")
        self.vault: RunningVault | None = None
        self.smtp_port = free_port()
        self.logs = directory
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start the servers, migrate, and count statements."""
        self.postgres.start()
        with self._superuser("postgres") as connection:
            connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        self.postgres.stop()
        self.postgres.start()
        self.aws.start()
        self.valkey.start()
        self.vault = start_vault(self.logs / "vault", free_port())
        self.postgres.create_database(_DATABASE)
        migrate(self.postgres.url(_DATABASE))
        with self._superuser() as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
        os.environ.update(self._environment())
        get_settings.cache_clear()
        self._make_queues()
        self.sink = start(
            [sys.executable, "-m", "bench.smtp_sink", str(self.smtp_port)],
            log=self.logs / "sink.log",
            env={"PYTHONPATH": os.environ["PYTHONPATH"]},
        )
        wait_until(self._sink_answers, self.sink, name="The SMTP sink", log=self.logs / "sink.log", seconds=10)

    def _environment(self) -> dict[str, str]:
        keys = self.logs / "platform-secrets.json"
        key = {"1": base64.b64encode(secrets.token_bytes(32)).decode()}
        keys.write_text(json.dumps(dict.fromkeys(PURPOSES, key)))
        return {
            "PLATFORM_SECRETS_FILE": str(keys),
            "ENVIRONMENT": "local",
            "DATABASE_URL": self.postgres.url(_DATABASE, "penguinmails_app"),
            "JOBS_DATABASE_URL": self.postgres.url(_DATABASE, "penguinmails_jobs"),
            "REDIS_URL": self.valkey.url,
            "REDIS_CLUSTER": "true",
            "SMTP_HOST": LOOPBACK,
            "SMTP_PORT": str(self.smtp_port),
            "SMTP_SECURITY": "none",
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            **self._vault_account("api-service"),
        }

    def _vault_account(self, name: str) -> dict[str, str]:
        assert self.vault is not None
        return self.vault.environment(name)

    def _make_queues(self) -> None:
        import boto3

        sqs = boto3.client("sqs", endpoint_url=self.aws.endpoint)
        for name in _QUEUES:
            answer = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "720"})
            os.environ[f"{name.upper()}_QUEUE_URL"] = answer["QueueUrl"]
        get_settings.cache_clear()

    def launch(self, name: str) -> None:
        """Start the planner, or a sender."""
        command = [sys.executable, "-m", "bench.campaign_worker", name.partition("-")[0]]
        environment = {**os.environ, **self._vault_account("sending-service")}
        self.processes[name] = start(command, log=self.logs / f"{name}.log", env=environment)

    def kill(self, name: str) -> None:
        """End a process as the kernel does when memory is short."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self) -> None:
        """End everything."""
        for process in [*self.processes.values(), self.sink]:
            stop(process, seconds=0.2)
        self.aws.stop()
        self.valkey.stop()
        if self.vault is not None:
            self.vault.stop()
        self.postgres.stop()

    @contextmanager
    def _superuser(self, database: str = _DATABASE) -> Generator[psycopg.Connection[Any]]:
        with psycopg.connect(self.postgres.url(database), autocommit=True) as connection:
            yield connection

    def ask(self, statement: Any, *params: Any) -> Any:
        """The first column of the first row, past row security."""
        with self._superuser() as connection:
            row = connection.execute(statement, params).fetchone()
        return row and row[0]

    def run(self, statement: Any, *params: Any) -> None:
        """Run a statement past row security."""
        with self._superuser() as connection:
            connection.execute(statement, params)

    def received(self) -> dict[str, int]:
        """What the sink counted."""
        import json

        with smtplib.SMTP(LOOPBACK, self.smtp_port) as connection:
            return json.loads(connection.docmd("XREPORT")[1])

    def _sink_answers(self) -> bool:
        try:
            smtplib.SMTP(LOOPBACK, self.smtp_port).close()
        except OSError:
            return False
        return True


def make_account(bench: Bench, recipients: int) -> UUID:
    """A tenant without limits and with so many contacts."""
    tenant, workspace = uuid4(), uuid4()
    bench.run(
        "INSERT INTO tenants (id, name, settings) VALUES (%s, 'Bench', jsonb_build_object('postal_address', '1 Bench Road'))",
        tenant,
    )
    bench.run("INSERT INTO subscriptions (id, tenant_id, plan_slug) VALUES (%s, %s, 'enterprise')", uuid4(), tenant)
    bench.run(
        "INSERT INTO workspaces (id, tenant_id, name, slug, is_default) VALUES (%s, %s, 'Bench', 'bench', true)",
        workspace, tenant,
    )  # fmt: skip
    bench.run(
        "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%s, jsonb_build_object('max_daily_limit', %s::int,"
        " 'send_rate_per_second', 1000000), 'bench')",
        tenant, _NO_LIMIT,
    )  # fmt: skip
    bench.run(
        """
        INSERT INTO contacts (id, tenant_id, mode, email, first_name, source, created_at)
        SELECT uuidv7(), %s, 'live', 'recipient-' || n || '@example.com', 'Recipient ' || n, 'api', now() + n * interval '1 us'
        FROM generate_series(1, %s) n
        """,
        tenant, recipients,
    )  # fmt: skip
    _add_domain(bench, tenant)
    bench.run("ANALYZE")
    return tenant


def _add_domain(bench: Bench, tenant: UUID) -> None:
    """A verified domain, so that the mails are signed as a customer's are."""
    from domains.signing_keys import new_key
    from penguinmails.vault import secret_path, write_secret

    (private, public), domain_id = new_key(), uuid4()
    path = secret_path("dkim", str(tenant), str(domain_id))
    write_secret(path, {"domain": _DOMAIN, "selector": "pm1", "private_key": private}, expected_version=0)
    bench.run(
        """
        INSERT INTO domains (id, tenant_id, mode, domain, verification_status, verification_token, dkim_selector,
                             dkim_public_key, secret_ref, verified_at)
        VALUES (%s, %s, 'live', %s, 'verified', 'token', 'pm1', %s, %s, now())
        """,
        domain_id, tenant, _DOMAIN, public, path,
    )  # fmt: skip


def start_campaign(tenant: UUID) -> UUID:
    """Draft a campaign of one 4 KB email to everybody and start it, by the code that the API runs."""
    from campaigns import lifecycle, service
    from campaigns.schemas import NewCampaign
    from penguinmails.db import transaction

    body = NewCampaign.model_validate(
        {
            "name": "Bench",
            "from_email": f"news@{_DOMAIN}",
            "steps": [{"type": "email", "subject": "Hello {{ first_name }}", "html_body": _HTML}],
            "settings": {"daily_limit": _NO_LIMIT},
        }
    )
    with transaction(tenant_id=tenant, mode="live") as tx:
        made = service.create_campaign(tx, body.model_dump(), uuid4())
        lifecycle.start(tx, service.hold(tx, made.campaign.id))
    return made.campaign.id


def carry_out(bench: Bench, recipients: int, senders: int) -> tuple[float, int]:
    """Run planner and senders, killing two on the way; seconds until the queue is empty, and how many mails were then sent."""
    names = ["plan", *(f"send-{number}" for number in range(senders))]
    began = time.monotonic()
    for name in names:
        bench.launch(name)
    to_kill = [int(recipients * share) for share in _KILLS_AT]
    last, still_since = 0, began
    while True:
        time.sleep(0.5)
        mails = bench.received()["mails"]
        if to_kill and mails >= to_kill[0]:
            to_kill.pop(0)
            victim = f"send-{len(to_kill) % senders}"
            bench.kill(victim)
            bench.launch(victim)
            print(f"  killed {victim} at {mails:,} mails")
        if mails != last:
            last, still_since = mails, time.monotonic()
        elif mails and time.monotonic() - still_since > 5:
            return still_since - began, mails


def recover(bench: Bench) -> None:
    """What the sweep does once the leases of killed workers have ended; here they end at once, to save five minutes."""
    from sweep_emails.service import sweep

    bench.run("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL")
    while sweep():
        pass
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(1)
        if not bench.ask("SELECT count(*) FROM emails WHERE status <> 'sent'"):
            return


def main() -> None:
    """Print what was lost, what came twice, how fast it was and what it asked of the database."""
    recipients = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    senders = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory(prefix="penguinmails-bench-") as directory:
        Path(directory).chmod(0o711)
        bench = Bench(Path(directory))
        try:
            bench.start()
            _measure(bench, recipients, senders)
        finally:
            bench.stop()


def _measure(bench: Bench, recipients: int, senders: int) -> None:
    print(machine())
    tenant = make_account(bench, recipients)
    campaign_id = start_campaign(tenant)
    bench.run("SELECT pg_stat_statements_reset()")
    seconds, mails = carry_out(bench, recipients, senders)
    statements = bench.ask(
        "SELECT sum(calls) FROM pg_stat_statements WHERE userid IN ('penguinmails_app'::regrole, 'penguinmails_jobs'::regrole)"
    )
    recover(bench)
    report = bench.received()
    completed = bench.ask(
        "SELECT count(*) FROM campaign_contacts WHERE campaign_id = %s AND status = 'completed'", campaign_id
    )
    print(f"{recipients:,} recipients, {senders} senders, {len(_KILLS_AT)} SIGKILLs")
    print(f"  {mails:,} mails in {seconds:.1f} s: {mails / seconds:,.0f} mails/s")
    twice = f"{report['repeated']:,} ({report['under_different_ids']:,} of them under different ids)"
    print(f"  lost {recipients - report['recipients']:,}; recipients who got it twice {twice}")
    print(f"  ledger: {completed:,} completed")
    print(f"  statements per 1,000 recipients: {1000 * int(statements) / recipients:,.0f}")


if __name__ == "__main__":
    main()
