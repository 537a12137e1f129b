"""A stack of the platform in the AWS emulator, deployed by the SAM CLI: what `make deploy-smoke` works on."""

import json
import os
import platform
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3

from local.localised_template import localise
from local.services.aws import CREDENTIAL
from local.services.process import free_ports_in_a_row
from local.stack import SERVICES, Ports, Stack
from local.template import REGION, read_document, read_template

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".aws-sam" / "smoke"
STACK = "penguinmails-smoke"
BUCKET = "deploy-smoke"
NO_CONFIG = BUILD / "no-samconfig.toml"
"""Empty: a smoke must not take over what a developer has set for real deploys."""
POISONED = "EventsQueue"
PARAMETERS = {
    "Environment": "dev",
    "VpcId": "vpc-00000000",
    "SubnetIds": "subnet-00000000",
    "SecurityGroupIds": "sg-00000000",
    "DatabaseAddress": "database.example:5432/penguinmails",
    "DatabaseAuth": "none",
    "RedisUrl": "rediss://cache.example:6379",
    "VaultAddr": "https://vault.example",
    "PlatformSecretsKeyId": "00000000-0000-0000-0000-000000000000",
    "PlatformSecretsWrapped": "A" * 40,
    "SmtpHost": "mail.example",
}
"""What a deploy has to be told. The addresses are given to the functions by the localised template."""


class Failed(Exception):
    """Something is not as it should be; the message says what."""


class Smoke:
    """One run: services on free ports, a build for this machine's processor, and the stack in the emulator."""

    def __init__(self, directory: Path) -> None:
        """`directory` takes the services' data and logs."""
        self.services = Stack(ROOT, Ports(free_ports_in_a_row(len(SERVICES))), durable=False, directory=directory)
        self.template = read_template(ROOT / "template.yaml")
        self.endpoint = self.services.aws.endpoint
        self.directory = directory

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIAL,
            aws_secret_access_key=CREDENTIAL,
        )

    def sam(self, *arguments: str) -> str:
        """Run the SAM CLI against the emulator; what it printed. Raises Failed with the end of it."""
        environment = {
            **os.environ,
            # What it leaves behind goes with the run.
            "TMPDIR": str(self.directory),
            "AWS": "mine",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": CREDENTIAL,
            "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "MAKEFLAGS": "--no-print-directory",
            "PLATFORM": f"{platform.machine()}-manylinux_2_28",
            "PYTHON_VERSION": "{}.{}".format(*sys.version_info[:2]),
        }
        done = subprocess.run(
            ["bash", "scripts/sam.sh", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Failed(f"sam {arguments[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout + done.stderr

    def build(self) -> None:
        """Build for this machine and write the localised template beside what was built."""
        # Never cached: the SAM CLI knows a build by its folder, not by its lock file, processor or version of Python.
        self.sam("build", "--build-dir", str(BUILD), "--parallel")
        NO_CONFIG.write_text("version = 0.1\n")
        self.localise(read_document(BUILD / "template.yaml"))

    def localise(self, document: dict[str, Any]) -> None:
        """Write what the next deploy takes: a built template, localised."""
        localised = localise(document, self.template, self.services.variables, visibility_seconds={POISONED: 2})
        (BUILD / "localised.yaml").write_text(json.dumps(localised, indent=1))

    def deploy(self, **changed: str) -> str:
        """What `sam deploy` printed; `changed` are parameters with another value."""
        overrides = [f"{name}={value}" for name, value in {**PARAMETERS, **changed}.items()]
        return self.sam(
            "deploy",
            *("--template-file", str(BUILD / "localised.yaml"), "--stack-name", STACK, "--s3-bucket", BUCKET),
            *(
                "--region",
                REGION,
                "--capabilities",
                "CAPABILITY_IAM",
                "--no-confirm-changeset",
            ),
            *("--no-fail-on-empty-changeset", "--no-progressbar", "--disable-rollback"),
            *("--config-file", str(NO_CONFIG), "--parameter-overrides", *overrides),
        )

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        described = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def origin_secret(self) -> str:
        """What CloudFront would send along."""
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.outputs()["OriginSecret"])
        return str(secret["SecretString"])

    def code(self) -> dict[str, str]:
        """The digest of each deployed function's code, by logical id."""
        functions = self.client("lambda")
        return {
            logical: functions.get_function_configuration(FunctionName=name)["CodeSha256"]
            for logical, name in self.physical_names().items()
        }

    def physical_names(self) -> dict[str, str]:
        """The name of each deployed function, by logical id."""
        described = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {
            r["LogicalResourceId"]: r["PhysicalResourceId"]
            for r in described
            if r["ResourceType"] == "AWS::Lambda::Function"
        }

    def called(self) -> dict[str, dict[str, Any]]:
        """What is called of each function, by its logical id: the version that calls go to, if it has one."""
        functions = self.client("lambda")
        found: dict[str, dict[str, Any]] = {}
        for logical, name in self.physical_names().items():
            aliases = [alias["Name"] for alias in functions.list_aliases(FunctionName=name)["Aliases"]]
            # CloudFormation and CodeDeploy call the newest code of the database function; jobs have no alias.
            called = name if logical == "DatabaseFunction" or not aliases else f"{name}:{aliases[0]}"
            found[logical] = functions.get_function_configuration(FunctionName=called)
        return found

    def releases(self) -> dict[str, str]:
        """The release of what is called of each function, by its logical id."""
        return {name: said["Environment"]["Variables"]["RELEASE"] for name, said in self.called().items()}

    def ask(self, method: str, path: str, *, secret: str | None, body: Any = None) -> tuple[int, Any]:
        """One request through the deployed API."""
        request = urllib.request.Request(  # noqa: S310 - a loopback address of ours
            f"{self.endpoint}/_aws/execute-api/{self.outputs()['ApiId']}/$default{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"X-Origin-Secret": secret} if secret else {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read() or b"null")
