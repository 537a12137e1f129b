"""`make run`: starts the one-machine stack, says where everything is, and stops it on Ctrl-C."""

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from local.seed import Owner, seed
from local.services.process import LOOPBACK, ServiceError
from local.stack import DATABASE, DEFAULT_PORT_BASE, Ports, Stack
from local.staff import Staff, enrol_staff, seed_staff

ROOT = Path(__file__).resolve().parent.parent
_WATCHED = ("functions", "layers/common/python")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_SECONDS = 15
"""How long the servers of a killed run may take to go away."""


def _endpoints(stack: Stack, owners: list[Owner], staff: Staff) -> dict[str, Any]:
    assert stack.vault is not None  # noqa: S101 - printed after everything has started
    return {
        "api": stack.api_url,
        "docs": f"{stack.api_url}/api/docs",
        "mail": f"http://{LOOPBACK}:{stack.ports.mail_page}",
        "smtp": f"{LOOPBACK}:{stack.ports.smtp}",
        "incoming_mail": f"{LOOPBACK}:{stack.ports.incoming_mail}",
        "providers": f"http://{LOOPBACK}:{stack.ports.providers}",
        "vault": stack.vault.address,
        "vault_kind": stack.vault.kind,
        "aws": stack.aws.endpoint,
        "postgres": stack.postgres.url(DATABASE),
        "valkey": stack.valkey.url,
        "owners": [{"plan": o.plan, "email": o.email, "password": o.password} for o in owners],
        "staff": {"email": staff.email, "password": staff.password, "totp_seed": staff.seed},
    }


def _write_endpoints(file: Path, endpoints: dict[str, Any]) -> None:
    # Whoever waits for it finds it whole.
    beginning = file.with_suffix(".part")
    with os.fdopen(os.open(beginning, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        json.dump(endpoints, output, indent=2)
    beginning.replace(file)


def _print_table(endpoints: dict[str, Any], seconds: float) -> None:
    owner = endpoints["owners"][-1]
    rows = [
        ("API", endpoints["api"]),
        ("Documentation", endpoints["docs"]),
        ("Caught mail", endpoints["mail"]),
        ("Mail comes in", f"{endpoints['incoming_mail']}  (LMTP; answer to the Reply-To of a caught mail)"),
        ("Mail providers", f"{endpoints['providers']}/sandbox/mails  (sandboxes; API keys begin with sandbox-)"),
        ("Vault", f"{endpoints['vault']}  ({endpoints['vault_kind']})"),
        ("PostgreSQL", endpoints["postgres"]),
        ("Valkey", endpoints["valkey"]),
        ("Sign in as", f"{owner['email']}  {owner['password']}  (other plans: .local/endpoints.json)"),
        ("Staff", f"{endpoints['staff']['email']}  {endpoints['staff']['password']}  (code: make code)"),
    ]
    print(f"\nReady after {seconds:.1f} s. Ctrl-C stops it; `make reset` forgets its data.\n")
    for name, value in rows:
        print(f"  {name:<14} {value}")
    body = json.dumps({"email": owner["email"], "password": owner["password"]})
    print("\nTry it:\n")
    print(f"  curl -s {endpoints['api']}/api/v1/sessions -H 'Content-Type: application/json' -d '{body}'\n")
    sys.stdout.flush()


async def _reload_on_change(stack: Stack) -> None:
    from watchfiles import PythonFilter, awatch

    async for _ in awatch(*(ROOT / part for part in _WATCHED), watch_filter=PythonFilter()):
        stack.recycle()
        print("code changed: new execution environments from the next request on", flush=True)


async def _run(stack: Stack, *, reload: bool, started: float) -> None:
    stopping = asyncio.Event()
    for number in _ENDING:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    database_url, staff_file = stack.postgres.url(DATABASE, "penguinmails_app"), stack.state / "staff.json"
    owners, staff = seed(database_url, stack.state / "owners.json"), seed_staff(database_url, staff_file)
    watcher: asyncio.Task[None] | None = None
    try:
        await stack.serve()
        staff = await asyncio.to_thread(enrol_staff, stack.api_url, staff, staff_file)
        endpoints = _endpoints(stack, owners, staff)
        _write_endpoints(stack.state / "endpoints.json", endpoints)
        _write_endpoints(stack.state / "environments.json", stack.environments())
        _print_table(endpoints, time.monotonic() - started)
        watcher = asyncio.create_task(_reload_on_change(stack)) if reload else None
        while not stopping.is_set():
            stack.check()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 1)
    finally:
        print("\nstopping", flush=True)
        if watcher is not None:
            watcher.cancel()
        (stack.state / "endpoints.json").unlink(missing_ok=True)
        await stack.stop_serving()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def hold_state(state: Path) -> Generator[bool]:
    """Keep everybody else off a state directory; whether the run before this one ended without cleaning up.

    Raises ServiceError when another process holds it.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(f"The stack is running already on {state}; stop it there with Ctrl-C first.") from None
        lock.seek(0)
        was_killed = lock.read() != ""
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield was_killed
        finally:
            lock.truncate(0)


def _start_and_serve(stack: Stack, *, was_killed: bool, reload: bool) -> int:
    started = time.monotonic()
    print("starting PostgreSQL, Valkey, Vault, the AWS emulator and the mail catcher", flush=True)
    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        stack.start_services(patience_seconds=_PATIENCE_SECONDS if was_killed else 0)
        asyncio.run(_run(stack, reload=reload, started=started))
    except KeyboardInterrupt:
        return 130
    finally:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)
        stack.stop_services()
    return 0


def main() -> int:
    """Entry point; 1 with a sentence when something is in the way, 130 when interrupted before it was ready."""
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--reload", action="store_true", help="take up code changes without restarting the servers")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="where data lives (default: .local)")
    arguments = parser.parse_args()
    state: Path = arguments.state.resolve()
    try:
        ports = Ports.from_text(os.environ.get("PENGUINMAILS_PORT_BASE", str(DEFAULT_PORT_BASE)))
        with hold_state(state) as was_killed:
            return _start_and_serve(Stack(ROOT, ports, directory=state), was_killed=was_killed, reload=arguments.reload)
    except ServiceError as error:
        print(str(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
