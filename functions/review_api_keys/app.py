"""Lambda entry point of the review of API keys."""

from penguinmails.schedule import job_handler
from review_api_keys.service import review

handler = job_handler("review_api_keys", review)
