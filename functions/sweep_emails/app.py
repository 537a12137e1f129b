"""Lambda entry point of the emails sweep."""

from penguinmails.schedule import job_handler
from sweep_emails.service import sweep

handler = job_handler("sweep_emails", sweep)
