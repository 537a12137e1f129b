"""Lambda entry point of /api/v1/workspaces."""

from penguinmails.http.handler import api_handler
from workspaces.routes import router

handler = api_handler(router)
