"""Lambda entry point of /api/v1/team."""

from penguinmails.http.handler import api_handler
from team.routes import router

handler = api_handler(router)
