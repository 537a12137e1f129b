"""Lambda entry point of /api/v1/suppression-list."""

from penguinmails.http.handler import api_handler
from suppression.routes import router

handler = api_handler(router)
