"""Lambda entry point of the events queue."""

from fan_out_events.service import handle
from penguinmails.queue import queue_handler

handler = queue_handler(handle)
