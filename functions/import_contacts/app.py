"""Lambda entry point of the imports queue."""

from import_contacts.service import handle
from penguinmails.queue import queue_handler

handler = queue_handler(handle)
