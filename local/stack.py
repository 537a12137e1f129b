"""The one-machine stack as an object: starts everything, knows where it listens, stops everything."""

import asyncio
import base64
import json
import os
import secrets
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from database.migrate import migrate
from local.environments import Pool
from local.gateway import Gateway
from local.mail_page import mail_app
from local.queues import Poller, Sqs
from local.sandboxes.mails import SentMails
from local.sandboxes.server import provider_app
from local.schedules import run_schedule
from local.services.aws import CREDENTIAL, AwsEmulator
from local.services.dns import DnsSandbox
from local.services.incoming_mail import IncomingMail
from local.services.mail import MailCatcher
from local.services.postgres import Postgres
from local.services.process import LOOPBACK, ServiceError, port_is_taken
from local.services.valkey import Valkey
from local.template import REGION, Function, Template, read_template
from local.vault import RunningVault
from local.vault import start as start_vault
from penguinmails.domain.incoming_mail import relay_key
from penguinmails.platform_secrets import PURPOSES

DATABASE = "penguinmails"
BUCKET = "penguinmails-files"
REPLY_DOMAIN = "replies.localhost"
DEFAULT_PORT_BASE = 8400
_HIGHEST_BASE = 65_000
_API_ENVIRONMENTS = 4
_SHUTDOWN_SECONDS = 5
SERVICES = ("api", "mail_page", "smtp", "vault", "aws", "postgres", "valkey", "providers", "dns", "incoming_mail")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens; one base moves them all."""

    base: int

    @classmethod
    def from_text(cls, text: str) -> "Ports":
        """Read what PENGUINMAILS_PORT_BASE holds; raises ServiceError when no base can be made of it."""
        if not (text.isascii() and text.isdecimal()) or not 1024 <= int(text) <= _HIGHEST_BASE:
            raise ServiceError(
                f"PENGUINMAILS_PORT_BASE is '{text}'; it must be a number from 1024 to {_HIGHEST_BASE}, the first of "
                f"{len(SERVICES)} ports in a row, such as {DEFAULT_PORT_BASE}."
            )
        return cls(int(text))

    def __getattr__(self, name: str) -> int:
        if name in SERVICES:
            return self.base + SERVICES.index(name)
        raise AttributeError(name)

    def refuse_taken(self, *, patience_seconds: float = 0) -> None:
        """Raises ServiceError when somebody else listens on one of them, still after `patience_seconds`."""
        deadline = time.monotonic() + patience_seconds
        for name in SERVICES:
            port: int = getattr(self, name)
            while port_is_taken(port):
                if time.monotonic() >= deadline:
                    other = self.base + 1000 if self.base < _HIGHEST_BASE - 1000 else DEFAULT_PORT_BASE
                    raise ServiceError(
                        f"Port {port} ({name}) is taken by another program. Stop it, or choose other ports: "
                        f"PENGUINMAILS_PORT_BASE={other} make run"
                    )
                time.sleep(0.1)


@dataclass
class Stack:
    """Everything between a customer's HTTP request and the mail in the catcher."""

    root: Path
    ports: Ports
    durable: bool = True
    directory: Path | None = None
    """Where data lives; `.local` of the checkout unless named."""
    pools: dict[str, Pool] = field(default_factory=dict[str, Pool])

    def __post_init__(self) -> None:
        """Describe the services; nothing is started yet."""
        self.state = self.directory or self.root / ".local"
        self.postgres = Postgres(self.state / "postgres", self.ports.postgres, self.durable)
        self.valkey = Valkey(self.state / "valkey", self.ports.valkey, self.durable)
        self.aws = AwsEmulator(self.root, self.state / "aws", self.ports.aws)
        self.mail = MailCatcher(self.ports.smtp)
        self.dns = DnsSandbox(self.state / "dns.json", self.ports.dns)
        self.vault: RunningVault | None = None
        self.template: Template = read_template(self.root / "template.yaml")
        self._tasks: list[asyncio.Task[None]] = []
        self._runners: list[web.AppRunner] = []
        self._incoming: IncomingMail | None = None
        self._session: aiohttp.ClientSession | None = None
        self._threads: ThreadPoolExecutor | None = None

    @property
    def api_url(self) -> str:
        """Where the API answers."""
        return f"http://{LOOPBACK}:{self.ports.api}"

    def start_services(self, *, patience_seconds: float = 0) -> None:
        """Start all servers at the same time and bring the database up to date.

        `patience_seconds` is how long to wait for ports that an earlier run may still hold.
        """
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.state.chmod(0o711)
        self.ports.refuse_taken(patience_seconds=patience_seconds)

        def start_the_vault() -> None:
            self.vault = start_vault(self.state / "vault", self.ports.vault)

        starts: list[Callable[[], None]] = [
            self.postgres.start,
            self.valkey.start,
            self.aws.start,
            self.mail.start,
            self.dns.start,
            start_the_vault,
        ]
        # The kernel ends a child when the thread that started it ends, so the threads stay until the stack stops.
        self._threads = ThreadPoolExecutor(len(starts))
        for done in [self._threads.submit(start) for start in starts]:
            done.result()
        self.postgres.create_database(DATABASE)
        migrate(self.postgres.url(DATABASE))
        _keep_platform_secrets(self.state / "platform-secrets.json")

    def variables(self, function: Function) -> dict[str, str]:
        """The environment of a function on this machine: what the template gives it, with local values."""
        assert self.vault is not None  # noqa: S101 - started before any function
        account = function.environment.get("VAULT_ROLE", "api-service")
        values = {
            "ENVIRONMENT": "local",
            "PUBLIC_URL": self.api_url,
            "TRACKING_URL": self.api_url,
            "CONSOLE_ORIGINS": self.api_url,
            # Nobody stands before this API, and the database trusts this machine.
            "ORIGIN_SECRET": "",
            "DATABASE_AUTH": "none",
            "VAULT_AUTH_MOUNT": "",
            "DATABASE_URL": self.postgres.url(DATABASE, "penguinmails_app"),
            "IMPORTS_DATABASE_URL": self.postgres.url(DATABASE, "penguinmails_import"),
            "FILES_BUCKET": BUCKET,
            "JOBS_DATABASE_URL": self.postgres.url(DATABASE, "penguinmails_jobs"),
            "MIGRATIONS_DATABASE_URL": self.postgres.url(DATABASE),
            "REDIS_URL": self.valkey.url,
            "SMTP_HOST": LOOPBACK,
            "SMTP_PORT": str(self.ports.smtp),
            # The catcher speaks no TLS, and nothing leaves the machine.
            "SMTP_SECURITY": "none",
            "REPLY_DOMAIN": REPLY_DOMAIN,
            **{
                name: f"{self.aws.endpoint}/000000000000/{queue}"
                for name, queue in function.environment.items()
                if name.endswith("_QUEUE_URL")
            },
        }
        # Nothing that the template does not give: a function that lacks a setting in AWS lacks it here too.
        given = {name: value for name, value in values.items() if name in function.environment}
        return {
            **given,
            **self.vault.environment(account),
            "PLATFORM_SECRETS_WRAPPED": "",
            "PLATFORM_SECRETS_FILE": str(self.state / "platform-secrets.json"),
            "ALLOW_LOCALHOST_WEBHOOKS": "true",
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "POSTMARK_URL": f"http://{LOOPBACK}:{self.ports.providers}",
            "MAILGUN_URL": f"http://{LOOPBACK}:{self.ports.providers}",
            "DNS_RESOLVERS": self.dns.resolver,
            "AWS_ACCESS_KEY_ID": CREDENTIAL,
            "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
            "AWS_DEFAULT_REGION": REGION,
        }

    def environments(self) -> dict[str, dict[str, str]]:
        """The environment of each function, for whoever runs one by itself."""
        functions = self.template.functions.values()
        return {function.name: {**function.environment, **self.variables(function)} for function in functions}

    async def serve(self) -> None:
        """Create the queues, then serve API, queues, schedules and the mail page until `stop`."""
        concurrency = {mapping.function: mapping.max_concurrency for mapping in self.template.mappings}
        for name, function in self.template.functions.items():
            limit = min(function.reserved_concurrency or concurrency.get(name, _API_ENVIRONMENTS), _API_ENVIRONMENTS)
            log = self.state / "logs" / f"{function.handler.split('.')[0]}.log"
            self.pools[name] = Pool(function, self.variables(function), limit, log, self.root)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        sqs = Sqs(self.aws.endpoint, self._session)
        urls = await self.create_queues()
        await self._create_bucket()
        for mapping in self.template.mappings:
            self._spawn(Poller(mapping, urls[mapping.queue], sqs, self.invoke).run())
        for schedule in self.template.schedules:
            self._spawn(run_schedule(schedule, self.invoke))
        await self._listen(Gateway(self.template.routes, self.invoke).app(), self.ports.api)
        await self._listen(mail_app(self.mail), self.ports.mail_page)
        await self._listen(provider_app(SentMails()), self.ports.providers)
        version, key = _newest_link_key(self.state / "platform-secrets.json")
        url = f"{self.api_url}/webhooks/smtp/inbound"
        self._incoming = IncomingMail(url, relay_key(key), version, self.ports.incoming_mail)
        self._incoming.start()

    async def create_queues(self) -> dict[str, str]:
        """Make the template's queues where they are not there yet; their URLs by name."""
        assert self._session is not None  # noqa: S101 - the stack serves
        sqs = Sqs(self.aws.endpoint, self._session)
        # Dead-letter queues first: the others refer to them.
        queues = sorted(self.template.queues.values(), key=lambda queue: queue.dead_letter is not None)
        return {queue.name: await sqs.create(queue) for queue in queues}

    async def _create_bucket(self) -> None:
        assert self._session is not None  # noqa: S101 - the stack serves
        where = (
            f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        )
        async with self._session.put(f"{self.aws.endpoint}/{BUCKET}", data=where) as made:
            if made.status not in {200, 409}:
                raise ServiceError(f"The AWS emulator made no bucket ({made.status}); see {self.state / 'aws.log'}.")

    async def invoke(self, function: str, event: Any) -> Any:
        """Invoke a function in one of its environments."""
        return await self.pools[function].invoke(event)

    def recycle(self) -> None:
        """Take up changed code with the next events."""
        for pool in self.pools.values():
            pool.recycle()

    def check(self) -> None:
        """Raises ServiceError when a server has died."""
        for name, process, log in (
            ("PostgreSQL", self.postgres.process, self.state / "postgres.log"),
            ("Valkey", self.valkey.process, self.state / "valkey.log"),
            ("The AWS emulator", self.aws.process, self.state / "aws.log"),
            *([("Vault", self.vault.process, self.vault.log)] if self.vault is not None else []),
        ):
            if process is not None and process.poll() is not None:
                raise ServiceError(
                    f"{name} has stopped (exit {process.returncode}); see {log}, then run `make run` again."
                )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _listen(self, app: web.Application, port: int) -> None:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port).start()
        self._runners.append(runner)

    async def stop_serving(self) -> None:
        """Take no further work and end the environments."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *(runner.cleanup() for runner in self._runners), return_exceptions=True)
        await asyncio.gather(*(pool.stop() for pool in self.pools.values()))
        if self._session is not None:
            await self._session.close()

    def stop_services(self) -> None:
        """End the servers, the database last; also in the middle of their start."""
        self._stop_what_runs()
        if self._threads is not None:
            # A thread that was about to start a server when we stopped has done so by now.
            self._threads.shutdown(cancel_futures=True)
            self._stop_what_runs()

    def _stop_what_runs(self) -> None:
        self.mail.stop()
        if self._incoming is not None:
            self._incoming.stop()
            self._incoming = None
        self.dns.stop()
        self.aws.stop()
        self.valkey.stop()
        if self.vault is not None:
            self.vault.stop()
        self.postgres.stop()


def _keep_platform_secrets(file: Path) -> None:
    """Make the platform's keys once; they must survive a restart, or every API key would be unknown."""
    kept = json.loads(file.read_text()) if file.exists() else {}
    missing = {p: {"1": base64.b64encode(secrets.token_bytes(32)).decode()} for p in PURPOSES if p not in kept}
    if not missing:
        return
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        json.dump({**kept, **missing}, output)
    fresh.replace(file)


def _newest_link_key(file: Path) -> tuple[int, bytes]:
    versions: dict[str, str] = json.loads(file.read_text())["link_keys"]
    newest = max(versions, key=int)
    return int(newest), base64.b64decode(versions[newest])
