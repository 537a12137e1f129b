"""Lambda entry point of /api/docs and /.well-known/security.txt."""

from docs.routes import router
from penguinmails.http.handler import api_handler

handler = api_handler(router)
