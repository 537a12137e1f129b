"""Turns a function of one step into a scheduled job: small committed batches, stopping before the time limit."""

import time
from collections.abc import Callable
from typing import Any

from penguinmails import tracing
from penguinmails.logging import count, logger, measured
from penguinmails.settings import refuse_unsafe_start

JobHandler = Callable[[dict[str, Any], Any], dict[str, int]]
_RESERVE_SECONDS = 5.0


def job_handler(name: str, step: Callable[[], int]) -> JobHandler:
    """The Lambda handler of a job: `step` does one batch in one transaction and returns how much it did, 0 at the end."""
    refuse_unsafe_start()

    def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
        started = time.monotonic()
        span = tracing.start(name, "internal")
        done = steps = 0
        try:
            while context.get_remaining_time_in_millis() / 1000 > _RESERVE_SECONDS:
                batch = step()
                steps += 1
                done += batch
                if batch == 0:
                    break
        except Exception:
            count("jobs_failed_total", queue=name)
            logger.exception("job failed", extra={"job": name, "done": done, **span.fields(failed=True)})
            raise
        else:
            took = time.monotonic() - started
            measured({"jobs_completed_total": ("count", 1), "job_duration_seconds": ("s", took)}, queue=name)
            logger.info("job done", extra={"job": name, "steps": steps, "done": done, **span.fields()})
        finally:
            tracing.end()
        return {"steps": steps, "done": done}

    return handler
