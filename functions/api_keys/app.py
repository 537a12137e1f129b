"""Lambda entry point of /api/v1/platform/api-keys and /api/v1/tenant/analytics/api-usage."""

from api_keys.routes import router
from penguinmails.http.handler import api_handler

handler = api_handler(router)
