"""Runs every sample event by `sam local invoke`, in a container against the running stack: `make check-invoke`.

The SAM CLI ends with 0 when a handler has raised, so the answers themselves are looked at. Without a container engine
nothing is checked, and that is said.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.invoke import container_variables
from local.services.process import ServiceError

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".local" / "env.json"
_ENGINES = ("docker", "podman")
_NO_CREDENTIAL = 401
"""Samples hold placeholders where a credential goes."""


def engine() -> str | None:
    """The first container engine that answers."""
    for name in _ENGINES:
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    return None


def fault_of(expected: dict[str, Any], output: str) -> str | None:
    """What is wrong with the answer of a sample; None when it is as written in events/expectations.json."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        return "no answer: the function timed out or the container did not start"
    answer = json.loads(lines[-1])
    if "errorMessage" in answer:
        return f"raised {answer.get('errorType')}: {answer['errorMessage']}"
    if "status" in expected:
        wanted = _NO_CREDENTIAL if "caller" in expected else expected["status"]
        found = answer.get("statusCode")
        return None if found == wanted else f"answered {found}, not {wanted}"
    if "failed" in expected:
        found = [failure["itemIdentifier"] for failure in answer.get("batchItemFailures", [])]
        return None if found == expected["failed"] else f"failed {found}, not {expected['failed']}"
    return None


def logical_id(folder: str) -> str:
    """The function of a folder, as the template names it."""
    return "".join(word.title() for word in folder.split("_")) + "Function"


def _invoke(sample: str) -> str:
    command = ["bash", "scripts/sam.sh", "local", "invoke", logical_id(sample.partition("/")[0])]
    options = [
        "-e",
        f"events/{sample}",
        "--env-vars",
        str(ENVIRONMENT),
        "--add-host",
        "host.docker.internal:host-gateway",
    ]
    return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False).stdout


def main() -> int:
    """Entry point; 1 with a line for each sample whose answer is another one."""
    found = engine()
    if found is None:
        print("not checked: no container engine answers here (looked for docker and podman); `make invoke` needs none")
        return 0
    try:
        ENVIRONMENT.parent.mkdir(exist_ok=True)
        with os.fdopen(os.open(ENVIRONMENT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(container_variables(ROOT / ".local"), file)
    except ServiceError as error:
        print(str(error), file=sys.stderr)
        return 1
    print(f"containers of {found}; their interpreter and processor are Lambda's only when the image is AWS's own")
    expectations: dict[str, dict[str, Any]] = json.loads((ROOT / "events" / "expectations.json").read_text())
    faults = {sample: fault for sample, said in expectations.items() if (fault := fault_of(said, _invoke(sample)))}
    for sample, fault in faults.items():
        print(f"{sample}: {fault}")
    print(f"{len(expectations)} samples invoked, {len(faults)} answered otherwise")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
