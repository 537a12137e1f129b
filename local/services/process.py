"""Child processes that never outlive their parent, and ports that are free."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1


class ServiceError(Exception):
    """A service did not start or died; the message is one sentence that says what to do."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def free_ports_in_a_row(count: int) -> int:
    """The first of `count` free TCP ports; below the range that the kernel gives to outgoing connections."""
    while True:
        first = random.randrange(12_000, 32_000)  # noqa: S311 - only to keep out of each other's way
        if not any(port_is_taken(first + offset) for offset in range(count)):
            return first


def port_is_taken(port: int) -> bool:
    """Whether something listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((LOOPBACK, port)) == 0


def die_with_parent(with_signal: int = signal.SIGTERM) -> None:
    """Run in a child before exec: the kernel ends it when the parent ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, with_signal)


def start(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    dies_by: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a server in a process group of its own (a terminal's Ctrl-C reaches only us), its output in `log`.

    `dies_by` is the signal that it gets when this process ends without stopping it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(dies_by),  # noqa: PLW1509 - the child is single-threaded until exec
        )


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], *, name: str, log: Path, seconds: float
) -> None:
    """Poll until the server answers; raises ServiceError when it exits or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServiceError(f"{name} stopped at once (exit {process.returncode}); its last words are in {log}.")
        if ready():
            return
        time.sleep(0.02)
    raise ServiceError(f"{name} did not answer within {seconds:.0f} s; see {log}.")


def stop(process: subprocess.Popen[bytes], *, with_signal: int = signal.SIGTERM, seconds: float = 10) -> None:
    """Ask the process to end, then end it."""
    if process.poll() is not None:
        return
    process.send_signal(with_signal)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
