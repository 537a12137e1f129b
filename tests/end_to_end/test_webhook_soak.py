"""Nothing is lost on the way to a webhook, whatever dies; the long version is `make soak-webhooks`."""

import json
import subprocess
import sys

import pytest

from tests.support.sources import ROOT

EVENTS = 2_000


@pytest.mark.end_to_end
@pytest.mark.timeout(240)
def test_two_killed_dispatchers_and_restarted_servers_lose_no_event() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bench.soak_webhooks", str(EVENTS)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=220,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2_000:]
    result = json.loads(run.stdout.splitlines()[-1])

    assert (result["events"], result["lost"], result["faults left out"]) == (EVENTS, 0, 0), result
    assert result["refused first"] > EVENTS / 10
    assert result["doubled"] <= EVENTS / 10, "a killed worker's posts may come twice, others not"
