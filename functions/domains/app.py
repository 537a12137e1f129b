"""Lambda entry point of /api/v1/domains."""

from domains.routes import router
from penguinmails.http.handler import api_handler

handler = api_handler(router)
