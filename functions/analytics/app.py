"""Lambda entry point of /api/v1/analytics."""

from analytics.routes import router
from penguinmails.http.handler import api_handler

handler = api_handler(router)
