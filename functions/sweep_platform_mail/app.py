"""Lambda entry point of the platform mail sweep."""

from penguinmails.schedule import job_handler
from sweep_platform_mail.service import sweep

handler = job_handler("sweep_platform_mail", sweep)
