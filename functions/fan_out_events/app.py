"""Lambda entry point of the events queue."""

from fan_out_events.service import handle
from penguinmails.queue import queue_batch_handler

handler = queue_batch_handler(handle)
