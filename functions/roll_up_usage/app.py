"""Lambda entry point of the usage roll-up."""

from penguinmails.schedule import job_handler
from roll_up_usage.service import roll_up

handler = job_handler("roll_up_usage", roll_up)
