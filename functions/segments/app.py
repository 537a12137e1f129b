"""Lambda entry point of /api/v1/segments."""

from penguinmails.http.handler import api_handler
from segments.routes import router

handler = api_handler(router)
