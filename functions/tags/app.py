"""Lambda entry point of /api/v1/tags."""

from penguinmails.http.handler import api_handler
from tags.routes import router

handler = api_handler(router)
