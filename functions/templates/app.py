"""Lambda entry point of /api/v1/templates."""

from penguinmails.http.handler import api_handler
from templates.routes import router

handler = api_handler(router)
