"""Lambda entry point of the deliveries sweep."""

from penguinmails.schedule import job_handler
from sweep_deliveries.service import sweep

handler = job_handler("sweep_deliveries", sweep)
