"""Lambda entry point of what segments need."""

from count_segments.service import work
from penguinmails.schedule import job_handler

handler = job_handler("count_segments", work)
