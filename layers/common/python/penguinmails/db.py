"""PostgreSQL: one connection per process and role, transactions with a tenant context, rows as frozen dataclasses.

This module and `db_values`, a part of it, are the only ones that know the driver. Each transaction tells row-level security
who asks, transaction-locally (`app.current_tenant_id`, `app.current_mode`), so a connection can be reused for another tenant
without a trace.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, LiteralString, TypeVar, overload
from uuid import UUID

import psycopg
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from penguinmails import db_values
from penguinmails.errors import ServiceUnavailable
from penguinmails.settings import ConfigurationError, get_settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row")
Mode = Literal["live", "test"]
Role = Literal["app", "jobs", "imports"]
Params = Mapping[str, Any]

_CONNECT_TIMEOUT_SECONDS = 3
_STATEMENT_TIMEOUT_MS = 25_000
_TOOK_TOO_LONG = (
    "The database took longer over this than it may. Nothing was changed. Ask for less at once, such as by a narrower filter "
    "or simpler rules, or try again when less is going on."
)
_PERHAPS_COMMITTED = (
    "The database went away while the change was being stored, so it may or may not be in effect. Look before you try"
    " again, or repeat the request with the same Idempotency-Key."
)
_connections: dict[tuple[Role, int], psycopg.Connection[Any]] = {}


db_values.register()


def columns_of(row: "DataclassInstance") -> dict[str, Any]:
    """A row's values by column. Unlike `dataclasses.asdict` it copies nothing, which is half of the time of a long list."""
    return {name: getattr(row, name) for name in _names_of(type(row))}


@cache
def _names_of(kind: "type[DataclassInstance]") -> tuple[str, ...]:
    return tuple(column.name for column in fields(kind))


class UniqueViolation(Exception):
    """A row with the same unique value exists; `constraint` names which."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class ForeignKeyViolation(Exception):
    """A referenced row does not exist for this tenant and mode; `constraint` names which."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


def jsonb(value: Any) -> Jsonb:
    """Mark a parameter as a jsonb document."""
    return Jsonb(value)


@dataclass(slots=True)
class Tx:
    """One open transaction. Statements are literal text with `%(name)s` parameters."""

    connection: psycopg.Connection[Any]
    tenant_id: UUID | None
    mode: Mode | None
    lane: int = 0
    """Which of the process's connections of the role; see `transaction`."""
    stored_messages: list[Any] = field(default_factory=list[Any])
    """Outbox rows that this transaction wrote; see `events.outbox`."""
    _after_commit: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    @overload
    def one(self, statement: LiteralString, params: Params, row: type[Row]) -> Row | None: ...
    @overload
    def one(self, statement: LiteralString, params: Params, row: None = None) -> Any: ...
    def one(self, statement: LiteralString, params: Params, row: type[Row] | None = None) -> Row | Any | None:
        """The first row as `row`, or its first column when no class is given; None when there is no row."""
        with self._execute(statement, params, class_row(row) if row else scalar_row) as cursor:
            return cursor.fetchone()

    @overload
    def all(self, statement: LiteralString, params: Params, row: type[Row]) -> list[Row]: ...
    @overload
    def all(self, statement: LiteralString, params: Params, row: None = None) -> list[Any]: ...
    def all(self, statement: LiteralString, params: Params, row: type[Row] | None = None) -> list[Row] | list[Any]:
        """All rows as `row`, or their first columns when no class is given."""
        with self._execute(statement, params, class_row(row) if row else scalar_row) as cursor:
            return cursor.fetchall()

    def run(self, statement: LiteralString, params: Params) -> int:
        """Execute a statement that returns nothing; the number of rows that it touched."""
        with self._execute(statement, params, scalar_row) as cursor:
            return cursor.rowcount

    def run_many(self, statement: LiteralString, rows: Sequence[Params]) -> None:
        """Execute a statement once per row, pipelined into few round trips."""
        if not rows:
            return
        try:
            with self.connection.cursor() as cursor:
                cursor.executemany(statement, rows)
        except psycopg.Error as error:
            raise _translate(error) from error

    def copy_in(self, statement: LiteralString, rows: Iterable[Sequence[Any]]) -> int:
        """Stream rows into `COPY ... FROM STDIN`; how many there were. Never a table with row security, which refuses it."""
        count = 0
        try:
            with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
                    count += 1
        except psycopg.Error as error:
            raise _translate(error) from error
        return count

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once the transaction is committed; never when it is rolled back."""
        self._after_commit.append(callback)

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """A part that may fail alone: an exception undoes it and leaves the transaction usable."""
        with self.connection.transaction():
            yield

    def _execute(self, statement: LiteralString, params: Params, factory: Any) -> psycopg.Cursor[Any]:
        cursor = self.connection.cursor(row_factory=factory)
        try:
            return cursor.execute(statement, params)
        except psycopg.Error as error:
            cursor.close()
            raise _translate(error) from error


def _translate(error: psycopg.Error) -> Exception:
    if isinstance(error, psycopg.errors.UniqueViolation):
        return UniqueViolation(error.diag.constraint_name or "")
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        return ForeignKeyViolation(error.diag.constraint_name or "")
    if isinstance(error, psycopg.errors.QueryCanceled):
        return ServiceUnavailable.retry_in(30, _TOOK_TOO_LONG)
    if isinstance(error, psycopg.OperationalError):
        return _unavailable()
    return error


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable.retry_in(2, "The database cannot be reached. Nothing was changed; try again.")


def _password(url: str) -> str | None:
    if get_settings().database_auth != "iam":
        return None
    from penguinmails.database_token import password_for

    return password_for(url)


def _connect(role: Role) -> psycopg.Connection[Any]:
    settings = get_settings()
    name, url = {
        "app": ("DATABASE_URL", settings.database_url),
        "jobs": ("JOBS_DATABASE_URL", settings.jobs_database_url),
        "imports": ("IMPORTS_DATABASE_URL", settings.imports_database_url),
    }[role]
    if not url:
        raise ConfigurationError(f"{name} is not set; the template gives it to functions that may use this role.")
    connection = psycopg.connect(
        url,
        password=_password(url),
        autocommit=True,
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
        application_name="penguinmails",
        options=f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c timezone=UTC",
        keepalives_idle=30,
    )
    # An import's tables grow from nothing to millions of rows while it runs: each slice is planned for what is there.
    connection.prepare_threshold = None if role == "imports" else 3
    return connection


_BEGIN: LiteralString = (
    "BEGIN; SELECT set_config('app.current_tenant_id', %(tenant)s, true), set_config('app.current_mode', %(mode)s, true),"
    " set_config('app.current_user_id', %(user)s, true)"
)


def _begin(role: Role, lane: int, context: Params) -> psycopg.Connection[Any]:
    """Open a transaction with its context in one round trip; a connection that died while idle is replaced once."""
    for attempt in (1, 2):
        connection = _connections.get((role, lane))
        try:
            if connection is None or connection.closed:
                connection = _connections[role, lane] = _connect(role)
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                raise RuntimeError("A transaction is open already; pass it on instead of opening a second one.")
            # Two statements go in one round trip where the driver itself puts the values in, at half the price of a pipeline.
            psycopg.ClientCursor(connection).execute(_BEGIN, context)
        except psycopg.OperationalError as error:
            close_connection(role, lane)
            if attempt == 2:
                raise _unavailable() from error
        else:
            return connection
    raise AssertionError("unreachable")


def close_connection(role: Role, lane: int = 0) -> None:
    """Drop the process's connection; the next transaction opens a new one."""
    connection = _connections.pop((role, lane), None)
    if connection is not None:
        connection.close()


@contextmanager
def transaction(
    *,
    tenant_id: UUID | None = None,
    mode: Mode | None = None,
    user_id: UUID | None = None,
    role: Role = "app",
    lane: int = 0,
) -> Generator[Tx]:
    """One transaction, committed at the end of the block and rolled back when the block raises.

    Threads that work side by side each have a lane, which is a connection of its own; whoever opens one closes it.

    Without a tenant the application role sees no tenant's rows. Raises ServiceUnavailable when the database cannot be
    reached or goes away: what was not committed is undone. When the connection breaks in COMMIT itself the outcome is
    unknown; the caller is told to retry, which an Idempotency-Key makes safe.
    """
    context = {"tenant": str(tenant_id or ""), "mode": mode or "", "user": str(user_id or "")}
    connection = _begin(role, lane, context)
    tx = Tx(connection, tenant_id, mode, lane)
    try:
        yield tx
    except BaseException as error:
        _roll_back(role, lane, connection)
        if isinstance(error, psycopg.OperationalError):
            raise _unavailable() from error
        raise
    _commit(role, lane, connection)
    for callback in tx._after_commit:  # pyright: ignore[reportPrivateUsage]
        callback()


def _commit(role: Role, lane: int, connection: psycopg.Connection[Any]) -> None:
    try:
        connection.execute("COMMIT")
    except BaseException as error:
        _roll_back(role, lane, connection)
        if isinstance(error, psycopg.OperationalError):
            raise ServiceUnavailable.retry_in(2, _PERHAPS_COMMITTED) from error
        raise


def _roll_back(role: Role, lane: int, connection: psycopg.Connection[Any]) -> None:
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        close_connection(role, lane)
