"""`make run` as a process: what it says when something is in the way, and that it leaves nothing behind."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.services.process import LOOPBACK, free_ports_in_a_row
from local.stack import SERVICES

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60
pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]


@dataclass
class Run:
    """One `make run` over a state directory."""

    state: Path
    port_base: int
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.output = self.state.with_name(f"{self.state.name}-{uuid4().hex}.out")

    def start(self, *arguments: str) -> "Run":
        command = [sys.executable, "-m", "local.run", "--state", str(self.state), *arguments]
        environment = surroundings(str(self.port_base))
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        return self

    def end(self) -> tuple[int, str]:
        """Exit status and everything that was printed, once the process has ended."""
        self.process.wait(PATIENCE_SECONDS)
        return self.process.returncode, self.output.read_text()

    def until_ready(self) -> dict[str, Any]:
        """What endpoints.json says once it is there."""
        file = self.state / "endpoints.json"
        self.until("the stack is ready", file.exists)
        return json.loads(file.read_text())

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if found := condition():
                return found
            assert self.process.poll() is None, f"ended before {what}: {self.end()}"
            time.sleep(0.02)
        raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")

    def children(self) -> list[int]:
        """The processes that it has started and their children."""
        parents = {pid: parent for pid, parent, _ in processes()}
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        children = sorted(found - {self.process.pid})
        self._births = {pid: birth(pid) for pid in children}
        return children

    def alive(self, children: list[int]) -> list[int]:
        """Those that have not ended. An id alone says nothing: another process may have it by now."""
        present = {pid for pid, _, _ in processes()}
        return [pid for pid in children if pid in present and birth(pid) == self._births[pid]]

    def child(self, name: str) -> int:
        """The one child whose command line has a word."""
        return next(pid for pid, parent, args in processes() if parent == self.process.pid and name in args)


def surroundings(port_base: str) -> dict[str, str]:
    """The environment that the Makefile gives to `make run`."""
    paths = (".", "functions", "layers/common/python")
    search = os.pathsep.join(str(ROOT / path) for path in paths)
    return {**os.environ, "PENGUINMAILS_PORT_BASE": port_base, "PYTHONPATH": search}


def processes() -> list[tuple[int, int, str]]:
    """Id, parent's id and command line of every process of this machine that has not ended."""
    found: list[tuple[int, int, str]] = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            status, arguments = (directory / "stat").read_text(), (directory / "cmdline").read_text()
        except OSError:
            continue
        state, parent = status.rpartition(")")[2].split()[:2]
        if state != "Z":
            found.append((int(directory.name), int(parent), arguments.replace("\0", " ")))
    return found


def birth(pid: int) -> str:
    """When a process began, in ticks since the machine did; empty when there is none."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    made = Run(tmp_path / "state", free_ports_in_a_row(len(SERVICES)))
    yield made
    if hasattr(made, "process") and made.process.poll() is None:
        made.process.send_signal(signal.SIGINT)
        made.end()


def test_a_port_base_that_is_none_is_refused_with_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.run", "--state", str(tmp_path / "state")]
    done = subprocess.run(command, cwd=ROOT, env=surroundings("many"), capture_output=True, text=True, check=False)

    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith("PENGUINMAILS_PORT_BASE is 'many'; it must be a number from 1024 to 65000")


def test_a_taken_port_is_named_with_the_way_out(run: Run) -> None:
    port = run.port_base + SERVICES.index("postgres")
    with socket.create_server((LOOPBACK, port)):
        status, output = run.start().end()

    assert status == 1
    sentence = output.splitlines()[-1]
    assert sentence.startswith(f"Port {port} (postgres) is taken by another program.")
    assert re.search(r"PENGUINMAILS_PORT_BASE=\d+ make run$", sentence)
    assert "Traceback" not in output


def test_the_whole_life_of_a_stack(run: Run) -> None:
    """Start, a second start beside it, a change of code, Ctrl-C, a start again with the data kept."""
    endpoints = run.start("--reload").until_ready()
    assert set(endpoints) == {
        "api", "docs", "mail", "smtp", "incoming_mail", "providers", "vault", "vault_kind", "aws", "postgres", "valkey",
        "owners", "staff",
    }  # fmt: skip
    assert [owner["plan"] for owner in endpoints["owners"]] == ["starter", "pro", "business", "enterprise"]
    assert stat.S_IMODE((run.state / "endpoints.json").stat().st_mode) == 0o600
    assert sign_in(endpoints) == 201

    second = Run(run.state, run.port_base).start()
    assert second.end() == (1, f"The stack is running already on {run.state}; stop it there with Ctrl-C first.\n")
    reset = subprocess.run(
        [sys.executable, "-m", "local.reset", str(run.state)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (reset.returncode, reset.stderr) == (1, "The stack is running; stop it first with Ctrl-C.\n")

    servers = {name: run.child(name) for name in ("postgres", "valkey", "ministack")}
    environments = set(run.children()) - set(servers.values())
    os.utime(ROOT / "functions" / "sessions" / "__init__.py")
    run.until("the change is seen", lambda: "code changed" in run.output.read_text())
    assert sign_in(endpoints) == 201
    assert {name: run.child(name) for name in servers} == servers
    run.until(
        "the old environments are gone",
        lambda: not environments & {pid for pid, _, a in processes() if "local.runtime" in a},
    )

    children = run.children()
    run.process.send_signal(signal.SIGINT)
    status, output = run.end()
    assert (status, run.alive(children)) == (0, [])
    assert "Traceback" not in output
    assert not (run.state / "endpoints.json").exists()

    assert run.start().until_ready()["owners"] == endpoints["owners"]
    assert sign_in(endpoints) == 201


def sign_in(endpoints: dict[str, Any]) -> int:
    owner = endpoints["owners"][0]
    body = json.dumps({"email": owner["email"], "password": owner["password"]}).encode()
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{endpoints['api']}/api/v1/sessions", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return answer.status


def test_an_interrupt_in_the_middle_of_the_start_leaves_nothing_behind(run: Run) -> None:
    run.start()
    children = run.until("the first servers are there", run.children)
    run.process.send_signal(signal.SIGTERM)
    status, output = run.end()

    assert status == 130
    assert "Traceback" not in output
    assert run.alive(children) == []
    assert not [args for _, _, args in processes() if str(run.state) in args]


def test_a_server_that_dies_ends_the_stack_with_a_sentence(run: Run) -> None:
    run.start().until_ready()
    children = run.children()
    os.kill(run.child("valkey"), signal.SIGKILL)
    status, output = run.end()

    assert status == 1
    assert output.splitlines()[-1].startswith("Valkey has stopped (exit -9); see ")
    assert run.alive(children) == []


def test_after_the_runner_was_killed_the_next_start_works_and_keeps_the_data(run: Run) -> None:
    owners = run.start().until_ready()["owners"]
    children = run.children()
    run.process.kill()
    run.end()
    assert (run.state / "endpoints.json").exists()

    run.start()
    run.until("the new run has written its own", lambda: (run.state / "lock").read_text() == str(run.process.pid))
    (run.state / "endpoints.json").unlink()

    assert run.until_ready()["owners"] == owners
    run.until("those of the killed run have ended", lambda: not run.alive(children))


def test_reset_forgets_the_data_also_of_a_run_that_was_killed(run: Run) -> None:
    run.start()
    run.until("the lock is held", lambda: (run.state / "lock").exists() and (run.state / "lock").read_text())
    run.process.kill()
    run.end()
    command = [sys.executable, "-m", "local.reset", str(run.state)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "forgotten: the next 'make run' starts from nothing\n")
    assert not run.state.exists()
