"""HTTP of domains."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from domains import repository, service, signing_keys
from domains.schemas import DeletedDomain, Domain, DomainName, DomainRecords, NewDomain, PreviousRecord, Record, Status
from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.domain.sending_domains import DomainRow, check, records_of
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version

router = APIRouter(prefix="/api/v1/domains", tags=["Domains"])

OLD_RECORD_NEEDED = timedelta(days=7)
"""Mail waits in queues for five days at most (RFC 5321, section 4.5.4.1)."""

Manager = Annotated[Caller, access(Scope.MANAGE_DOMAINS)]


def _records(row: DomainRow) -> list[Record]:
    unchecked = {"finding": "unchecked", "found": []}
    return [
        Record(
            purpose=record.purpose,
            type=record.type,
            name=record.name,
            value=record.value,
            required=record.is_required,
            status=row.dns_results.get(record.purpose, unchecked)["finding"],
            found=row.dns_results.get(record.purpose, unchecked)["found"],
        )
        for record in records_of(row)
    ]


def _previous_record(row: DomainRow) -> PreviousRecord | None:
    if row.previous_dkim_selector is None or row.dkim_rotated_at is None:
        return None
    until = row.dkim_rotated_at + OLD_RECORD_NEEDED
    if until < clock.now():
        return None
    return PreviousRecord(name=f"{row.previous_dkim_selector}._domainkey.{row.domain}", needed_until=until)


def _view(row: DomainRow) -> Domain:
    return Domain(
        id=row.id,
        domain=row.domain,
        display_name=service.unicode_name(row.domain),
        workspace_id=row.workspace_id,
        verification_status=row.verification_status,
        verification_error=row.dns_verification_error,
        verification_attempts=row.dns_verification_attempts,
        verified_at=row.verified_at,
        last_verified_at=row.dns_last_verified_at,
        next_check_at=row.next_check_at,
        dns_records=_records(row),
        dkim_selector=row.dkim_selector,
        next_dkim_selector=row.next_dkim_selector,
        dkim_rotated_at=row.dkim_rotated_at,
        previous_dkim_record=_previous_record(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


@router.post(
    "",
    operation_id="createDomain",
    summary="Add a domain",
    status_code=201,
    response_model=Domain,
    responses=problems(409),
)
async def create_domain(body: NewDomain, caller: Manager) -> Response:
    """Add a domain and get the DNS records to publish for it. It is verified once the required ones are found."""
    with caller.work() as work:
        service.require_room(work.tx)
        row = service.create(work.tx, body.domain, body.workspace_id)
        caller.audit(work.tx, "domain_added", resource_type="domain", resource_id=str(row.id))
        return work.answer(201, _view(row))


@router.get("", operation_id="listDomains", summary="List domains", responses=problems())
async def list_domains(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at", "domain")],
    domain: Annotated[DomainName | None, Query(description="Only this domain.")] = None,
    status: Annotated[Status | None, Query(description="Only domains in this state.")] = None,
) -> Page[Domain]:
    """The account's domains in this mode."""
    name = None if domain is None else service.ascii_name(domain)
    with caller.transaction() as tx:
        rows, total = repository.list_domains(tx, page.keyset(repository.KINDS), name=name, status=status)
    return page_of(page, rows, _view, total)


@router.get(
    "/{domain_id}", operation_id="getDomain", summary="Show a domain", responses={200: ETAG_HEADER, **problems(404)}
)
async def get_domain(domain_id: UUID, caller: Manager, response: Response) -> Domain:
    """One domain with its records."""
    with caller.transaction() as tx:
        view = _view(service.existing(tx, domain_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.get(
    "/{domain_id}/dns", operation_id="getDomainDns", summary="Show the records of a domain", responses=problems(404)
)
async def get_domain_dns(domain_id: UUID, caller: Manager) -> DomainRecords:
    """The DNS records to publish, each with what the last check found."""
    with caller.transaction() as tx:
        row = service.existing(tx, domain_id)
    return DomainRecords(domain=row.domain, records=_records(row))


@router.post(
    "/{domain_id}/verify",
    operation_id="verifyDomain",
    summary="Check a domain now",
    response_model=Domain,
    responses=problems(404, 409),
)
async def verify_domain(domain_id: UUID, caller: Manager) -> Response:
    """Ask DNS for every record of the domain. A check that finds something wanting is a success with the reasons in it.

    Records may take as long to appear as the old answer was allowed to be kept, often an hour.
    """
    with caller.transaction() as tx:
        present = service.existing(tx, domain_id)
    checked = check(present)
    with caller.work() as work:
        row = service.record_check(work.tx, present, checked)
        if row.verification_status != present.verification_status:
            event = f"domain_{'verified' if row.verification_status == 'verified' else 'lost'}"
            caller.audit(work.tx, event, resource_type="domain", resource_id=str(domain_id))
        if row.dkim_selector != present.dkim_selector:
            caller.audit(work.tx, "domain_dkim_rotated", resource_type="domain", resource_id=str(domain_id))
        return work.answer(200, _view(row))


@router.post(
    "/{domain_id}/rotate-dkim",
    operation_id="rotateDomainDkim",
    summary="Replace the signing key of a domain",
    response_model=Domain,
    responses=problems(404, 409),
)
async def rotate_domain_dkim(domain_id: UUID, caller: Manager) -> Response:
    """Make a new signing key. Publish the record with the purpose `dkim_next`; verify the domain, or wait for the hourly check.

    Mail is signed with the present key until the new record was seen, and with the new one from then on. Leave the old record in
    DNS for seven days more: mail that it belongs to may be under way.
    """
    with caller.work() as work:
        row = signing_keys.begin_rotation(work.tx, service.existing_locked(work.tx, domain_id))
        caller.audit(work.tx, "domain_dkim_rotation_begun", resource_type="domain", resource_id=str(domain_id))
        return work.answer(200, _view(row))


@router.delete(
    "/{domain_id}/rotate-dkim",
    operation_id="cancelDomainDkimRotation",
    summary="Keep the signing key of a domain",
    responses=problems(404, 409),
)
async def cancel_domain_dkim_rotation(domain_id: UUID, caller: Manager) -> Domain:
    """Give up a new signing key that waits for its record."""
    with caller.transaction() as tx:
        row = signing_keys.cancel_rotation(tx, service.existing_locked(tx, domain_id))
        caller.audit(tx, "domain_dkim_rotation_cancelled", resource_type="domain", resource_id=str(domain_id))
    return _view(row)


@router.delete("/{domain_id}", operation_id="deleteDomain", summary="Delete a domain", responses=problems(404, 412))
async def delete_domain(domain_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedDomain:
    """Send nothing from it any more, and forget its signing key. Added again, it gets new records.

    Active campaigns that send from it are paused, and scheduled ones become drafts.
    """
    with caller.transaction() as tx:
        present = service.existing_locked(tx, domain_id)
        require_version(if_match, _view(present))
        service.delete(tx, present)
        caller.audit(tx, "domain_deleted", resource_type="domain", resource_id=str(domain_id))
    return DeletedDomain(id=domain_id)
