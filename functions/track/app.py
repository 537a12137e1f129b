"""Lambda entry point of /t: what recipients of mails load and follow."""

from penguinmails.http.handler import FORM_TYPES, JSON_ALONE, api_handler
from track.routes import router

# Mail programs post a form to end a subscription (RFC 8058, section 3.2), and so does the page's button.
handler = api_handler(router, media_types=(*FORM_TYPES, *JSON_ALONE))
