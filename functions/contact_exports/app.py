"""Lambda entry point of /api/v1/contacts/export."""

from contact_exports.routes import router
from penguinmails.http.handler import api_handler

handler = api_handler(router)
