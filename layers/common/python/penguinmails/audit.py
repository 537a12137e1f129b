"""The audit trail: who did what to which resource. Rows are written with the change and never altered."""

from typing import Any, Literal
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.ids import new_uuid7

ActorType = Literal["user", "api_key", "staff", "system", "anonymous"]
Severity = Literal["info", "warning", "critical"]


def record(
    tx: Tx,
    *,
    event: str,
    actor_type: ActorType,
    actor_id: UUID | None = None,
    tenant_id: UUID | None = None,
    resource_type: str | None = None,
    resource_id: str | None = None,
    severity: Severity = "info",
    source_ip: str = "",
    user_agent: str = "",
    request_id: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Write one row in the transaction of the change; the tenant is the transaction's unless named. Never a secret."""
    tx.run(
        """
        INSERT INTO audit_log (id, tenant_id, actor_type, actor_id, event, resource_type, resource_id, severity,
                               ip_address, user_agent, request_id, details)
        VALUES (%(id)s, %(tenant_id)s, %(actor_type)s, %(actor_id)s, %(event)s, %(resource_type)s, %(resource_id)s,
                %(severity)s, nullif(%(ip_address)s, '')::inet, nullif(%(user_agent)s, ''), %(request_id)s, %(details)s)
        """,
        {
            "id": new_uuid7(),
            "tenant_id": tenant_id or tx.tenant_id,
            "actor_type": actor_type,
            "actor_id": actor_id,
            "event": event,
            "resource_type": resource_type,
            "resource_id": resource_id,
            "severity": severity,
            "ip_address": source_ip,
            "user_agent": user_agent,
            "request_id": request_id,
            "details": jsonb(details or {}),
        },
    )
