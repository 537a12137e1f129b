"""Servers, workers and a receiver for the benches of webhooks."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from bench.platform import platform
from local.services.process import LOOPBACK, free_port, start, stop, wait_until
from local.stack import DATABASE, Stack
from penguinmails.settings import get_settings

FUNCTIONS = {
    "fan_out": "FanOutEventsFunction",
    "dispatch": "DispatchWebhooksFunction",
    "sweep": "SweepDeliveriesFunction",
    "produce": "WebhooksFunction",
}
_QUEUES = ("EventsQueue", "DeliveriesQueue")
_POLLS_PER_SECOND = 100


class WebhookStack:
    """A platform, and the processes around it."""

    def __init__(self, stack: Stack) -> None:
        """`stack` has its servers running."""
        self.stack = stack
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.port = free_port()

    def prepare(self) -> None:
        """Make the queues, count statements, start the receiver."""
        import boto3

        os.environ.update(self._environment("produce"))
        get_settings.cache_clear()
        sqs = boto3.client("sqs", endpoint_url=self.stack.aws.endpoint)
        for name in _QUEUES:
            sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "720"})
        self.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self.start_receiver()

    def start_receiver(self) -> None:
        """Start the endpoint of all webhooks."""
        log = self.stack.state / "receiver.log"
        process = start([sys.executable, "-m", "local.faulty_receiver", str(self.port)], log=log)
        self.processes["receiver"] = process
        wait_until(self._receiver_answers, process, name="The receiver", log=log, seconds=10)

    def _environment(self, kind: str) -> dict[str, str]:
        function = self.stack.template.functions[FUNCTIONS[kind]]
        return {**function.environment, **self.stack.variables(function)}

    def launch(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a worker, named for its kind and a number."""
        kind = name.partition("-")[0]
        command = [sys.executable, "-m", "bench.webhook_worker", kind, *arguments]
        log = self.stack.state / f"{name}.log"
        self.processes[name] = start(command, log=log, env={**os.environ, **self._environment(kind)})
        return self.processes[name]

    def launch_workers(self, fan_outs: int, dispatchers: int) -> None:
        """Start consumers of both queues; however many there are, they ask a queue a hundred times per second together."""
        for kind, number in (("fan_out", fan_outs), ("dispatch", dispatchers)):
            for position in range(number):
                self.launch(f"{kind}-{position}", str(number / _POLLS_PER_SECOND))

    def kill(self, name: str) -> None:
        """End a worker as the kernel does when memory is short."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self, *prefixes: str) -> None:
        """End processes of these kinds, or all."""
        for name in [name for name in self.processes if not prefixes or name.startswith(prefixes)]:
            stop(self.processes.pop(name), seconds=0.2)

    def run(self, statement: Any, *params: Any) -> None:
        """Run a statement past row security."""
        with psycopg.connect(self.stack.postgres.url(DATABASE), autocommit=True) as connection:
            connection.execute(statement, params)

    def ask(self, statement: Any, *params: Any) -> Any:
        """The first column of the first row, past row security."""
        with psycopg.connect(self.stack.postgres.url(DATABASE), autocommit=True) as connection:
            row = connection.execute(statement, params).fetchone()
        return row and row[0]

    def make_tenant(self, paths: list[str], **fields: Any) -> UUID:
        """An account without limits, with a webhook per path of the receiver."""
        from penguinmails.auth.scopes import Scope
        from penguinmails.db import transaction
        from webhooks import service

        tenant = uuid4()
        self.run("INSERT INTO tenants (id, name) VALUES (%s, 'Bench')", tenant)
        self.run("INSERT INTO subscriptions (id, tenant_id, plan_slug) VALUES (%s, %s, 'enterprise')", uuid4(), tenant)
        self.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%s, '{\"max_webhooks\": 100000}', 'bench')",
            tenant,
        )
        from webhooks.schemas import NewWebhook

        for path in paths:
            body = NewWebhook(
                name=path,
                endpoint_url=f"http://{LOOPBACK}:{self.port}{path}",
                event_types=["contact.created"],
                **fields,
            )
            with transaction(tenant_id=tenant, mode="live") as tx:
                service.create_webhook(tx, body.model_dump(mode="json"), scopes=frozenset(Scope), created_by=uuid4())
        return tenant

    def produce(self, rate: float, seconds: float, size: int, tenant: UUID, *, producers: int = 1) -> list[Path]:
        """Start producers that share a rate; the files that they will write."""
        files = [self.stack.state / f"committed-{uuid4().hex}.json" for _ in range(producers)]
        for number, file in enumerate(files):
            arguments = (str(rate / producers), str(seconds), str(size), str(file), str(tenant))
            self.launch(f"produce-{number}-{file.stem}", *arguments)
        return files

    def wait_for_producers(self) -> None:
        """Until all have written what they did."""
        for name in [name for name in self.processes if name.startswith("produce")]:
            if self.processes.pop(name).wait():
                raise RuntimeError(f"a producer failed; see {self.stack.state / (name + '.log')}")

    def report(self) -> dict[str, int]:
        """What the receiver counted."""
        return json.loads(self._get("/report"))

    def arrivals(self) -> dict[tuple[str, str], float]:
        """Path and event, and when its first byte came."""
        return {(path, event): moment for path, event, moment in json.loads(self._get("/arrivals"))}

    def forget(self) -> None:
        """Let the receiver begin anew."""
        self._get("/report", "DELETE")

    def wait_until_taken(self, number: int, seconds: float) -> int:
        """Until the receiver has taken so many, or the time is over; how many it has."""
        deadline = time.monotonic() + seconds
        while (taken := self.report()["taken"]) < number and time.monotonic() < deadline:
            time.sleep(0.1)
        return taken

    def statements(self) -> dict[str, int]:
        """Calls since the last reset: in all, and of those that are not BEGIN, COMMIT or the setting of the context."""
        where = "FROM pg_stat_statements WHERE userid IN ('penguinmails_app'::regrole, 'penguinmails_jobs'::regrole)"
        control = " AND query !~* '^(begin|commit|rollback)' AND query !~ 'set_config'"
        return {
            "all": int(self.ask("SELECT coalesce(sum(calls), 0) " + where)),
            "without control": int(self.ask("SELECT coalesce(sum(calls), 0) " + where + control)),
        }

    def _receiver_answers(self) -> bool:
        try:
            self._get("/report")
        except OSError:
            return False
        return True

    def _get(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"http://{LOOPBACK}:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own receiver
            return answer.read()


@contextmanager
def webhook_stack() -> Generator[WebhookStack]:
    """A platform with statement counting and a receiver; ends with everything stopped."""
    with platform("WebhooksFunction") as stack:
        with psycopg.connect(stack.postgres.url("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        stack.postgres.stop()
        stack.postgres.start()
        found = WebhookStack(stack)
        try:
            found.prepare()
            yield found
        finally:
            found.stop()
