"""Servers that are trusted in these tests alone."""

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.vault import RunningVault
from penguinmails import smtp_connections, vault
from penguinmails.domain import provider_secrets
from penguinmails.vault import read_secret
from tests.support.certificates import Authority
from tests.support.mail_servers import OwnServer
from tests.support.mail_servers_of_accounts import (
    Chief,
    Start,
)
from tests.support.tenants import TestTenant
from tests.support.vaults import AsSender, using


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom this machine trusts in these tests."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    smtp_connections.close_all()
    provider_secrets.forget()
    yield
    smtp_connections.close_all()


@pytest.fixture(scope="package")
def chief(platform: None, running_vault: RunningVault) -> Chief:
    return Chief(running_vault)


@pytest.fixture
def password_in_vault(running_vault: RunningVault) -> Callable[[TestTenant], str | None]:
    """What Vault has of an account."""

    def read(tenant: TestTenant) -> str | None:
        with using(running_vault.environment("sending-service")):
            secret = read_secret(f"smtp/{tenant.id}/sending")
        return secret and secret.data["password"]

    return read


@pytest.fixture(autouse=True)
def sends(as_sender: AsSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """What sends has the rights in Vault that it is deployed with."""

    def read(path: str, *, version: int | None = None) -> vault.Secret | None:
        with as_sender():
            return read_secret(path, version=version)

    monkeypatch.setattr(provider_secrets, "read_secret", read)


@pytest.fixture
def start(authority: Authority) -> Iterator[Start]:
    """Starts servers for localhost; `context` says with which certificate, if not the authority's."""
    running: list[OwnServer] = []

    def run(context: ssl.SSLContext | None = None, **fields: Any) -> OwnServer:
        server = OwnServer(context or authority.server("localhost"), **fields)
        server.start()
        running.append(server)
        return server

    yield run
    for server in running:
        server.stop()


@pytest.fixture
def own(start: Start) -> OwnServer:
    return start()
