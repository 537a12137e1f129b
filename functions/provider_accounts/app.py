"""Lambda entry point of /api/v1/tenant/esp."""

from penguinmails.http.handler import api_handler
from provider_accounts.routes import router

handler = api_handler(router)
