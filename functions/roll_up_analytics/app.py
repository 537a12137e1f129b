"""Lambda entry point of the analytics roll-up."""

from penguinmails.schedule import job_handler
from roll_up_analytics.service import roll_up

handler = job_handler("roll_up_analytics", roll_up)
