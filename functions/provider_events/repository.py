"""SQL of the providers' reports."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whose reports come in at a URL."""

    tenant_id: UUID
    provider: str
    secret_ref: str


def find_endpoint(tx: Tx, endpoint_hash: bytes) -> Endpoint | None:
    """Whose URL it is."""
    return tx.one(
        "SELECT tenant_id, provider, secret_ref FROM find_provider_endpoint(%(hash)s)",
        {"hash": endpoint_hash},
        Endpoint,
    )


def add_once(tx: Tx, provider: str, key: str, *, type_: str, email_id: UUID | None, outcome: str) -> bool:
    """Remember a report or a token; False when it was known."""
    return (
        tx.run(
            """
            INSERT INTO provider_events (tenant_id, mode, provider, event_key, type, email_id, outcome)
            VALUES (%(tenant_id)s, %(mode)s, %(provider)s, %(key)s, %(type)s, %(email_id)s, %(outcome)s)
            ON CONFLICT DO NOTHING
            """,
            {
                "tenant_id": tx.tenant_id,
                "mode": tx.mode,
                "provider": provider,
                "key": key,
                "type": type_,
                "email_id": email_id,
                "outcome": outcome,
            },
        )
        == 1
    )


def set_outcome(tx: Tx, provider: str, key: str, outcome: str) -> None:
    """Keep what came of a report."""
    tx.run(
        "UPDATE provider_events SET outcome = %(outcome)s WHERE provider = %(provider)s AND event_key = %(key)s",
        {"provider": provider, "key": key, "outcome": outcome},
    )


def is_our_mail(tx: Tx, email_id: UUID) -> bool:
    """Whether the tenant has such a mail."""
    return tx.one("SELECT EXISTS (SELECT 1 FROM emails WHERE id = %(id)s)", {"id": email_id})


def event_of_token(tx: Tx, key: str) -> str | None:
    """With which event a token came."""
    return tx.one("SELECT type FROM provider_events WHERE event_key = %(key)s", {"key": key})


def tenant_of_email(tx: Tx, email_id: UUID) -> UUID | None:
    """Whose mail it is, whoever asks."""
    return tx.one("SELECT find_tenant_of_email(%(id)s)", {"id": email_id})


def tenant_of_domain(tx: Tx, domain: str) -> UUID | None:
    """Who has shown that the domain is theirs."""
    return tx.one("SELECT find_tenant_of_domain(%(domain)s)", {"domain": domain})
