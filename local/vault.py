"""Vault for one machine: the real server where `make vault` has put one, else the stand-in.

Both keep their data in the given directory, with unseal key and root token beside it (readable by the owner alone), are
unsealed again at each start, and are set up by the same requests.
"""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions

from local.services.process import LOOPBACK, ServiceError, free_port, wait_until
from local.services.process import start as start_process
from local.services.process import stop as stop_process
from local.vault_accounts import ACCOUNTS, STAFF_POLICIES, TRANSIT_KEY, policy_text
from local.vault_standin.server import serve
from local.vault_standin.state import State

_VERSIONS_KEPT = 10
_SECRET_ID_SECONDS = 30 * 24 * 3600
_START_SECONDS = 30


@dataclass
class RunningVault:
    """A Vault that the platform can use."""

    directory: Path
    address: str
    kind: str
    """What serves: the program and its version, or that it is the stand-in."""
    process: subprocess.Popen[bytes] | None
    """The server's process; None for the stand-in, which is a thread of this one."""
    stop: Callable[[], None]
    """End it; its data stays."""
    operator: Any = field(init=False, repr=False)
    """A client that may do everything (hvac)."""

    @property
    def log(self) -> Path:
        """Where the server's own log is."""
        return self.directory / "vault.log"

    def environment(self, account: str) -> dict[str, str]:
        """The settings with which a function logs in as a service account; raises ServiceError for an unknown one."""
        secret_id = self.secret_id_file(account)
        if not secret_id.exists():
            raise ServiceError(f"{account} has no login in Vault; see local/vault_accounts.py.")
        return {
            "VAULT_ADDR": self.address,
            "VAULT_AUTH_METHOD": "approle",
            "VAULT_ROLE_ID": self.operator.auth.approle.read_role_id(account)["data"]["role_id"],
            "VAULT_SECRET_ID_FILE": str(secret_id),
        }

    def seal(self) -> None:
        """Make it refuse everything, as after a restart or an incident."""
        self.operator.sys.seal()

    def unseal(self) -> None:
        """Make it serve again."""
        system = self.operator.sys
        if system.is_sealed():
            system.submit_unseal_key(json.loads(self._operator_file.read_text())["key"])
        # Unsealing returns before Raft has elected its one node the leader.
        self.wait_until(lambda: bool(system.read_leader_status().get("is_self")))

    @property
    def _operator_file(self) -> Path:
        return self.directory / "operator.json"

    def make_ready(self) -> None:
        """Initialise a new one; unseal it; give it engines, policies and accounts."""
        self.operator = hvac.Client(url=self.address, timeout=_START_SECONDS, token="")
        if not self.operator.sys.is_initialized():
            answer = self.operator.sys.initialize(secret_shares=1, secret_threshold=1)
            _keep_private(self._operator_file, json.dumps({"key": answer["keys"][0], "token": answer["root_token"]}))
        if not self._operator_file.exists():
            raise ServiceError(
                f"The unseal key of Vault's data is gone. `make reset` starts anew, without {self.directory}."
            )
        self.operator.token = json.loads(self._operator_file.read_text())["token"]
        self.unseal()
        self._enable_engines()
        for name, rules in STAFF_POLICIES.items():
            self.operator.sys.create_or_update_acl_policy(name, policy_text(rules))
        for account in ACCOUNTS:
            self.operator.sys.create_or_update_acl_policy(account.name, policy_text(account.rules))
            self.operator.auth.approle.create_or_update_approle(
                account.name,
                token_policies=[account.name],
                token_ttl=account.token_seconds,
                token_max_ttl=account.most_seconds,
                secret_id_ttl=_SECRET_ID_SECONDS,
                secret_id_bound_cidrs=[f"{LOOPBACK}/32"],
            )
            if account.is_standing:
                self.issue_secret_id(account.name)

    def issue_secret_id(self, account: str) -> None:
        """A new secret id for an account, in the file that `environment` names; it lives for 30 days."""
        secret_id = self.operator.auth.approle.generate_secret_id(account)["data"]["secret_id"]
        _keep_private(self.secret_id_file(account), secret_id)

    def secret_id_file(self, account: str) -> Path:
        """Where an account's secret id is, if it has one."""
        return self.directory / f"{account}.secret-id"

    def _enable_engines(self) -> None:
        system = self.operator.sys
        mounted = system.list_mounted_secrets_engines()["data"]
        if "secret/" not in mounted:
            system.enable_secrets_engine("kv", path="secret", options={"version": "2"})
        if "transit/" not in mounted:
            system.enable_secrets_engine("transit")
        if "approle/" not in system.list_auth_methods()["data"]:
            system.enable_auth_method("approle")
        if self.process is not None and "file/" not in system.list_enabled_audit_devices()["data"]:
            system.enable_audit_device("file", options={"file_path": str(self.directory / "audit.log")})
        self.operator.secrets.transit.create_key(TRANSIT_KEY)
        self.wait_until(self._configures_records)

    def _configures_records(self) -> bool:
        """Whether the KV engine takes its settings; a new one is not ready at once."""
        try:
            self.operator.secrets.kv.v2.configure(max_versions=_VERSIONS_KEPT, cas_required=True, mount_point="secret")
        except hvac.exceptions.InvalidRequest:
            return False
        return True

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Poll; raises ServiceError when the server exits or takes too long."""
        if self.process is not None:
            wait_until(ready, self.process, name="Vault", log=self.log, seconds=_START_SECONDS)
        elif not ready():
            raise ServiceError("The stand-in for Vault did not become ready; remove its data and start again.")


def find_server() -> Path | None:
    """The program of a real server: VAULT_BIN, `vault` or `bao` on PATH, or what `make vault` has built."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penguinmails"
    built = sorted(cache.glob("vault-v*/vault"))
    named = [os.environ.get("VAULT_BIN"), shutil.which("vault"), shutil.which("bao"), *map(str, reversed(built))]
    return next((Path(path) for path in named if path and os.access(path, os.X_OK)), None)


def version_of(program: Path) -> str:
    """What a server calls itself, such as `Vault v1.21.2`."""
    printed = subprocess.run([str(program), "version"], capture_output=True, text=True, check=True).stdout
    return printed.split(",")[0].split("(")[0].strip()


def start(directory: Path, port: int, *, prefer_standin: bool = False) -> RunningVault:
    """Start Vault on a loopback port with its data in `directory`, ready for the platform's service accounts.

    Neither kind reads the other's data, so a directory stays with the kind that has filled it. Raises ServiceError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    program = find_server()
    if (directory / "raft").exists():
        if program is None:
            raise ServiceError(
                f"Vault's data in {directory} needs a Vault server, and there is none on this machine. Run `make vault`, "
                "or `make reset` to start anew with the stand-in."
            )
        prefer_standin = False
    elif (directory / "standin").exists():
        prefer_standin = True
    if program is None or prefer_standin:
        vault = _start_standin(_folder(directory, "standin"), port)
    else:
        vault = _start_server(directory, port, program)
    try:
        vault.make_ready()
    except BaseException:
        vault.stop()
        raise
    return vault


def _folder(directory: Path, name: str) -> Path:
    folder = directory / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _start_standin(directory: Path, port: int) -> RunningVault:
    server = serve(State.load(directory / "state.json"), LOOPBACK, port)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return RunningVault(directory, f"http://{LOOPBACK}:{port}", "stand-in", None, stop)


def _start_server(directory: Path, port: int, program: Path) -> RunningVault:
    storage = _folder(directory, "raft")
    address = f"{LOOPBACK}:{port}"
    # Unless it is named, the port for further nodes is the next one, which may be somebody else's.
    cluster = f"{LOOPBACK}:{free_port()}"
    configuration = directory / "vault.hcl"
    configuration.write_text(
        f'storage "raft" {{\n  path = "{storage}"\n  node_id = "local"\n  performance_multiplier = 1\n}}\n'
        f'listener "tcp" {{\n  address = "{address}"\n  cluster_address = "{cluster}"\n  tls_disable = true\n}}\n'
        f'api_addr = "http://{address}"\ncluster_addr = "https://{cluster}"\n'
        "disable_mlock = true\n"
    )
    log = directory / "vault.log"
    process = start_process([str(program), "server", f"-config={configuration}"], log=log)
    vault = RunningVault(directory, f"http://{address}", version_of(program), process, lambda: stop_process(process))
    vault.wait_until(lambda: _answers(vault.address))
    return vault


def _answers(address: str) -> bool:
    try:
        hvac.Client(url=address, timeout=2, token="").sys.read_seal_status()
    except Exception:  # any failure means: not yet
        return False
    return True


def _keep_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text)
