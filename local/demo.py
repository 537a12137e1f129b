"""`make demo`: drives the running stack as a customer would, over HTTP alone, and prints what happened and how fast.

Exits 1 at the first step that does not hold.
"""

import json
import re
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from standardwebhooks.webhooks import Webhook

ENDPOINTS = Path(__file__).resolve().parent.parent / ".local" / "endpoints.json"
_PATIENCE_SECONDS = 20


class DemoError(Exception):
    """A step did not hold; the message says which answer was unexpected."""


@dataclass
class Inbox:
    """The customer's own server, which receives webhooks."""

    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])

    def start(self) -> str:
        """Listen on a free port; the URL."""
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Stay quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/hooks"


def request(method: str, url: str, *, body: Any = None, token: str = "", headers: dict[str, str] | None = None) -> Any:
    """One API call; the parsed answer. Raises DemoError for anything but 2xx."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data=data, method=method, headers=sent)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(call, timeout=30) as answer:  # noqa: S310 - loopback
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise DemoError(f"{method} {url} answered {error.code}: {error.read().decode()[:500]}") from None


def wait_for(what: str, found: Callable[[], Any]) -> Any:
    """Ask until there is something; raises DemoError when nothing comes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.02)
    raise DemoError(f"{what} did not arrive within {_PATIENCE_SECONDS} s")


@dataclass
class Timeline:
    """Prints one line per step with its latency."""

    started: float = field(default_factory=time.perf_counter)

    def step(self, what: str, action: Callable[[], Any]) -> Any:
        """Do a step and print it."""
        began = time.perf_counter()
        result = action()
        now = time.perf_counter()
        print(f"  {now - self.started:7.3f} s  {what:<52} {(now - began) * 1000:8.1f} ms", flush=True)
        return result


def main() -> int:
    """Run the demo; 0 when every step held."""
    if not ENDPOINTS.exists():
        print("The stack is not running. Start it in another terminal: make run", file=sys.stderr)
        return 1
    endpoints = json.loads(ENDPOINTS.read_text())
    try:
        drive(endpoints["api"] + "/api/v1", endpoints["mail"], zone=ENDPOINTS.parent / "dns.json")
    except (DemoError, OSError) as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    print("\nEvery step held.")
    return 0


@dataclass(frozen=True)
class Customer:
    """Somebody who has signed up and holds an API key."""

    email: str
    password: str
    session: str
    key: str


def mails_to(mail: str, address: str) -> Any:
    """What the mail catcher at `mail` holds for an address, oldest first."""
    return request("GET", f"{mail}/api/messages?to={address}")


def become_customer(api: str, mail: str, step: Callable[[str, Callable[[], Any]], Any]) -> Customer:
    """Sign up, verify the address, sign in, and create an API key; `step` does each step by its name."""
    email, password = f"ada.{uuid4().hex[:8]}@example.com", f"Analytical-{uuid4().hex[:8]}-1"
    account = {"email": email, "password": password, "name": "Ada Lovelace", "company": "Analytical Engines"}
    step("sign up", lambda: request("POST", f"{api}/accounts", body=account))
    found = step("verification mail in the catcher", lambda: wait_for("the mail", lambda: mails_to(mail, email)))
    token = re.search(r"#token=(\S+)", found[0]["text"])
    if token is None:
        raise DemoError("the verification mail has no link")
    step("verify the address", lambda: request("POST", f"{api}/accounts/verify-email", body={"token": token[1]}))
    credentials = {"email": email, "password": password}
    session = step("sign in", lambda: request("POST", f"{api}/sessions", body=credentials))["access_token"]
    step_up = {"password": password, "purpose": "api_keys"}
    reauth = step("confirm identity", lambda: request("POST", f"{api}/sessions/step-up", body=step_up, token=session))
    new_key = {
        "name": "Demo",
        "permissions": ["manage_contacts", "send_email", "read_analytics", "manage_webhooks", "manage_domains"],
    }
    proof = {"X-Reauth-Token": reauth["reauth_token"]}
    created = step(
        "create an API key",
        lambda: request("POST", f"{api}/platform/api-keys", body=new_key, token=session, headers=proof),
    )
    return Customer(email, password, session, created["api_key"])


def publish(zone: Path, records: list[dict[str, Any]]) -> None:
    """Put records into the DNS of this machine, beside those that are there."""
    names = json.loads(zone.read_text()) if zone.exists() else {}
    for record in records:
        names[record["name"]] = {record["type"]: [record["value"]]}
    zone.write_text(json.dumps(names, indent=2))


def drive(api: str, mail: str, *, zone: Path) -> None:
    """The whole way of a new customer; `zone` is the file of the machine's DNS."""
    step = Timeline().step
    reader = f"reader.{uuid4().hex[:8]}@example.com"
    inbox = Inbox()
    hook_url = inbox.start()
    key = become_customer(api, mail, step).key
    subscription = {"name": "Demo", "endpoint_url": hook_url, "event_types": ["email.sent", "contact.created"]}
    webhook = step("create a webhook", lambda: request("POST", f"{api}/webhooks", body=subscription, token=key))
    person = {"email": reader, "first_name": "Charles"}
    step("create a contact", lambda: request("POST", f"{api}/contacts", body=person, token=key))
    name = f"{uuid4().hex[:8]}.example"
    domain = step("add a sending domain", lambda: request("POST", f"{api}/domains", body={"domain": name}, token=key))
    step("publish its DNS records", lambda: publish(zone, domain["dns_records"]))
    path = f"{api}/domains/{domain['id']}/verify"
    checked = step("have them checked", lambda: request("POST", path, body={}, token=key))
    if checked["verification_status"] != "verified":
        raise DemoError(f"the domain is {checked['verification_status']}, not verified")
    message = {
        "to": reader,
        "from": f"Ada <hello@{name}>",
        "subject": "Hello from the demo",
        "html_body": "<p>It <b>works</b>.</p>",
    }
    sent = step("send an e-mail", lambda: request("POST", f"{api}/emails/send", body=message, token=key))
    caught = step("mail in the catcher", lambda: wait_for("the mail", lambda: mails_to(mail, reader)))
    if f"d={name};" not in caught[0]["headers"].get("DKIM-Signature", ""):
        raise DemoError("the mail has no DKIM signature of the domain")

    def announced() -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for headers, body in inbox.posts if headers["x-penguinmails-event"] == "email.sent"]

    posts = step("webhook email.sent received", lambda: wait_for("the webhook", announced))
    event = step("its signature verified", lambda: Webhook(webhook["secret_key"]).verify(posts[0][1], posts[0][0]))
    if event["data"]["email_id"] != sent["id"]:
        raise DemoError("the webhook is about another e-mail")
    shown = step("the e-mail's history", lambda: request("GET", f"{api}/emails/{sent['id']}", token=key))
    if shown["status"] != "sent":
        raise DemoError(f"the e-mail's status is {shown['status']}, not sent")


if __name__ == "__main__":
    sys.exit(main())
