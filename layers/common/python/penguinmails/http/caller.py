"""The caller of a route: who it is, and the transactions that it may open."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails import audit
from penguinmails.auth.principal import PLATFORM_TENANT_ID, KeyPrincipal, StaffPrincipal, UserPrincipal
from penguinmails.auth.scopes import Scope
from penguinmails.db import Mode, Tx, transaction
from penguinmails.http.context import RequestContext
from penguinmails.http.idempotency import IdempotencyRecord, Work, check_not_answered, idempotent_work


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's caller, by API key or by session; what it reads and writes is its tenant's and mode's alone."""

    principal: KeyPrincipal | UserPrincipal
    request: RequestContext
    idempotency: IdempotencyRecord | None

    @property
    def tenant_id(self) -> UUID:
        """The tenant, always from the credential."""
        return self.principal.tenant_id

    @property
    def mode(self) -> Mode:
        """`live` or `test`: which of the tenant's two data sets."""
        return self.principal.mode

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the caller may do."""
        return self.principal.scopes

    @property
    def user(self) -> UserPrincipal:
        """The person, on routes that take sessions only."""
        if not isinstance(self.principal, UserPrincipal):
            raise TypeError("this route takes sessions only")
        return self.principal

    @property
    def _user_id(self) -> UUID | None:
        return self.principal.user_id if isinstance(self.principal, UserPrincipal) else None

    def transaction(self) -> AbstractContextManager[Tx]:
        """A transaction as this caller, for reads and for writes that are idempotent by nature (PUT, DELETE)."""
        return transaction(tenant_id=self.tenant_id, mode=self.mode, user_id=self._user_id)

    def work(self) -> AbstractContextManager[Work]:
        """The transaction of a POST, tied to its Idempotency-Key; the route answers with `work.answer(...)`."""
        return idempotent_work(tenant_id=self.tenant_id, mode=self.mode, user_id=self._user_id, record=self.idempotency)

    def check_not_answered(self, tx: Tx) -> None:
        """For a POST that does something before its `work()` and outside of it: raises Replayed when it was answered before.

        Twins that are sent at the same time both do it, so it must be harmless twice.
        """
        if self.idempotency is not None:
            check_not_answered(tx, self.idempotency)

    def audit(self, tx: Tx, event: str, **facts: Any) -> None:
        """Write an audit row with this caller as its actor; `facts` as in `audit.record`."""
        audit.record(
            tx,
            event=event,
            actor_type="user" if isinstance(self.principal, UserPrincipal) else "api_key",
            actor_id=self.principal.id,
            source_ip=self.request.source_ip,
            user_agent=self.request.user_agent,
            request_id=self.request.request_id,
            **facts,
        )


@dataclass(frozen=True, slots=True)
class StaffCaller:
    """A member of staff; works across tenants under the jobs role, and every use is audited."""

    principal: StaffPrincipal
    request: RequestContext

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        """A transaction that sees what the jobs role's policies let it see."""
        with transaction(role="jobs", user_id=self.principal.user_id) as tx:
            yield tx

    def at_home(self) -> AbstractContextManager[Tx]:
        """A transaction in the platform's own tenant, where staff are its people."""
        return transaction(tenant_id=PLATFORM_TENANT_ID, mode="live", user_id=self.principal.user_id)

    def inside(self, tenant_id: UUID) -> AbstractContextManager[Tx]:
        """A transaction that sees one tenant's live data as the tenant does, to be audited there."""
        return transaction(tenant_id=tenant_id, mode="live", user_id=self.principal.user_id)

    def audit(self, tx: Tx, event: str, **facts: Any) -> None:
        """Write an audit row with this member of staff as its actor."""
        audit.record(
            tx,
            event=event,
            actor_type="staff",
            actor_id=self.principal.user_id,
            source_ip=self.request.source_ip,
            user_agent=self.request.user_agent,
            request_id=self.request.request_id,
            **facts,
        )
