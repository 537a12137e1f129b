"""Lambda entry point of the retention of contacts."""

from forget_contacts.service import forget
from penguinmails.schedule import job_handler

handler = job_handler("forget_contacts", forget)
