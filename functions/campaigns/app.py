"""Lambda entry point of /api/v1/campaigns and of the console's path below /api/v1/tenant."""

from campaigns.routes import router
from penguinmails.http.handler import api_handler

handler = api_handler(router)
