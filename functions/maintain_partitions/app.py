"""Lambda entry point of the partition upkeep."""

from maintain_partitions.service import maintain
from penguinmails.schedule import job_handler

handler = job_handler("maintain_partitions", maintain)
