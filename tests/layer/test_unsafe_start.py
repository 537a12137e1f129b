"""A setting that is for one machine ends a function's start inside Lambda, before any event."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ["dispatch_webhooks", "webhooks", "sweep_deliveries"]
"""A consumer, an API resource and a job."""


def start(function: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Import a function's handler in a process of its own, with nothing in its environment but this."""
    path = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/common/python"))
    return subprocess.run(
        [sys.executable, "-c", f"import {function}.app"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("inside", ["AWS_LAMBDA_FUNCTION_NAME", "AWS_EXECUTION_ENV"])
def test_posts_to_localhost_are_refused_at_the_start_inside_lambda(function: str, inside: str) -> None:
    variables = {inside: "penguinmails", "VAULT_ADDR": "https://vault.example"}

    refused = start(function, ALLOW_LOCALHOST_WEBHOOKS="true", **variables)

    assert refused.returncode != 0
    assert "ALLOW_LOCALHOST_WEBHOOKS is for one machine; remove it from the function." in refused.stderr
    assert start(function, **variables).returncode == 0, "without it the function starts"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_on_one_machine_the_setting_is_taken(function: str) -> None:
    started = start(
        function, ALLOW_LOCALHOST_WEBHOOKS="true", AWS_LAMBDA_FUNCTION_NAME="penguinmails", AWS_SAM_LOCAL="true"
    )

    assert started.returncode == 0, started.stderr
