"""The AWS services that the platform calls (SQS), by ministack, in a tool environment of its own.

Its own environment, because it pins botocore. What is in the queues survives a stop, as in SQS, but not a SIGKILL of
the emulator, which writes it down when it ends.
"""

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from local.services.process import LOOPBACK, ServiceError, free_port, start, stop, wait_until

CREDENTIAL = "test"
"""The emulator's own account: its key and its secret."""


def tool_environment(root: Path) -> Path:
    """Where the emulator is installed; installs it the first time."""
    directory, lock = root / ".tools" / "ministack", root / "requirements" / "ministack.lock"
    marker = directory / ".installed"
    if marker.exists() and marker.read_text() == lock.read_text():
        return directory
    uv = Path(sys.executable).with_name("uv")
    python = str(directory / "bin" / "python")
    for command in (
        [str(uv), "venv", "-q", "--allow-existing", "--python", sys.executable, str(directory)],
        [str(uv), "pip", "sync", "-q", "--compile-bytecode", "--python", python, "--require-hashes", str(lock)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServiceError(
                f"The AWS emulator could not be installed ({reason}). Check the package index and try again."
            )
    marker.write_text(lock.read_text())
    return directory


@dataclass(slots=True)
class AwsEmulator:
    """One ministack process on a loopback port."""

    root: Path
    directory: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start; returns when it answers."""
        program = tool_environment(self.root) / "bin" / "ministack"
        log = self.directory.with_suffix(".log")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._remove_passing()
        self._passing.mkdir()
        environment = {
            # It unpacks every function there, a hundred megabytes each, and leaves that behind.
            "TMPDIR": str(self._passing),
            # Without these two it listens on every address of the machine.
            "BIND_HOST": LOOPBACK,
            "IOT_MTLS_ENABLED": "0",
            # Whose signatures it accepts; functions on this machine sign with the same.
            "AWS_ACCESS_KEY_ID": CREDENTIAL,
            "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
            "GATEWAY_PORT": str(self.port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.directory),
            "LOG_LEVEL": "WARNING",
        }
        self.process = start([str(program)], log=log, env=environment)
        wait_until(self._answers, self.process, name="The AWS emulator", log=log, seconds=30)

    def stop(self) -> None:
        """End it; what is in the queues is written down and there again after the next start, as SQS would keep it."""
        if self.process is not None:
            stop(self.process)
        self._remove_passing()

    @property
    def _passing(self) -> Path:
        return self.directory.with_name(f"{self.directory.name}-tmp")

    def _remove_passing(self) -> None:
        shutil.rmtree(self._passing, ignore_errors=True)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.port}"

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint, timeout=1).close()  # noqa: S310 - a loopback address of ours
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True
