"""Lambda entry point of the counting of segments."""

from count_segments.service import count
from penguinmails.schedule import job_handler

handler = job_handler("count_segments", count)
