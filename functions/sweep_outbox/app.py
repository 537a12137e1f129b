"""Lambda entry point of the outbox sweep."""

from penguinmails.schedule import job_handler
from sweep_outbox.service import sweep

handler = job_handler("sweep_outbox", sweep)
