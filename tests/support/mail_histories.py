"""Mails and what happened to them, at chosen times."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from penguinmails.db import Mode, jsonb, transaction
from penguinmails.ids import new_uuid7
from tests.support.tenants import TestTenant


@dataclass(frozen=True)
class Mail:
    """A mail as the figures see it."""

    to_email: str = "ada@example.com"
    email_type: str = "marketing"
    provider: str = "postmark"
    campaign_id: UUID | None = None
    step_id: UUID | None = None
    variant: str | None = None
    tags: tuple[str, ...] = ()
    id: UUID = field(default_factory=new_uuid7)


@dataclass(frozen=True)
class Happening:
    """One thing that happened to a mail."""

    mail: Mail
    type: str
    at: datetime
    is_machine: bool = False
    will_retry: bool = False

    @property
    def data(self) -> dict[str, Any]:
        """What the history holds about it, as reports write it."""
        facts = {"is_machine": self.is_machine, "will_retry": self.will_retry}
        return {name: True for name, holds in facts.items() if holds}


def store_mails(tenant: TestTenant, mails: Sequence[Mail], mode: Mode = "live") -> None:
    """Mails without a history."""
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        for mail in mails:
            content = uuid4()
            values = {
                "tenant": tenant.id,
                "mode": mode,
                "content": content,
                "contact": uuid4() if mail.step_id else None,
                **{name: getattr(mail, name) for name in Mail.__dataclass_fields__},
            }
            tx.run(
                """
                INSERT INTO content_objects (storage_key, tenant_id, mode, content_text)
                VALUES (%(content)s, %(tenant)s, %(mode)s, 'Hello')
                """,
                values,
            )
            tx.run(
                """
                INSERT INTO emails (id, tenant_id, mode, to_email, from_email, subject, email_type, provider, status,
                                    content_key, campaign_id, step_id, variant, contact_id, created_at)
                VALUES (%(id)s, %(tenant)s, %(mode)s, %(to_email)s, 'us@example.com', 'News', %(email_type)s,
                        %(provider)s, 'sent', %(content)s, %(campaign_id)s, %(step_id)s, %(variant)s, %(contact)s, now())
                """,
                values,
            )
            for tag in mail.tags:
                tx.run(
                    "INSERT INTO email_tags (tenant_id, mode, email_id, tag, email_created_at, status, campaign_id)"
                    " SELECT tenant_id, mode, id, %(tag)s, created_at, status, campaign_id FROM emails WHERE id = %(id)s",
                    {**values, "tag": tag},
                )


def record(tenant: TestTenant, *happenings: Happening, mode: Mode = "live") -> None:
    """Write into the histories, in one statement."""
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        tx.run(
            """
            INSERT INTO email_events (id, tenant_id, mode, email_id, type, data, occurred_at)
            SELECT n.id, %(tenant)s, %(mode)s, n.email_id, n.type, n.data, n.at
            FROM unnest(%(ids)s::uuid[], %(mails)s::uuid[], %(types)s::text[], %(data)s::jsonb[], %(at)s::timestamptz[])
              AS n (id, email_id, type, data, at)
            """,
            {
                "tenant": tenant.id,
                "mode": mode,
                "ids": [new_uuid7() for _ in happenings],
                "mails": [happening.mail.id for happening in happenings],
                "types": [happening.type for happening in happenings],
                "data": [jsonb(happening.data) for happening in happenings],
                "at": [happening.at for happening in happenings],
            },
        )
