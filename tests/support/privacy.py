"""Requests about a person's data, and where such data stands."""

import json
import os
import urllib.parse
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from penguinmails import aws
from privacy_requests.app import handler
from tests.support.catalogue import tables
from tests.support.http import Answer, call
from tests.support.tenants import TestKey

REQUESTS = "/api/v1/privacy-requests"


def ask(key: TestKey, kind: str, email: str, **fields: Any) -> dict[str, Any]:
    """Make a request; the answer."""
    made = call(handler, "POST", REQUESTS, token=key.plaintext, json={"type": kind, "email": email, **fields})
    assert made.status == 202, made.body
    return made.json


def follow(key: TestKey, request_id: str) -> dict[str, Any]:
    """A request as it is now."""
    return call(handler, "GET", f"{REQUESTS}/{request_id}", token=key.plaintext).json


def copy_link(key: TestKey, request_id: str) -> Answer:
    """Ask for the copy."""
    return call(handler, "GET", f"{REQUESTS}/{request_id}/copy", token=key.plaintext)


def copy(key: TestKey, request_id: str) -> dict[str, list[Any]]:
    """What the copy holds."""
    link = urllib.parse.urlsplit(copy_link(key, request_id).json["url"])
    return json.loads(b"".join(aws.stream_object("/".join(link.path.split("/")[-2:]))))


def where_it_stands(tenant_id: UUID, text: str) -> set[str]:
    """The tables in which a tenant's rows hold a text, whatever the column."""
    found: set[str] = set()
    url = os.environ["MIGRATIONS_DATABASE_URL"]
    with psycopg.connect(url) as connection:
        for table in tables(url):
            if table.parent is None and table.has("tenant_id"):
                statement = sql.SQL("SELECT 1 FROM {} t WHERE tenant_id = %s AND t::text ILIKE %s LIMIT 1")
                row = connection.execute(
                    statement.format(sql.Identifier(table.name)), [tenant_id, f"%{text}%"]
                ).fetchone()
                found |= {table.name} if row else set()
    return found
