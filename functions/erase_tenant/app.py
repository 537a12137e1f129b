"""Lambda entry point of the erasure of closed accounts."""

from erase_tenant.service import erase
from penguinmails.schedule import job_handler

handler = job_handler("erase_tenant", erase)
