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
from pathlib import Path
from typing import Any

from local.seed import Owner, seed
from local.services.process import LOOPBACK, ServiceError
from local.stack import DATABASE, DEFAULT_PORT_BASE, Ports, Stack
from local.staff import Staff, enrol_staff, seed_staff

ROOT = Path(__file__).resolve().parent.parent
_WATCHED = ("functions", "layers/common/python")


def _endpoints(stack: Stack, owners: list[Owner], staff: Staff) -> dict[str, Any]:
    assert stack.vault is not None  # noqa: S101 - printed after everything has started
    return {
        "api": stack.api_url,
        "docs": f"{stack.api_url}/api/docs",
        "mail": f"http://{LOOPBACK}:{stack.ports.mail_page}",
        "smtp": f"{LOOPBACK}:{stack.ports.smtp}",
        "vault": stack.vault.address,
        "vault_kind": stack.vault.kind,
        "aws": stack.aws.endpoint,
        "postgres": stack.postgres.url(DATABASE),
        "valkey": stack.valkey.url,
        "owners": [{"plan": o.plan, "email": o.email, "password": o.password} for o in owners],
        "staff": {"email": staff.email, "password": staff.password, "totp_seed": staff.seed},
    }


def _write_endpoints(file: Path, endpoints: dict[str, Any]) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        json.dump(endpoints, output, indent=2)


def _print_table(endpoints: dict[str, Any], seconds: float) -> None:
    owner = endpoints["owners"][-1]
    rows = [
        ("API", endpoints["api"]),
        ("Documentation", endpoints["docs"]),
        ("Caught mail", endpoints["mail"]),
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
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    database_url, staff_file = stack.postgres.url(DATABASE, "penguinmails_app"), stack.state / "staff.json"
    owners, staff = seed(database_url, stack.state / "owners.json"), seed_staff(database_url, staff_file)
    await stack.serve()
    staff = await asyncio.to_thread(enrol_staff, stack.api_url, staff, staff_file)
    endpoints = _endpoints(stack, owners, staff)
    _write_endpoints(stack.state / "endpoints.json", endpoints)
    _print_table(endpoints, time.monotonic() - started)
    watcher = asyncio.create_task(_reload_on_change(stack)) if reload else None
    try:
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


def main() -> int:
    """Entry point; 1 with a sentence when something is in the way."""
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--reload", action="store_true", help="take up code changes without restarting the servers")
    arguments = parser.parse_args()
    started = time.monotonic()
    (ROOT / ".local").mkdir(exist_ok=True)
    with (ROOT / ".local" / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("The stack is running already in this checkout; stop it there with Ctrl-C first.", file=sys.stderr)
            return 1
        stack = Stack(ROOT, Ports(int(os.environ.get("PENGUINMAILS_PORT_BASE", DEFAULT_PORT_BASE))))
        print("starting PostgreSQL, Valkey, Vault, the AWS emulator and the mail catcher", flush=True)
        try:
            stack.start_services()
            asyncio.run(_run(stack, reload=arguments.reload, started=started))
        except ServiceError as error:
            print(str(error), file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            stack.stop_services()
    return 0


if __name__ == "__main__":
    sys.exit(main())
