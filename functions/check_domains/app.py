"""Lambda entry point of the check of domains."""

from check_domains.service import check_due
from penguinmails.schedule import job_handler

handler = job_handler("check_domains", check_due)
