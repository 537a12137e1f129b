"""Vault for one machine: the real server where `make vault` has put one, else the stand-in.

The real server keeps its data in Raft storage below the given directory, with its unseal key and root token beside it
(readable by the owner alone), and is unsealed again at each start.
"""

import json
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import hvac

from local.services.process import LOOPBACK, free_port, wait_until
from local.services.process import start as start_process
from local.services.process import stop as stop_process
from local.vault_accounts import ACCOUNTS, policy_text
from local.vault_standin.server import serve
from local.vault_standin.store import Store


class RunningVault(Protocol):
    """A Vault that the platform can use."""

    address: str
    kind: str
    process: subprocess.Popen[bytes] | None
    """The server; None where it runs in this process."""

    def environment(self, account: str) -> dict[str, str]:
        """The settings with which a function logs in as a service account."""
        ...

    def seal(self) -> None:
        """Make it refuse everything, as after a restart or an incident."""
        ...

    def unseal(self) -> None:
        """Make it serve again."""
        ...

    def stop(self) -> None:
        """End it; its data stays."""
        ...


def find_server() -> Path | None:
    """The program of a real server: VAULT_BIN, `vault` or `bao` on PATH, or what `make vault` has built."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penguinmails"
    built = sorted(cache.glob("vault-v*/vault"))
    named = [os.environ.get("VAULT_BIN"), shutil.which("vault"), shutil.which("bao"), *map(str, reversed(built))]
    return next((Path(path) for path in named if path and os.access(path, os.X_OK)), None)


def start(directory: Path, port: int, *, prefer_standin: bool = False) -> RunningVault:
    """Start Vault on a loopback port with its data in `directory`, ready for the platform's service accounts."""
    directory.mkdir(parents=True, exist_ok=True)
    program = None if prefer_standin else find_server()
    return StandIn(directory, port) if program is None else RealVault(directory, port, program)


def _environment(address: str, role_id: str, secret_id_file: Path) -> dict[str, str]:
    return {
        "VAULT_ADDR": address,
        "VAULT_AUTH_METHOD": "approle",
        "VAULT_ROLE_ID": role_id,
        "VAULT_SECRET_ID_FILE": str(secret_id_file),
    }


def _keep_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text)


@dataclass
class StandIn:
    """The stand-in, in a thread of this process."""

    directory: Path
    port: int
    kind: str = "stand-in"
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Start serving."""
        self.address = f"http://{LOOPBACK}:{self.port}"
        self._store = Store.load(self.directory / "standin.json")
        self._role_ids: dict[str, str] = {}
        for account in ACCOUNTS:
            role_id, secret_id = self._store.define_role(account.name, account.rules, account.token_seconds)
            self._role_ids[account.name] = role_id
            _keep_private(self.directory / f"{account.name}.secret-id", secret_id)
        self._server: ThreadingHTTPServer = serve(self._store, LOOPBACK, self.port)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def environment(self, account: str) -> dict[str, str]:
        """See RunningVault."""
        return _environment(self.address, self._role_ids[account], self.directory / f"{account}.secret-id")

    def seal(self) -> None:
        """See RunningVault."""
        self._store.sealed = True

    def unseal(self) -> None:
        """See RunningVault."""
        self._store.sealed = False

    def stop(self) -> None:
        """See RunningVault."""
        self._server.shutdown()
        self._server.server_close()


class RealVault:
    """A Vault server with Raft storage, one unseal key, and file audit."""

    def __init__(self, directory: Path, port: int, program: Path) -> None:
        """Start, initialise a new one, unseal, and set up engines and accounts."""
        self.address = f"http://{LOOPBACK}:{port}"
        self.kind = (
            subprocess.run([str(program), "version"], capture_output=True, text=True, check=True)
            .stdout.split(",")[0]
            .split("(")[0]
            .strip()
        )
        self._directory = directory
        self._keys_file = directory / "operator.json"
        self.process: subprocess.Popen[bytes] | None = self._launch(program, port)
        self._client = hvac.Client(url=self.address, timeout=30)
        if not self._client.sys.is_initialized():
            answer = self._client.sys.initialize(secret_shares=1, secret_threshold=1)
            _keep_private(self._keys_file, json.dumps({"key": answer["keys"][0], "token": answer["root_token"]}))
        operator = json.loads(self._keys_file.read_text())
        self._client.token = operator["token"]
        self._unseal_key = operator["key"]
        self.unseal()
        self._role_ids = self._set_up()

    def _launch(self, program: Path, port: int) -> subprocess.Popen[bytes]:
        (self._directory / "raft").mkdir(exist_ok=True)
        configuration = self._directory / "vault.hcl"
        # Unless it is named, the port for further nodes is the next one, which may be somebody else's.
        cluster = f"{LOOPBACK}:{free_port()}"
        configuration.write_text(
            f'storage "raft" {{\n  path = "{self._directory / "raft"}"\n  node_id = "local"\n  performance_multiplier = 1\n}}\n'
            f'listener "tcp" {{\n  address = "{LOOPBACK}:{port}"\n  cluster_address = "{cluster}"\n  tls_disable = true\n}}\n'
            f'api_addr = "http://{LOOPBACK}:{port}"\ncluster_addr = "https://{cluster}"\n'
            "disable_mlock = true\n"
        )
        log = self._directory / "vault.log"
        process = start_process([str(program), "server", f"-config={configuration}"], log=log)
        wait_until(self._answers, process, name="Vault", log=log, seconds=30)
        return process

    def _answers(self) -> bool:
        try:
            hvac.Client(url=self.address, timeout=2).sys.read_seal_status()
        except Exception:  # any failure means: not yet
            return False
        return True

    def _set_up(self) -> dict[str, str]:
        system: Any = self._client.sys
        self._wait_for_leader()
        if "secret/" not in system.list_mounted_secrets_engines()["data"]:
            system.enable_secrets_engine("kv", path="secret", options={"version": "2"})
            system.enable_secrets_engine("transit")
            system.enable_auth_method("approle")
            system.enable_audit_device("file", options={"file_path": str(self._directory / "audit.log")})
        role_ids: dict[str, str] = {}
        approle: Any = self._client.auth.approle
        for account in ACCOUNTS:
            system.create_or_update_policy(account.name, policy_text(account))
            approle.create_or_update_approle(
                account.name, token_policies=[account.name], token_ttl=f"{account.token_seconds}s", token_max_ttl="1h"
            )
            role_ids[account.name] = approle.read_role_id(account.name)["data"]["role_id"]
            secret_id_file = self._directory / f"{account.name}.secret-id"
            if not secret_id_file.exists():
                _keep_private(secret_id_file, approle.generate_secret_id(account.name)["data"]["secret_id"])
        return role_ids

    def _wait_for_leader(self) -> None:
        """Unsealing returns before Raft has elected the one node its leader."""
        wait_until(
            lambda: bool(self._client.sys.read_leader_status().get("is_self")),
            self._server(),
            name="Vault",
            log=self._directory / "vault.log",
            seconds=30,
        )

    def environment(self, account: str) -> dict[str, str]:
        """See RunningVault."""
        return _environment(self.address, self._role_ids[account], self._directory / f"{account}.secret-id")

    def seal(self) -> None:
        """See RunningVault."""
        self._client.sys.seal()

    def unseal(self) -> None:
        """See RunningVault."""
        if self._client.sys.is_sealed():
            self._client.sys.submit_unseal_key(self._unseal_key)
            self._wait_for_leader()

    def stop(self) -> None:
        """See RunningVault."""
        stop_process(self._server())

    def _server(self) -> subprocess.Popen[bytes]:
        assert self.process is not None  # noqa: S101 - launched by the constructor
        return self.process
