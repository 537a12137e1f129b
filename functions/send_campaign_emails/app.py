"""Lambda entry point of the queue of campaign mails."""

from penguinmails.queue import queue_handler
from send_campaign_emails.service import handle

handler = queue_handler(handle)
