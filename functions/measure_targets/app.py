"""Lambda entry point of the measurement of targets."""

from measure_targets.service import measure
from penguinmails.schedule import job_handler

handler = job_handler("measure_targets", measure)
