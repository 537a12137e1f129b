"""Lambda entry point of /api/v1/me/second-factor."""

from penguinmails.http.handler import api_handler
from second_factors.routes import router

handler = api_handler(router)
