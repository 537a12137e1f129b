"""Lambda entry point of /api/v1/admin."""

from penguinmails.http.handler import api_handler
from staff.routes import router

handler = api_handler(router)
