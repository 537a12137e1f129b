"""Answers to mails: which mail and which conversation they belong to, and what follows from them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.emails import log_event
from penguinmails.events.catalogue import ContactBlock, EmailReplied
from penguinmails.events.emit import emit
from penguinmails.ids import new_uuid7
from penguinmails.mime import Attachment
from provider_events import reply_repository as repository

_OUR_MESSAGE_ID = re.compile(r"<([0-9a-f]{32})@penguinmails\.com>", re.IGNORECASE)
_OUR_PLUS_ADDRESS = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_SNIPPET = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A mail that came in. `references` are the Message-IDs that it names, angle brackets included."""

    message_id: str
    from_email: str
    from_name: str
    subject: str
    text: str
    references: Sequence[str]
    plus: str
    is_automatic: bool
    received_at: datetime
    files: Sequence[Attachment] = ()


def take_answer(tx: Tx, answer: Answer) -> bool:
    """Put an answer into its conversation; False when it is there already.

    A person's answer is told as an event and stands in the mail's history, where campaigns see it; an automatic one, such
    as a note of absence, is only kept.
    """
    if repository.is_known(tx, answer.message_id):
        return False
    mail = repository.find_mail(tx, _named_mails(answer))
    thread_id = repository.find_thread(tx, mail and mail.id, list(answer.references))
    snippet = " ".join(answer.text.split())[:_SNIPPET]
    if thread_id is None:
        thread_id = new_uuid7()
        repository.insert_thread(tx, thread_id, answer, snippet, mail and mail.campaign_id)
    else:
        repository.touch_thread(tx, thread_id, answer, snippet)
    message_row_id = new_uuid7()
    repository.insert_message(tx, message_row_id, thread_id, mail and mail.id, answer)
    if answer.files:
        repository.insert_attachments(tx, message_row_id, answer.files)
    if mail is not None and not answer.is_automatic:
        log_event(tx, [mail.id], "replied", {"thread_id": str(thread_id)}, occurred_at=answer.received_at)
        repository.count_answer(tx, mail, answer.received_at)
        contact = None
        if mail.contact_id is not None:
            contact = ContactBlock(
                id=mail.contact_id, email=mail.to_email, first_name=mail.first_name, last_name=mail.last_name
            )
        emit(
            tx,
            EmailReplied(
                email_id=mail.id,
                campaign_id=mail.campaign_id,
                to=mail.to_email,
                subject=mail.subject,
                contact=contact,
                replied_at=answer.received_at,
                thread_id=thread_id,
            ),
        )
    return True


def _named_mails(answer: Answer) -> list[UUID]:
    """The mails of ours that an answer may belong to: by what it refers to, the latest first, then by its address."""
    found = [match[1] for text in answer.references for match in _OUR_MESSAGE_ID.finditer(text)]
    if _OUR_PLUS_ADDRESS.fullmatch(answer.plus):
        found.append(answer.plus)
    return [UUID(name) for name in found]
