"""Lambda entry point of the usage collection."""

from collect_usage.service import collect
from penguinmails.schedule import job_handler

handler = job_handler("collect_usage", collect)
