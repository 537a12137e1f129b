"""Lambda entry point of the purge."""

from penguinmails.schedule import job_handler
from purge_expired.service import purge

handler = job_handler("purge_expired", purge)
