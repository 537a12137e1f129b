"""Lambda entry point of the removal of files."""

from penguinmails.schedule import job_handler
from purge_files.service import purge

handler = job_handler("purge_files", purge)
