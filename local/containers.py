"""What `sam local` needs to run functions in containers against the running stack: `make env.json`.

A build for this machine's processor, a template that declares every variable (the SAM CLI passes on no other), the
secrets' files in a layer, since a container sees no other file of this machine, and env.json with the values.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.invoke import running_environments
from local.services.process import LOOPBACK, ServiceError
from local.template import ACCOUNT, REGION, read_document, read_template

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".aws-sam" / "container"
TEMPLATE = BUILD / "container.yaml"
DESKTOP_HOST = "host.docker.internal"
"""This machine, as Docker's desktop names it to containers; it reaches servers that listen on loopback only."""
_FILES = BUILD / "CommonLayer" / "machine"
_FILES_INSIDE = "/opt/machine"
_FILE_VARIABLES = ("PLATFORM_SECRETS_FILE", "VAULT_SECRET_ID_FILE")
_KEPT_OF_FUNCTIONS = ("CodeUri", "Handler", "MemorySize", "Timeout")
_LAYERS = ("CommonLayer", "DependenciesLayer")


def build(python_version: str) -> None:
    """Build every function and layer for this processor; raises ServiceError with the end of what was printed."""
    environment = {
        **os.environ,
        "MAKEFLAGS": "--no-print-directory",
        "PLATFORM": f"{platform.machine()}-manylinux_2_28",
        "PYTHON_VERSION": python_version,
    }
    # Never cached: the SAM CLI knows a build by its folder, not by its lock file, processor or version of Python.
    command = ["bash", "scripts/sam.sh", "build", "--build-dir", str(BUILD), "--parallel"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServiceError(f"sam build failed:\n{(done.stdout + done.stderr)[-2000:]}")


def container_template(document: dict[str, Any], environments: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Functions, layers and the HTTP API of a built template, for this processor and with every variable declared."""
    processor = "arm64" if platform.machine() == "aarch64" else "x86_64"
    resources: dict[str, Any] = {"Api": {"Type": "AWS::Serverless::HttpApi"}}
    for name in _LAYERS:
        content = document["Resources"][name]["Properties"]["ContentUri"]
        resources[name] = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": content}}
    for name, values in environments.items():
        properties = document["Resources"][name]["Properties"]
        events = {key: e for key, e in properties.get("Events", {}).items() if e["Type"] == "HttpApi"}
        resources[name] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                **{key: properties[key] for key in _KEPT_OF_FUNCTIONS if key in properties},
                "Events": events,
                "Environment": {"Variables": dict.fromkeys(values, "")},
            },
        }
    shared = document["Globals"]["Function"]
    functions = {
        **{key: shared[key] for key in ("Runtime", "MemorySize", "Timeout")},
        "Architectures": [processor],
        "Layers": [{"Ref": name} for name in _LAYERS],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"Function": functions},
        "Resources": resources,
    }


def values_inside(values: dict[str, str], host: str) -> dict[str, str]:
    """A function's variables as a container has to be told: this machine is `host`, its secrets lie in a layer."""
    inside = {name: value.replace(LOOPBACK, host) for name, value in values.items()}
    for name in _FILE_VARIABLES:
        if values.get(name):
            inside[name] = f"{_FILES_INSIDE}/{Path(values[name]).name}"
    return inside


def prepare(environments: dict[str, dict[str, str]], env_file: Path, *, host: str) -> None:
    """After a build: write template, layer files and env.json. `environments` is each function's on this machine."""
    _keep_private(TEMPLATE, json.dumps(container_template(read_document(BUILD / "template.yaml"), environments)))
    shutil.rmtree(_FILES, ignore_errors=True)
    _FILES.mkdir(mode=0o700)
    for file in {values[name] for values in environments.values() for name in _FILE_VARIABLES if values.get(name)}:
        _keep_private(_FILES / Path(file).name, Path(file).read_text())
    inside = {name: values_inside(values, host) for name, values in environments.items()}
    _keep_private(env_file, json.dumps(inside, indent=1) + "\n")


def _keep_private(file: Path, content: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        output.write(content)


def downloaded_layers(version: int) -> tuple[list[str], Path]:
    """After `prepare`: the layers as the SAM CLI keeps published ones that it has downloaded; their ARNs, and the folder.

    It makes one image for all functions of published layers, and another at each call for layers of the template: ten
    seconds for every invocation. `version` must be new for every run, or the last run's image would be taken.
    """
    folder = BUILD / "downloaded"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    arns = [f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}:{version}" for name in _LAYERS]
    for name, arn in zip(_LAYERS, arns, strict=True):
        # The SAM CLI names the folder so; were it another name, it would ask AWS for the layer and fail.
        (folder / f"{name}-{version}-{hashlib.sha256(arn.encode()).hexdigest()[:10]}").symlink_to(BUILD / name)
    return arns, folder


def lambda_version() -> str:
    """The Python version of the functions, such as 3.13."""
    return str(read_document(ROOT / "template.yaml")["Globals"]["Function"]["Runtime"]).removeprefix("python")


def main() -> int:
    """Entry point; 1 with a sentence when no stack runs or the build fails."""
    parser = argparse.ArgumentParser(prog="make env.json")
    parser.add_argument("file", type=Path)
    parser.add_argument("--state", type=Path, default=ROOT / ".local")
    parser.add_argument("--host", default=DESKTOP_HOST, help="this machine, as containers reach it")
    parser.add_argument("--python", default=lambda_version(), help="version of Python in the containers")
    arguments = parser.parse_args()
    try:
        functions = read_template(ROOT / "template.yaml").functions
        environments = {name: running_environments(arguments.state)[name] for name in functions}
        build(arguments.python)
        prepare(environments, arguments.file, host=arguments.host)
    except ServiceError as error:
        print(str(error), file=sys.stderr)
        return 1
    print(f"{arguments.file} and {TEMPLATE.relative_to(ROOT)} are written; docs/deploy.md shows what to do with them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
