"""Lambda entry point of the deliveries queue."""

from dispatch_webhooks.service import handle
from penguinmails.queue import queue_batch_handler

handler = queue_batch_handler(handle)
