"""HTTP of emails."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from starlette.responses import Response

from emails import repository, service, uploads
from emails.attachment_schemas import AttachedFile, Attachment, NewUpload, StoredUpload
from emails.repository import EmailFilter, EmailRow
from emails.schemas import (
    Email,
    EmailDetails,
    EmailEvent,
    EmailStatus,
    NewEmail,
    QueuedEmail,
    QueuedEmails,
)
from penguinmails.auth.principal import KeyPrincipal
from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx, columns_of
from penguinmails.domain import provider_accounts
from penguinmails.domain.email_queue import Draft, DraftFile, NewRow, queue_many, queue_one
from penguinmails.errors import NotFound
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Moment, Page, Storable
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.uploads import upload_of

router = APIRouter(prefix="/api/v1/emails", tags=["Emails"])

Sender = Annotated[Caller, access(Scope.SEND_EMAIL)]
Reader = Annotated[Caller, access(Scope.SEND_EMAIL, Scope.READ_ANALYTICS)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]


def _fields(row: EmailRow) -> dict[str, Any]:
    fields = columns_of(row)
    return {**fields, "to": fields.pop("to_email"), "sender": fields.pop("from_email")}


def _file(given: Attachment) -> DraftFile | UUID:
    return given.upload_id or DraftFile(
        file_name=given.file_name or "", content_type=given.content_type or "", content=given.content
    )


def _draft(tx: Tx, body: NewEmail) -> Draft:
    service.check_schedule(body.scheduled_at)
    default_sender = provider_accounts.default_sender(tx, body.provider)
    written = {"subject": body.subject, "html_body": body.html_body, "text_body": body.text_body}
    service.check_content(written, template_id=body.template_id, variables=body.variables)
    subject, html, text = body.subject or "", body.html_body, body.text_body
    if body.template_id is not None:
        message = service.message_of_template(tx, body.template_id, body.variables)
        subject, html, text = message.subject, message.html, message.text
    files = uploads.files_of_mail(tx, [_file(attachment) for attachment in body.attachments])
    uploads.check_provider(body.provider, files, html, text)
    return Draft(
        sender=body.sender or default_sender,
        subject=subject,
        html=html,
        text=text,
        email_type=body.email_type,
        reply_to=body.reply_to,
        provider=body.provider,
        tags=body.tags,
        headers=body.headers,
        metadata=body.metadata,
        track_opens=body.track_opens,
        track_clicks=body.track_clicks,
        files=files,
        scheduled_at=body.scheduled_at,
    )


@router.post(
    "/send",
    operation_id="sendEmail",
    summary="Send an email",
    response_model=QueuedEmail | QueuedEmails,
    responses=problems(409),
)
async def send_email(body: NewEmail, caller: Sender) -> Response:
    """Queue a message to one recipient or to each of up to 100.

    With one address the answer is the queued email; a suppressed address gets 409. With a list the answer has `items`,
    one per address, where suppressed ones are marked and skipped. With a key of test mode nothing leaves the platform, and
    `delivered@`, `bounced@`, `soft-bounced@`, `complained@`, `delayed@` and `suppressed@simulator.penguinmails.com` act
    out what their names say (`bounced+anything@` does too), with the same events.
    A template is filled in now, so a value that is missing is refused here. With `scheduled_at` it waits until then.
    """
    key_id = caller.principal.key_id if isinstance(caller.principal, KeyPrincipal) else None
    with caller.work() as work:
        draft = _draft(work.tx, body)
        if isinstance(body.to, str):
            queued = queue_one(work.tx, draft, body.to, api_key_id=key_id)
        else:
            queued = queue_many(work.tx, draft, body.to, api_key_id=key_id)

        def view(row: NewRow) -> QueuedEmail:
            return QueuedEmail.model_validate(
                {"id": row.id, "status": row.status, "to": row.to_email, "created_at": queued.created_at}
            )

        items = [view(row) for row in queued.rows]
        return work.answer(200, items[0] if isinstance(body.to, str) else QueuedEmails(items=items))


@router.post(
    "/attachments",
    operation_id="createAttachmentUpload",
    summary="Upload a file",
    status_code=201,
    response_model=StoredUpload,
    responses=problems(409),
)
async def create_attachment_upload(body: NewUpload, caller: Sender) -> Response:
    """Announce a file of up to 10 MB and get a link to upload it to, for files that a request has no room for.

    Upload it within the hour, then name its `id` as `upload_id` in `attachments`.
    """
    with caller.work() as work:
        row, url = uploads.create_upload(
            work.tx,
            file_name=body.file_name,
            content_type=body.content_type or "",
            size=body.size,
            created_by=caller.principal.id,
        )
        fields = {name: getattr(row, name) for name in ("id", "file_name", "content_type", "size", "expires_at")}
        return work.answer(201, StoredUpload(**fields, upload=upload_of(url, row.content_type)))


@router.get("", operation_id="listEmails", summary="List emails", responses=problems())
async def list_emails(  # noqa: PLR0917 - FastAPI passes parameters by name
    caller: Reader,
    page: Annotated[PageRequest, paged("created_at")],
    status: Annotated[EmailStatus | None, Query(description="Only emails in this state.")] = None,
    recipient: Annotated[Text | None, Query(description="Only emails to this address.")] = None,
    tag: Annotated[Text | None, Query(description="Only emails with this tag.")] = None,
    campaign_id: Annotated[UUID | None, Query(description="Only emails of this campaign.")] = None,
    created_after: Annotated[Moment | None, Query(description="Queued after this moment.")] = None,
    created_before: Annotated[Moment | None, Query(description="Queued before this moment.")] = None,
) -> Page[Email]:
    """The account's emails in this mode, newest first; filters combine with AND."""
    wanted = EmailFilter(
        status=status,
        recipient=recipient.lower() if recipient else None,
        tag=tag,
        campaign_id=campaign_id,
        created_after=created_after,
        created_before=created_before,
    )
    with caller.transaction() as tx:
        rows, total = repository.list_emails(tx, page.keyset(repository.KINDS), wanted)
    return page_of(page, rows, lambda row: Email.model_validate(_fields(row)), total)


@router.get("/{email_id}", operation_id="getEmail", summary="Show an email", responses=problems(404))
async def get_email(email_id: UUID, caller: Reader) -> EmailDetails:
    """One email with what happened to it."""
    with caller.transaction() as tx:
        return _details(tx, email_id)


@router.post(
    "/{email_id}/cancel",
    operation_id="cancelEmail",
    summary="Take back an email",
    response_model=EmailDetails,
    responses=problems(404, 409),
)
async def cancel_email(email_id: UUID, caller: Sender) -> Response:
    """Stop an email that is scheduled, queued, or waits for its next attempt. It counts towards no limit then.

    Where the outcome of an attempt is not known, as of a connection that broke, the recipient may have it all the same.
    """
    with caller.work() as work:
        service.cancel(work.tx, email_id)
        caller.audit(work.tx, "email_cancelled", resource_type="email", resource_id=str(email_id))
        return work.answer(200, _details(work.tx, email_id))


def _details(tx: Tx, email_id: UUID) -> EmailDetails:
    row = repository.find_email(tx, email_id)
    if row is None:
        raise NotFound.of("email", email_id)
    events = [EmailEvent.model_validate(columns_of(event)) for event in repository.history(tx, email_id)]
    files = [AttachedFile.model_validate(columns_of(file)) for file in repository.files_of(tx, email_id)]
    return EmailDetails.model_validate({**_fields(row), "attachments": files, "events": events})
