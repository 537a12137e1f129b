"""The whole one-machine stack, served from a thread, with what a test needs to break it."""

import asyncio
import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.demo import become_customer
from local.queues import Sqs
from local.services.mail import CaughtMail
from local.services.process import LOOPBACK, free_ports_in_a_row
from local.stack import DATABASE, SERVICES, Ports, Stack
from tests.support.mail import WatchedMailCatcher
from tests.support.secret_watch import remember, remember_document, remember_text

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 40


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `json` is None for a body that is not JSON."""

    status: int
    headers: dict[str, str]
    json: Any


@dataclass
class HookedMailCatcher(WatchedMailCatcher):
    """Calls `before_answer` when it holds a mail and has not said so yet."""

    before_answer: Callable[[CaughtMail], None] = lambda _mail: None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """See MailCatcher."""
        answer = await super().handle_DATA(server, session, envelope)
        self.before_answer(self.all_mails()[-1])
        return answer


@dataclass
class BreakableStack(Stack):
    """A stack whose queues can misbehave as SQS may."""

    every_message_twice: bool = False
    busy: int = 0

    async def invoke(self, function: str, event: Any) -> Any:
        """Invoke a function; with `every_message_twice`, two environments get the same batch at the same time."""
        self.busy += 1
        try:
            if self.every_message_twice and "Records" in event:
                invoke = super().invoke
                answers = await asyncio.gather(*(invoke(function, event) for _ in range(2)), return_exceptions=True)
                for answer in answers:
                    if isinstance(answer, BaseException):
                        raise answer
                return answers[0]
            return await super().invoke(function, event)
        finally:
            self.busy -= 1


@dataclass
class RunningStack:
    """A stack at work. The thread that made it must live as long: the kernel ends servers with their thread."""

    directory: Path
    visibility_seconds: int | None = None
    """Instead of the template's, so that a test can wait until a failed message comes again."""
    stack: BreakableStack = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        """Start everything."""
        self.stack = BreakableStack(
            ROOT, Ports(free_ports_in_a_row(len(SERVICES))), durable=False, directory=self.directory
        )
        if self.visibility_seconds is not None:
            queues = self.stack.template.queues
            for name, queue in queues.items():
                queues[name] = replace(queue, visibility_seconds=self.visibility_seconds)
        self.mail = self.stack.mail = HookedMailCatcher(self.stack.ports.smtp)
        self.stack.start_services()
        for versions in json.loads((self.directory / "platform-secrets.json").read_text()).values():
            for value in versions.values():
                remember("platform secret", value)
        for file in (self.directory / "vault").glob("*.secret-id"):
            remember("Vault secret id", file.read_text().strip())
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.on_loop(self.stack.serve())

    def stop(self) -> None:
        """Stop everything."""
        self.on_loop(self.stack.stop_serving())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.stack.stop_services()

    def on_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine beside the stack's own."""
        done: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return done.result(PATIENCE_SECONDS)

    def ask(self, method: str, path: str, *, key: str = "", body: Any = None) -> Answer:
        """One request through the gateway."""
        connection = http.client.HTTPConnection(LOOPBACK, self.stack.ports.api, timeout=35)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        try:
            connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            remember_text(content)
            is_json = "json" in (answer.getheader("Content-Type") or "")
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                json.loads(content) if is_json and content else None,
            )
        finally:
            connection.close()

    def new_customer(self) -> str:
        """The API key of somebody who signed up through the API, on the plan with the widest limits."""
        mail = f"http://{LOOPBACK}:{self.stack.ports.mail_page}"
        customer = become_customer(f"{self.stack.api_url}/api/v1", mail, _watched)
        remember("password", customer.password)
        self.sql(
            "UPDATE subscriptions SET plan_slug = 'enterprise' WHERE tenant_id ="
            " (SELECT tenant_id FROM users WHERE email = %s)",
            customer.email,
        )
        return customer.key

    def send_email(self, key: str, to: str | None = None) -> Answer:
        """Ask for an email to an address, or to a new one."""
        message = {"to": to or f"{uuid4().hex}@example.com", "subject": "Hello", "html_body": "<p>Hello</p>"}
        return self.ask("POST", "/emails/send", key=key, body=message)

    def subscribe(self, key: str, url: str, *events: str) -> str:
        """Create a webhook; its id."""
        body = {"name": "hook", "endpoint_url": url, "event_types": list(events)}
        answer = self.ask("POST", "/webhooks", key=key, body=body)
        assert answer.status == 201, answer
        return answer.json["id"]

    def mails_of(self, answers: Sequence[Answer]) -> Counter[str]:
        """How often the mail server took each accepted email, by the email's id."""
        known = {f"<{UUID(answer.json['id']).hex}@penguinmails.com>": answer.json["id"] for answer in answers}
        arrived = Counter(known[mail.message_id] for mail in self.mail.all_mails() if mail.message_id in known)
        return Counter({answer.json["id"]: arrived[answer.json["id"]] for answer in answers})

    def events_of(self, email_ids: Sequence[str]) -> list[int]:
        """How many `email.sent` events were raised for each."""
        counted = dict(
            self.sql(
                "SELECT data ->> 'email_id', count(*) FROM events"
                " WHERE type = 'email.sent' AND data ->> 'email_id' = ANY(%s) GROUP BY 1",
                list(email_ids),
            )
        )
        return [counted.get(email_id, 0) for email_id in email_ids]

    def missing_posts(self, posted: Collection[str]) -> list[str]:
        """Events that some webhook subscribed to and that are not among those posted, with what is known of each."""
        rows = self.sql(
            "SELECT 'evt_' || replace(e.id::text, '-', ''), e.type, e.created_at, d.status, d.attempts, d.created_at,"
            " ARRAY(SELECT a.error_message || ' ' || a.attempted_at FROM webhook_attempts a WHERE a.delivery_id = d.id)"
            " FROM events e JOIN webhooks w ON w.tenant_id = e.tenant_id AND e.type = ANY (w.event_types)"
            " AND w.created_at < e.created_at AND w.deleted_at IS NULL"
            " LEFT JOIN webhook_deliveries d ON d.webhook_id = w.id AND d.event_id = e.id"
        )
        return [" ".join(map(str, row)) for row in rows if row[0] not in posted]

    def sql(self, statement: LiteralString, *params: Any) -> list[Any]:
        """Run a statement as the superuser; the rows."""
        with psycopg.connect(self.stack.postgres.url(DATABASE), autocommit=True) as connection:
            cursor = connection.execute(statement, params)
            return cursor.fetchall() if cursor.description else []

    def kill(self, function: str) -> int:
        """End the execution environments of a function with SIGKILL, as a crash would; how many."""
        pids = self.stack.pools[function].process_ids()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return len(pids)

    def all_logs(self) -> dict[Path, str]:
        """What functions and servers have written; Vault's audit log holds digests of secrets only."""
        return {file: file.read_text(errors="replace") for file in self.directory.rglob("*.log")}

    def logs(self, function_folder: str) -> str:
        """What a function has written."""
        file = self.directory / "logs" / f"{function_folder}.log"
        return file.read_text() if file.exists() else ""

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        """Wait for something to come true; what it gave."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")

    def until_idle(self) -> None:
        """Wait until nothing waits in a queue and no function is at work.

        Failed messages that come again only after their visibility time count where that time is the test's own.
        """

        def is_idle() -> bool:
            return all(self._is_idle_now() for _ in range(3))

        self.until("the queues are empty and no function is busy", is_idle)

    def _is_idle_now(self) -> bool:
        return self.stack.busy == 0 and self.on_loop(self._waiting_messages()) == 0 and self.stack.busy == 0

    async def _waiting_messages(self) -> int:
        session = self.stack._session  # pyright: ignore[reportPrivateUsage]
        assert session is not None
        sqs, found = Sqs(self.stack.aws.endpoint, session), 0
        counted = ["ApproximateNumberOfMessages"]
        if self.visibility_seconds is not None:
            counted.append("ApproximateNumberOfMessagesNotVisible")
        for queue in self.stack.template.queues.values():
            if queue.dead_letter:
                url = f"{self.stack.aws.endpoint}/000000000000/{queue.name}"
                answer = await sqs.call("GetQueueAttributes", QueueUrl=url, AttributeNames=counted)
                found += sum(int(answer["Attributes"][name]) for name in counted)
        return found

    def let_the_sweeps_make_good(self) -> None:
        """Let the time pass after which the sweeps take over what was lost, and let them; returns when all is done."""
        left: list[Any] = []
        for _ in range(4):
            self.until_idle()
            self.sql("UPDATE outbox SET created_at = created_at - interval '1 minute'")
            self.sql("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL")
            self.sql("UPDATE webhook_deliveries SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL")
            left = self.sql(
                "SELECT 'message', id::text, queue FROM outbox"
                " UNION ALL SELECT 'email', id::text, status FROM emails WHERE next_sweep_at IS NOT NULL"
                " UNION ALL SELECT 'delivery', id::text, status FROM webhook_deliveries WHERE next_sweep_at IS NOT NULL"
            )
            if not left:
                return
            for job in ("SweepOutboxFunction", "SweepEmailsFunction", "SweepDeliveriesFunction"):
                self.on_loop(self.stack.invoke(job, {}))
        raise AssertionError(f"left after four rounds of the sweeps: {left}")


def _watched(_name: str, step: Callable[[], Any]) -> Any:
    """Do a step, and remember the secrets that it gave."""
    answer = step()
    remember_document(answer)
    return answer
