"""Lambda entry point of the campaign planner."""

from penguinmails.schedule import job_handler
from plan_campaigns.service import plan

handler = job_handler("plan_campaigns", plan)
