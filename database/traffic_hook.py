"""Answers CodeDeploy, which asks before it moves calls to a function's new version.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

from collections.abc import Callable
from typing import Any

from penguinmails.aws import client
from penguinmails.logging import logger


def is_traffic_hook(event: dict[str, Any]) -> bool:
    """Whether CodeDeploy asks, and not an operator or CloudFormation."""
    return "LifecycleEventHookExecutionId" in event


def answer(event: dict[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do the work and tell CodeDeploy whether calls may move; the status that it was told.

    Raises nothing that comes of the work. When CodeDeploy itself does not take the answer, the exception stops the
    deployment as well: it waits for an hour and then goes back.
    """
    status = "Succeeded"
    try:
        work()
    except Exception:  # whatever it is, the calls stay where they are
        logger.exception("job failed", extra={"job": "traffic_hook"})
        status = "Failed"
    client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
    return {"status": status}
