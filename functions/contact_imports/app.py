"""Lambda entry point of /api/v1/contacts/import."""

from contact_imports.routes import router
from penguinmails.http.handler import api_handler

MAX_BODY_BYTES = 4_000_000

handler = api_handler(router, max_body_bytes=MAX_BODY_BYTES)
