"""Requests of every kind that the API document allows, and many that it does not, through the real handlers.

No answer may be a 5xx or undeclared, each must fit its schema, what the document does not allow is refused, and what is
for callers is refused without a credential. `make fuzz` tries many more requests, other ones each time.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from schemathesis import Case, openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.filters import HasAPIOperation
from schemathesis.pytest import from_fixture
from schemathesis.schemas import BaseSchema

from accounts import routes as accounts_routes
from api_keys import routes as api_keys_routes
from api_keys import service as api_keys_service
from penguinmails.db import transaction
from penguinmails.http import access
from sessions import routes as sessions_routes
from team import routes as team_routes
from tests.support.operations import Operation, operations
from tests.support.people import signed_in
from tests.support.resources import RESOURCES, Account, Ids, confirmation
from tests.support.sources import ROOT
from tests.support.wsgi import application

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
NO_LIMIT = 10**9
OPERATIONS = {(o.method, o.path): o for o in operations()}

DOCUMENT = json.loads((ROOT / "openapi.json").read_text())
schema = openapi.from_dict(
    DOCUMENT,
    # The credential is given below; one that is made up besides would only be overwritten.
    config=SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}}),
)
schema.app = application
load_all_checks()
# A document cannot say everything that a value must be: a moment in the future, a token that was mailed.
POSSIBLE_BUT_REFUSED = CHECKS.get_one("positive_data_acceptance")
OTHER_METHODS = CHECKS.get_one("unsupported_method")

answered: dict[str, set[int]] = defaultdict(set)


class World:
    """An account with something of each kind, which is made again when a request has deleted it."""

    def __init__(self) -> None:
        self.account = Account()
        self._made: dict[str, UUID] = {}
        limits = {"api_rate_limit": NO_LIMIT, "api_burst_limit": NO_LIMIT, "max_webhooks": NO_LIMIT}
        with transaction(role="jobs") as tx:
            tx.run(
                "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, %(limits)s::jsonb, 'test')",
                {"id": self.account.tenant.id, "limits": json.dumps(limits)},
            )

    def prepare(self, case: Case) -> dict[str, str]:
        """Let most well-formed ids name something that there is; the headers of the caller."""
        operation = OPERATIONS.get((case.method.upper(), "/api/v1" + case.path))
        if operation is None:
            return {"Authorization": f"Bearer {self.account.person.access_token}"}
        numbers = [_uuid(case.path_parameters.get(name)) for name in operation.path_parameters]
        if all(number is not None and number % 4 for number in numbers):
            case.path_parameters.update({name: str(id_) for name, id_ in self._existing(operation).items()})
        return self._credential(operation, case)

    def sign_in_again(self) -> None:
        """Sessions are among what requests end."""
        self.account.person = signed_in(self.account.tenant)

    def _existing(self, operation: Operation) -> Ids:
        ids: Ids = {}
        for name in operation.path_parameters:
            place = f"{ids}/{name}"
            if place not in self._made or RESOURCES[name].row(self._made[place]) is None:
                self._made[place] = RESOURCES[name].make(self.account, "live", ids)
            ids[name] = self._made[place]
        return ids

    def _credential(self, operation: Operation, case: Case) -> dict[str, str]:
        if operation.requirement.kind == "public":
            return {}
        by_key = operation.requirement.takes_api_keys and len(repr(case.body) + repr(case.query)) % 2
        token = self.account.key("live") if by_key else self.account.person.access_token
        return {"Authorization": f"Bearer {token}", **confirmation(self.account.person, operation.requirement)}


def _is_a_thing_too(path: str) -> bool:
    """Whether other methods mean a thing of that name: DELETE /sessions/refresh ends the session called "refresh"."""
    others = {o.path for o in operations() if o.path_parameters} - {path}
    return any(re.fullmatch(re.sub(r"\{\w+\}", r"(?:\\{\\w+\\}|[^/{]+)", other), path) for other in others)


def _uuid(text: Any) -> int | None:
    try:
        return UUID(str(text)).int
    except ValueError:
        return None


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The limits are out of the way: what is tried here is everything else."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (access, "_USER_LIMIT_PER_MINUTE"),
            (access, "_PUBLIC_LIMIT_PER_MINUTE"),
            (api_keys_routes, "_CREATIONS_PER_HOUR"),
            (api_keys_service, "MAX_ACTIVE_KEYS"),
            (team_routes, "_INVITATIONS_PER_HOUR"),
            (sessions_routes, "_SIGN_INS_PER_MINUTE"),
            (accounts_routes, "_MAILS_PER_ADDRESS_AND_HOUR"),
        ):
            patch.setattr(module, name, NO_LIMIT)
        yield World()


under_test: list[tuple[str, str]] = []


@pytest.fixture(
    params=[(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item], ids=" ".join
)
def documented(request: pytest.FixtureRequest) -> BaseSchema:
    """The document, of which the test tries one operation.

    Its requests are made when its test runs and not when tests are collected, which each worker process does.
    """
    under_test[:] = [request.param]
    # Schemathesis appends to what pytest called so before 9.2.
    request.node._nodeid = request.node.nodeid
    return schema


def _is_under_test(context: HasAPIOperation) -> bool:
    return (context.operation.method.upper(), context.operation.path) in under_test


@pytest.mark.timeout(3600 if EXAMPLES else 120)
@settings(
    max_examples=EXAMPLES or 15,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@from_fixture("documented").include(_is_under_test).parametrize()
def test_the_api_does_what_its_document_says(case: Case, world: World) -> None:
    excluded = [POSSIBLE_BUT_REFUSED, *([OTHER_METHODS] if _is_a_thing_too("/api/v1" + case.path) else [])]
    headers = world.prepare(case)
    try:
        response = case.call_and_validate(headers=headers, excluded_checks=excluded)
        answered[case.operation.label].add(response.status_code)
    finally:
        if "/sessions" in case.path or "/password" in case.path:
            world.sign_in_again()


def test_the_requests_got_through_to_what_the_operations_do() -> None:
    """Else the answers above were refusals alone, and little was tried."""
    done = {name for name, statuses in answered.items() if any(status < 300 for status in statuses)}

    assert len(done) >= len(answered) * 0.6, sorted(set(answered) - done)
