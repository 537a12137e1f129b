"""Lambda entry point of /t: what recipients of mails load and follow."""

from penguinmails.http.handler import api_handler
from track.routes import router

handler = api_handler(router)
