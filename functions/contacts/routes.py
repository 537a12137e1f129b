"""HTTP of contacts."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from starlette.responses import Response

from contacts import bulk, listing, searching, service
from contacts.bulk_items import bulk_answer, bulk_items
from contacts.listing import ContactFilter
from contacts.schemas import (
    BulkAnswer,
    BulkRequest,
    Contact,
    ContactChange,
    ContactStatus,
    DeletedContact,
    NewContact,
)
from contacts.search_grammar import MAX_LENGTH, parse
from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.domain.contacts import ContactRow, find_contact
from penguinmails.errors import NotFound
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Moment, Page, Storable
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version

router = APIRouter(prefix="/api/v1/contacts", tags=["Contacts"])

Manager = Annotated[Caller, access(Scope.MANAGE_CONTACTS)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]


def _view(row: ContactRow) -> Contact:
    return Contact.model_validate(columns_of(row))


def _values(body: NewContact | ContactChange) -> dict[str, Any]:
    return body.model_dump()


@router.post(
    "",
    operation_id="createContact",
    summary="Add a contact",
    status_code=201,
    response_model=Contact,
    responses={200: {"model": Contact, "description": "With `upsert=true`: updated in place."}, **problems(409)},
)
async def create_contact(
    body: NewContact,
    caller: Manager,
    upsert: Annotated[bool, Query(description="Update the contact with this address if there is one.")] = False,
) -> Response:
    """Add a person to the account. The address must be new, unless `upsert=true` asks to update the one that has it."""
    with caller.work() as work:
        if upsert:
            contact, created = service.upsert_contact(work.tx, _values(body), body.model_fields_set, source="api")
        else:
            contact, created = service.create_contact(work.tx, _values(body), source="api"), True
        return work.answer(201 if created else 200, _view(contact))


@router.post(
    "/bulk",
    operation_id="bulkContacts",
    summary="Change many contacts",
    status_code=207,
    response_model=BulkAnswer,
    responses=problems(409),
)
async def bulk_contacts(body: BulkRequest, caller: Manager) -> Response:
    """Create, update, upsert or delete up to 1,000 contacts. Each succeeds or fails by itself; the answer says which."""
    items = bulk_items(body)
    with caller.work() as work:
        results = bulk.apply(work.tx, body.action, items, source="api")
        return work.answer(207, bulk_answer(results))


@router.get("", operation_id="listContacts", summary="List contacts", responses=problems())
async def list_contacts(  # noqa: PLR0917 - FastAPI passes parameters by name
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at", "updated_at", "email")],
    status: Annotated[ContactStatus | None, Query(description="Only contacts in this state.")] = None,
    email: Annotated[Text | None, Query(description="Only the contact with this address.")] = None,
    external_id: Annotated[Text | None, Query(description="Only the contact with this id of yours.")] = None,
    search: Annotated[Text | None, Query(description="How the address or a name begins, in any case.")] = None,
    tag: Annotated[Text | None, Query(description="Only contacts with this tag.")] = None,
    workspace: Annotated[Text | None, Query(description="Only contacts of the workspace with this slug.")] = None,
    list_id: Annotated[UUID | None, Query(description="Only contacts on this static list.")] = None,
    created_after: Annotated[Moment | None, Query(description="Added after this moment.")] = None,
    created_before: Annotated[Moment | None, Query(description="Added before this moment.")] = None,
    updated_after: Annotated[Moment | None, Query(description="Changed after this moment.")] = None,
    updated_before: Annotated[Moment | None, Query(description="Changed before this moment.")] = None,
) -> Page[Contact]:
    """The account's contacts, newest first unless sorted otherwise; filters combine with AND.

    Some filters need an order: `updated_after` and `updated_before` go with `sort_by=updated_at`; `status`, `search`, `tag`,
    `workspace`, `list_id`, `created_after` and `created_before` go with `sort_by=created_at`. With `email` or `external_id`
    everything goes together.
    """
    wanted = ContactFilter(
        status=status,
        email=email.lower() if email else None,
        external_id=external_id,
        search=search,
        tag=tag,
        workspace=workspace,
        list_id=list_id,
        created_after=created_after,
        created_before=created_before,
        updated_after=updated_after,
        updated_before=updated_before,
    )
    with caller.transaction() as tx:
        found = listing.list_contacts(tx, page.keyset(listing.KINDS), wanted)
    return page_of(page, found.rows, _view, found.total, found.stopped_at)


@router.get("/search", operation_id="searchContacts", summary="Search contacts", responses=problems())
async def search_contacts(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at")],
    query: Annotated[
        str,
        Query(
            min_length=1,
            max_length=MAX_LENGTH,
            description="What to look for.",
            examples=['industry:SaaS company:"Acme Inc" score>50 -tag:vip'],
        ),
    ],
) -> Page[Contact]:
    """Contacts that meet every term of a query, newest first.

    A term is a comparison such as `company:Acme` or `score>50`, or a word with which the address, a name or the company
    begins. Terms are separated by spaces; AND may stand between them, and there is no OR. `-` or NOT before a term negates
    it. What holds spaces stands in double quotes: `company:"Acme Inc"`. `company:Acm*` compares the beginning.

    Texts, compared in any case: `email`, `first_name`, `last_name`, `company`, `job_title`, `city`, `state`, `country`,
    `lead_source`, `source`, `status`. Numbers and dates, with `:`, `>`, `>=`, `<` and `<=`: `score`, `created`. What the
    contact is linked to: `tag`, `list` (a static one), `workspace` (its slug). Custom fields that are declared as contact
    fields go by their key, such as `industry:SaaS`. A date stands for its whole day in UTC.

    A search that has to look at very many contacts stops after a while: its page then has fewer contacts than were asked for,
    or none, with `has_more` and a `next_cursor` that goes on.
    """
    terms = parse(query)
    with caller.transaction() as tx:
        found = searching.search_contacts(tx, page.keyset(listing.KINDS), terms)
    return page_of(page, found.rows, _view, found.total, found.stopped_at)


@router.get(
    "/{contact_id}",
    operation_id="getContact",
    summary="Show a contact",
    responses={200: ETAG_HEADER, **problems(404)},
)
async def get_contact(contact_id: UUID, caller: Manager, response: Response) -> Contact:
    """One contact with its tags, workspaces and engagement. Its ETag changes with it."""
    with caller.transaction() as tx:
        row = find_contact(tx, contact_id)
    if row is None:
        raise NotFound.of("contact", contact_id)
    return _with_etag(response, _view(row))


@router.put(
    "/{contact_id}",
    operation_id="updateContact",
    summary="Change a contact",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
@router.patch(
    "/{contact_id}",
    operation_id="patchContact",
    summary="Change a contact (alias of PUT)",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
async def update_contact(
    contact_id: UUID, body: ContactChange, caller: Manager, response: Response, if_match: IfMatch = None
) -> Contact:
    """Change the fields that are sent; absent fields stay, null clears. Lists (tags, workspaces) are replaced."""
    changes = {name: value for name, value in _values(body).items() if name in body.model_fields_set}
    for required in ("email", "status"):
        if changes.get(required, ...) is None:
            del changes[required]
    with caller.transaction() as tx:
        present = service.hold_contact(tx, contact_id)
        require_version(if_match, _view(present))
        return _with_etag(response, _view(service.change_contact(tx, present, changes)))


@router.delete("/{contact_id}", operation_id="deleteContact", summary="Delete a contact", responses=problems(404, 412))
async def delete_contact(contact_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedContact:
    """Remove the contact and its personal data for good. An address that has unsubscribed stays suppressed."""
    with caller.transaction() as tx:
        present = service.hold_contact(tx, contact_id)
        require_version(if_match, _view(present))
        service.delete_contact(tx, present)
        caller.audit(tx, "contact_deleted", resource_type="contact", resource_id=str(contact_id))
    return DeletedContact(id=contact_id)


def _with_etag(response: Response, view: Contact) -> Contact:
    response.headers["ETag"] = etag_of(view)
    return view
