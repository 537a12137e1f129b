"""HTTP of templates."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from penguinmails.auth.scopes import Scope
from penguinmails.db import columns_of
from penguinmails.domain.templates import render
from penguinmails.http.access import access
from penguinmails.http.caller import Caller
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.http.versions import ETAG_HEADER, IfMatch, etag_of, require_version
from templates import repository, service
from templates.repository import TemplateRow
from templates.schemas import DeletedTemplate, Name, NewTemplate, Rendered, RenderRequest, Template, TemplateChange

router = APIRouter(prefix="/api/v1/templates", tags=["Templates"])

Manager = Annotated[Caller, access(Scope.MANAGE_TEMPLATES)]


def _view(row: TemplateRow) -> Template:
    return Template(**columns_of(row))


@router.post(
    "",
    operation_id="createTemplate",
    summary="Add a template",
    status_code=201,
    response_model=Template,
    responses=problems(409),
)
async def create_template(body: NewTemplate, caller: Manager) -> Response:
    """Keep a text with variables. It is checked now, so that sending it cannot fail for its wording."""
    with caller.work() as work:
        row = service.create(work.tx, body.model_dump())
        caller.audit(work.tx, "template_created", resource_type="template", resource_id=str(row.id))
        return work.answer(201, _view(row))


@router.get("", operation_id="listTemplates", summary="List templates", responses=problems())
async def list_templates(
    caller: Manager,
    page: Annotated[PageRequest, paged("created_at", "updated_at", "name")],
    name: Annotated[Name | None, Query(description="Only the template of this name.")] = None,
    workspace_id: Annotated[UUID | None, Query(description="Only templates of this workspace.")] = None,
) -> Page[Template]:
    """The account's templates in this mode."""
    with caller.transaction() as tx:
        rows, total = repository.list_templates(tx, page.keyset(repository.KINDS), name=name, workspace_id=workspace_id)
    return page_of(page, rows, _view, total)


@router.get(
    "/{template_id}",
    operation_id="getTemplate",
    summary="Show a template",
    responses={200: ETAG_HEADER, **problems(404)},
)
async def get_template(template_id: UUID, caller: Manager, response: Response) -> Template:
    """One template."""
    with caller.transaction() as tx:
        view = _view(service.existing(tx, template_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.put(
    "/{template_id}",
    operation_id="updateTemplate",
    summary="Change a template",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
@router.patch(
    "/{template_id}",
    operation_id="patchTemplate",
    summary="Change a template (alias of PUT)",
    responses={200: ETAG_HEADER, **problems(404, 409, 412)},
)
async def update_template(
    template_id: UUID, body: TemplateChange, caller: Manager, response: Response, if_match: IfMatch = None
) -> Template:
    """Change the fields that are sent; absent fields stay. Emails that are queued already keep their text."""
    sent = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in sent.items() if value is not None or name not in {"name", "subject"}}
    with caller.transaction() as tx:
        present = service.existing_locked(tx, template_id)
        require_version(if_match, _view(present))
        view = _view(service.change(tx, present, changes))
        caller.audit(tx, "template_changed", resource_type="template", resource_id=str(template_id))
    response.headers["ETag"] = etag_of(view)
    return view


@router.delete(
    "/{template_id}",
    operation_id="deleteTemplate",
    summary="Delete a template",
    responses=problems(404, 412),
)
async def delete_template(template_id: UUID, caller: Manager, if_match: IfMatch = None) -> DeletedTemplate:
    """Forget a template. Emails that were made of it keep their text."""
    with caller.transaction() as tx:
        require_version(if_match, _view(service.existing_locked(tx, template_id)))
        repository.delete(tx, template_id)
        caller.audit(tx, "template_deleted", resource_type="template", resource_id=str(template_id))
    return DeletedTemplate(id=template_id)


@router.post(
    "/{template_id}/render",
    operation_id="renderTemplate",
    summary="See a template with values",
    response_model=Rendered,
    responses=problems(404, 409),
)
async def render_template(template_id: UUID, body: RenderRequest, caller: Manager) -> Response:
    """What a recipient would get with these values. Nothing is sent or stored."""
    with caller.work() as work:
        message = render(service.source_of(service.existing(work.tx, template_id)), body.variables)
        return work.answer(200, Rendered(subject=message.subject, html_body=message.html, text_body=message.text))
