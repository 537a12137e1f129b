"""Lambda entry point of the platform mail queue."""

from penguinmails.queue import queue_handler
from send_platform_mail.service import handle

handler = queue_handler(handle)
