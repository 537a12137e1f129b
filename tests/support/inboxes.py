"""Conversations for tests, each of one message with one file."""

from typing import Any
from uuid import UUID, uuid4

from penguinmails.db import Mode
from tests.support.connections import as_owner


def make_thread(account: Any, mode: Mode, _ids: dict[str, UUID]) -> UUID:
    """A conversation of one message."""
    thread_id, message_id, tenant_id = uuid4(), uuid4(), account.tenant.id
    connection = as_owner()
    connection.execute(
        """
        INSERT INTO inbox_threads (id, tenant_id, mode, correspondent, subject, snippet, last_message_at)
        VALUES (%s, %s, %s, 'ada@example.com', 'Re: Hello', 'Hello', now())
        """,
        [thread_id, tenant_id, mode],
    )
    connection.execute(
        """
        INSERT INTO inbox_messages (id, tenant_id, mode, thread_id, message_id, from_email, from_name, subject, body_text,
                                    is_automatic, received_at)
        VALUES (%s, %s, %s, %s, %s, 'ada@example.com', 'Ada', 'Re: Hello', 'Hello', false, now())
        """,
        [message_id, tenant_id, mode, thread_id, f"<{uuid4()}@example.com>"],
    )
    connection.execute(
        """
        INSERT INTO inbox_attachments (id, tenant_id, mode, message_id, position, file_name, content_type, content)
        VALUES (%s, %s, %s, %s, 1, 'note.txt', 'text/plain', 'Hello')
        """,
        [uuid4(), tenant_id, mode, message_id],
    )
    return thread_id


def attachment_of(_account: Any, _mode: Mode, ids: dict[str, UUID]) -> UUID:
    """The file of the conversation."""
    row = (
        as_owner()
        .execute(
            """
        SELECT a.id FROM inbox_attachments a JOIN inbox_messages m ON m.id = a.message_id WHERE m.thread_id = %s
        """,
            [ids["thread_id"]],
        )
        .fetchone()
    )
    assert row is not None
    return row[0]
