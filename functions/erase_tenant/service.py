"""Erases one account after the other, a batch per transaction, so that it can be broken off and gone on with anywhere.

Files, secrets and what Redis knows of its keys go first; then the rows, those that point at others before these; last the
name. What is left is the id, the times, the audit record without addresses, and how much was removed.
"""

from graphlib import TopologicalSorter
from uuid import UUID

from erase_tenant import repository
from penguinmails.audit import record
from penguinmails.auth.key_state import forget
from penguinmails.aws import delete_objects, list_objects
from penguinmails.db import Mode, transaction
from penguinmails.domain.key_changes import announce_tenant_change
from penguinmails.logging import logger
from penguinmails.vault import delete_secret, list_kinds, list_secrets

BATCH = 5_000
_BATCHES_PER_STEP = 20
_FILES = 1_000
_MODES: tuple[Mode, ...] = ("live", "test")


def erase() -> int:
    """One batch of one account; how much it removed, 0 once no account is due."""
    with transaction(role="jobs") as tx:
        due = repository.next_due(tx)
    if due is None:
        return 0
    if due.status != "canceled":
        _shut(due.id)
        return 1
    return _outside(due.id) or _rows(due.id) or _finish(due.id)


def _shut(tenant_id: UUID) -> None:
    with transaction(role="jobs", tenant_id=tenant_id, mode="live") as tx:
        if repository.hold(tx, tenant_id) is None:
            return
        announcement = announce_tenant_change(tx, tenant_id)
        repository.set_closed(tx, tenant_id)
        record(tx, event="account_closed", actor_type="system", tenant_id=tenant_id, severity="critical")
    announcement.confirm()


def _outside(tenant_id: UUID) -> int:
    keys = list_objects(f"{tenant_id}/", _FILES)
    delete_objects(keys)
    secrets = _secrets(tenant_id)
    for path in secrets:
        delete_secret(path)
    with transaction(role="jobs", tenant_id=tenant_id, mode="live") as tx:
        forget(repository.key_digests(tx, tenant_id))
        for what, number in (("files", len(keys)), ("secrets", len(secrets))):
            if number:
                repository.add_removed(tx, tenant_id, what, number)
    return len(keys) + len(secrets)


def _secrets(tenant_id: UUID) -> list[str]:
    """Every secret under the account's folder, whatever its kind."""
    return [path for kind in list_kinds() for path in _below(f"{kind}/{tenant_id}")]


def _below(folder: str) -> list[str]:
    found: list[str] = []
    for name in list_secrets(folder):
        path = f"{folder}/{name.removesuffix('/')}"
        found += _below(path) if name.endswith("/") else [path]
    return found


def _rows(tenant_id: UUID) -> int:
    """Goes on with the next table until a batch is full: most tables hold little, and looking at all of them takes a while."""
    removed = 0
    for table in _in_order():
        for mode in _MODES:
            removed += _empty(tenant_id, mode, table)
            if removed >= BATCH:
                return removed
    return removed


def _empty(tenant_id: UUID, mode: Mode, table: str) -> int:
    total = 0
    for _ in range(_BATCHES_PER_STEP):
        with transaction(role="jobs", tenant_id=tenant_id, mode=mode) as tx:
            if table == "import_jobs":
                repository.close_staging(tx, tenant_id)
            removed = repository.erase_batch(tx, table, BATCH)
            if removed:
                repository.add_removed(tx, tenant_id, table, removed)
        total += removed
        if removed < BATCH:
            break
    return total


def _in_order() -> list[str]:
    """All tables; one whose rows point at another's comes before it."""
    with transaction(role="jobs") as tx:
        graph = {table.name: set(table.referenced_by) for table in repository.tables(tx)}
    known = set(graph)
    return list(TopologicalSorter({name: before & known for name, before in graph.items()}).static_order())


def _finish(tenant_id: UUID) -> int:
    with transaction(role="jobs", tenant_id=tenant_id, mode="live") as tx:
        if repository.hold(tx, tenant_id) is None:
            return 0
        removed = repository.removed(tx, tenant_id)
        repository.set_erased(tx, tenant_id, removed)
        record(
            tx, event="account_erased", actor_type="system", tenant_id=tenant_id, severity="critical", details=removed
        )
    logger.info("account erased", extra={"tenant_id": str(tenant_id), "removed": removed})
    return 1
