"""Lambda entry point of /api/docs."""

from docs.routes import router
from penguinmails.http.handler import api_handler

handler = api_handler(router)
