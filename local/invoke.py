"""Runs one handler with one sample event against the running stack: `make invoke F=contacts E=list`."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from local.environments import Environment, InvocationError
from local.services.process import ServiceError
from local.template import Function, read_template

ROOT = Path(__file__).resolve().parents[1]


def function_of(folder: str) -> Function:
    """The function of a folder; raises ServiceError with the folders that there are."""
    functions = {f.handler.split(".")[0]: f for f in read_template(ROOT / "template.yaml").functions.values()}
    if folder not in functions:
        raise ServiceError(f"There is no function {folder!r}; F is one of: {', '.join(sorted(functions))}.")
    return functions[folder]


def event_of(folder: str, case: str) -> Any:
    """A sample event; raises ServiceError with the samples that there are."""
    file = ROOT / "events" / folder / f"{case}.json"
    if not file.is_file():
        there = ", ".join(sorted(f.stem for f in file.parent.glob("*.json")))
        raise ServiceError(f"There is no sample {case!r} of {folder}; E is one of: {there}.")
    return json.loads(file.read_text())


def running_environments(state: Path) -> dict[str, dict[str, str]]:
    """The environment of each function in the running stack; raises ServiceError when none runs."""
    file = state / "environments.json"
    if not (state / "endpoints.json").exists() or not file.exists():
        raise ServiceError("The stack is not running; start it with `make run` in another terminal.")
    return json.loads(file.read_text())


async def invoke(function: Function, event: Any, variables: dict[str, str], log: Path) -> Any:
    """The handler's answer. Raises InvocationError."""
    environment = await Environment.start(function, variables, log, ROOT)
    try:
        return await environment.invoke(event)
    finally:
        environment.retire()
        await environment.end()


def main() -> int:
    """Entry point; 1 with a sentence when something is missing, 2 when the handler raised."""
    parser = argparse.ArgumentParser(prog="make invoke")
    parser.add_argument("folder")
    parser.add_argument("case")
    parser.add_argument("--state", type=Path, default=ROOT / ".local")
    arguments = parser.parse_args()
    try:
        function = function_of(arguments.folder)
        event = event_of(arguments.folder, arguments.case)
        variables = running_environments(arguments.state)[function.name]
        log = arguments.state / "logs" / f"{arguments.folder}.invoke.log"
        print(json.dumps(asyncio.run(invoke(function, event, variables, log)), indent=1))
    except ServiceError as error:
        print(str(error), file=sys.stderr)
        return 1
    except InvocationError as error:
        print(json.dumps(error.document, indent=1), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
