"""Runs one handler with one sample event against the running stack: `make invoke F=contacts E=list`.

Also writes env.json, with which `sam local` does the same in a container: `make env.json`.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from local.environments import Environment, InvocationError
from local.services.process import LOOPBACK, ServiceError
from local.template import Function, read_template

ROOT = Path(__file__).resolve().parents[1]
_HOST = "host.docker.internal"
"""This machine, as a container names it."""


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


def variables_of(function: Function, state: Path) -> dict[str, str]:
    """The environment that the running stack gives this function; raises ServiceError when none runs."""
    file = state / "environments.json"
    if not (state / "endpoints.json").exists() or not file.exists():
        raise ServiceError("The stack is not running; start it with `make run` in another terminal.")
    return json.loads(file.read_text())[function.name]


def container_variables(state: Path) -> dict[str, dict[str, str]]:
    """The same for all functions as a container has to be told: this machine has another name there."""
    functions = read_template(ROOT / "template.yaml").functions.values()
    return {
        function.name: {name: value.replace(LOOPBACK, _HOST) for name, value in variables_of(function, state).items()}
        for function in functions
    }


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
    parser.add_argument("folder", nargs="?", default="")
    parser.add_argument("case", nargs="?", default="")
    parser.add_argument("--write-env", type=Path, help="write the environment of all functions for containers and end")
    parser.add_argument("--state", type=Path, default=ROOT / ".local")
    arguments = parser.parse_args()
    try:
        if arguments.write_env:
            content = json.dumps(container_variables(arguments.state), indent=1)
            # It names files with secrets of this machine, which are nobody else's.
            with os.fdopen(os.open(arguments.write_env, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(content + "\n")
            return 0
        function = function_of(arguments.folder)
        event = event_of(arguments.folder, arguments.case)
        variables = variables_of(function, arguments.state)
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
