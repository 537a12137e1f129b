"""Lambda entry point of the work on privacy requests."""

from answer_privacy_requests.service import answer
from penguinmails.schedule import job_handler

handler = job_handler("answer_privacy_requests", answer)
