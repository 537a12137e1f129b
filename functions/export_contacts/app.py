"""Lambda entry point of the exports queue."""

from export_contacts.service import handle
from penguinmails.queue import queue_handler

handler = queue_handler(handle)
