"""Lambda entry point of /webhooks."""

from penguinmails.http.handler import api_handler
from provider_events.routes import router

handler = api_handler(router)
