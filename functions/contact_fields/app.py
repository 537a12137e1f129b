"""Lambda entry point of /api/v1/contact-fields."""

from contact_fields.routes import router
from penguinmails.http.handler import api_handler

handler = api_handler(router)
