"""Lambda entry point of /api/v1/webhooks and /api/v1/events, and of the console's paths to them."""

from penguinmails.http.handler import api_handler
from webhooks.routes import router

handler = api_handler(router)
