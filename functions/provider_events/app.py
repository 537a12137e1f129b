"""Lambda entry point of /webhooks."""

from penguinmails.http.handler import FORM_TYPES, JSON_ALONE, api_handler
from provider_events.routes import router

MAX_BODY_BYTES = 5 * 1024 * 1024
RAW_MAIL = "message/rfc822"

handler = api_handler(router, max_body_bytes=MAX_BODY_BYTES, media_types=(*JSON_ALONE, *FORM_TYPES, RAW_MAIL))
