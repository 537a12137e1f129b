"""What the stack object decides without a server."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.services.process import LOOPBACK, ServiceError, free_ports_in_a_row
from local.stack import SERVICES, Ports, Stack

ROOT = Path(__file__).resolve().parents[2]


class Vault:
    """Just its process and log."""

    def __init__(self, process: Any, log: Path) -> None:
        self.process = process
        self.log = log


@pytest.mark.parametrize("service", ["postgres", "valkey", "aws", "vault"])
def test_a_server_that_has_stopped_is_named_with_its_log_and_what_to_do(tmp_path: Path, service: str) -> None:
    stack = Stack(ROOT, Ports(8400), directory=tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    ended.wait()
    stack.check()
    if service == "vault":
        stack.vault = Vault(ended, tmp_path / "vault.log")  # pyright: ignore[reportAttributeAccessIssue]
    else:
        getattr(stack, service).process = ended

    with pytest.raises(ServiceError, match=rf"has stopped \(exit 3\); see .*{service}\.log, then run `make run` again"):
        stack.check()


@pytest.mark.parametrize("service", SERVICES)
def test_every_port_is_looked_at_before_the_start(service: str) -> None:
    base = free_ports_in_a_row(len(SERVICES))
    ports = Ports(base)
    with (
        socket.create_server((LOOPBACK, getattr(ports, service))),
        pytest.raises(ServiceError, match=rf"\({service}\).*PENGUINMAILS_PORT_BASE={base + 1000}"),
    ):
        ports.refuse_taken()


def test_an_unclean_end_is_given_time_to_free_its_ports() -> None:
    ports = Ports(free_ports_in_a_row(len(SERVICES)))
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import socket, sys; s = socket.create_server(('{LOOPBACK}', {ports.aws})); print(flush=True); sys.stdin.read(1)",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin and holder.stdout
    holder.stdout.readline()
    with pytest.raises(ServiceError):
        ports.refuse_taken(patience_seconds=0.2)
    holder.stdin.close()

    ports.refuse_taken(patience_seconds=20)
    holder.wait()
    holder.stdout.close()


@pytest.mark.parametrize("text", ["many", "80", "65535", "-5", "", "8400.0", "²"])
def test_a_port_base_that_is_none_says_what_would_be(text: str) -> None:
    with pytest.raises(ServiceError, match=r"PENGUINMAILS_PORT_BASE is '.*'; it must be a number from 1024 to 65000"):
        Ports.from_text(text)
