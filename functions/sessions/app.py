"""Lambda entry point of /api/v1/sessions."""

from penguinmails.http.handler import api_handler
from sessions.routes import router

handler = api_handler(router)
