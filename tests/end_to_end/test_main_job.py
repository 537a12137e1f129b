"""What the platform is for, through the gateway, the queues and the real handlers."""

from pathlib import Path
from typing import Any

import pytest

from local import demo
from local.services.process import LOOPBACK
from tests.support.running_stack import RunningStack
from tests.support.secret_watch import remember_document

pytestmark = pytest.mark.end_to_end


def test_a_new_customer_gets_from_sign_up_to_a_verified_webhook(
    running: RunningStack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def watched(method: str, url: str, **request: Any) -> Any:
        remember_document(request)
        answer = ask(method, url, **request)
        remember_document(answer)
        return answer

    ask = demo.request
    monkeypatch.setattr(demo, "request", watched)
    mail_page = f"http://{LOOPBACK}:{running.stack.ports.mail_page}"
    demo.drive(f"{running.stack.api_url}/api/v1", mail_page, zone=running.stack.dns.zone)

    assert "its signature verified" in capsys.readouterr().out


def test_a_path_that_nobody_serves_is_a_problem_document(running: RunningStack) -> None:
    answer = running.ask("GET", "/nothing-here")

    assert (answer.status, answer.json["code"]) == (404, "RESOURCE_NOT_FOUND")


def test_everything_listens_on_loopback_alone(running: RunningStack) -> None:
    ports = {running.stack.ports.base + offset for offset in range(7)}
    listening = _listening_addresses()

    assert ports <= {port for _, port in listening}
    assert {address for address, port in listening if port in ports} == {"0100007F"}


def _listening_addresses() -> set[tuple[str, int]]:
    """Address (in the kernel's own writing) and port of each listening socket of this machine, IPv6 included."""
    tables = "".join(Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6"))
    rows = [line.split() for line in tables.splitlines()]
    listening = [row[1].split(":") for row in rows if row[3] == "0A"]
    return {(address, int(port, 16)) for address, port in listening}
