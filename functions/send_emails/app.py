"""Lambda entry point of the emails queue."""

from penguinmails.queue import queue_handler
from send_emails.service import handle

handler = queue_handler(handle)
