"""One HTTP server for all sandboxes of mail providers; their paths do not overlap."""

import asyncio
import threading
from base64 import b64encode
from dataclasses import asdict, dataclass, field

import aiohttp
from aiohttp import web

from local.sandboxes import mailgun, mailgun_inbound, postmark
from local.sandboxes.mails import SentMail, SentMails
from local.services.process import LOOPBACK, free_port

_REPORT_AFTER_SECONDS = 1
_MOST_BYTES = 52 * 1024 * 1024


def provider_app(memory: SentMails) -> web.Application:
    """Both providers, and `GET /sandbox/mails` to see what they have taken."""
    posts: set[asyncio.Task[None]] = set()

    async def report(mail: SentMail) -> None:
        task = asyncio.create_task(_report(memory, mail))
        posts.add(task)
        task.add_done_callback(posts.discard)

    async def show(_request: web.Request) -> web.Response:
        shown = [{**asdict(mail), "api_key": "", "attachments": len(mail.attachments)} for mail in list(memory.mails)]
        return web.json_response(shown)

    async def stop(_app: web.Application) -> None:
        for task in posts:
            task.cancel()

    app = web.Application(client_max_size=_MOST_BYTES)
    app.add_routes([*postmark.routes(memory, report), *mailgun.routes(memory, report), *mailgun_inbound.routes(memory)])
    app.router.add_get("/sandbox/mails", show)
    app.on_cleanup.append(stop)
    return app


async def _report(memory: SentMails, mail: SentMail) -> None:
    """Post to the account's webhooks; a provider would try again, the sandbox does not."""
    hooks = memory.hooks.get(f"{mail.provider}:{mail.api_key}", [])
    if not hooks:
        return
    await asyncio.sleep(_REPORT_AFTER_SECONDS)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        for hook in hooks:
            body = postmark.report_of(mail) if mail.provider == "postmark" else mailgun.report_of(mail)
            headers: dict[str, str] = {}
            if hook.user:
                headers["Authorization"] = "Basic " + b64encode(f"{hook.user}:{hook.password}".encode()).decode()
            try:
                async with session.post(hook.url, json=body, headers=headers):
                    memory.reports.append((hook.url, body))
            except (aiohttp.ClientError, TimeoutError):
                continue


@dataclass
class SandboxServer:
    """The sandboxes in a thread of this process, for tests."""

    port: int = field(default_factory=free_port)
    memory: SentMails = field(default_factory=SentMails)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start listening."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=10)

    async def _listen(self) -> None:
        self._runner = web.AppRunner(provider_app(self.memory), access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()

    def stop(self) -> None:
        """Stop listening."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
