"""Lambda entry point of /webhooks."""

from penguinmails.http.handler import api_handler
from provider_events.routes import router

MAX_BODY_BYTES = 5 * 1024 * 1024

handler = api_handler(router, max_body_bytes=MAX_BODY_BYTES)
