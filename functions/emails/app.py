"""Lambda entry point of /api/v1/emails."""

from emails.routes import router
from penguinmails.http.handler import api_handler

MAX_BODY_BYTES = 4 * 1024 * 1024

handler = api_handler(router, max_body_bytes=MAX_BODY_BYTES)
