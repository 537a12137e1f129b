"""Lambda entry point of exports of accounts."""

from export_account.service import export
from penguinmails.schedule import job_handler

handler = job_handler("export_account", export)
