"""Lambda entry point of /api/v1/privacy-requests."""

from penguinmails.http.handler import api_handler
from privacy_requests.routes import router

handler = api_handler(router)
