"""Deploys the platform for real, into the AWS emulator, and looks whether it works: `make deploy-smoke`.

A deploy, the same deploy again, a deploy of one changed function, and the removal, all by the SAM CLI. In between, HTTP
through the deployed API, a message through a deployed consumer, and a poison message that ends in its dead-letter queue.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from local.localised_template import localise
from local.services.aws import CREDENTIAL
from local.services.process import LOOPBACK, ServiceError, free_ports_in_a_row
from local.stack import SERVICES, Ports, Stack
from local.template import REGION, read_document, read_template

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".aws-sam" / "smoke"
STACK = "penguinmails-smoke"
BUCKET = "deploy-smoke"
NO_CONFIG = BUILD / "no-samconfig.toml"
"""Empty: a smoke must not take over what a developer has set for real deploys."""
UPDATED = "MeFunction"
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
_PATIENCE_SECONDS = 60


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
        self.sam("build", "--build-dir", str(BUILD), "--cached", "--parallel")
        document = read_document(BUILD / "template.yaml")
        localised = localise(document, self.template, self.services.variables, visibility_seconds={POISONED: 2})
        NO_CONFIG.write_text("version = 0.1\n")
        (BUILD / "localised.yaml").write_text(json.dumps(localised, indent=1))

    def deploy(self) -> str:
        """What `sam deploy` printed."""
        overrides = [f"{name}={value}" for name, value in PARAMETERS.items()]
        return self.sam(
            "deploy",
            *("--template-file", str(BUILD / "localised.yaml"), "--stack-name", STACK, "--s3-bucket", BUCKET),
            *(
                "--region",
                REGION,
                "--capabilities",
                "CAPABILITY_IAM",
                "CAPABILITY_AUTO_EXPAND",
                "--no-confirm-changeset",
            ),
            *("--no-fail-on-empty-changeset", "--no-progressbar", "--disable-rollback"),
            *("--config-file", str(NO_CONFIG), "--parameter-overrides", *overrides),
        )

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        described = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def code(self) -> dict[str, str]:
        """The digest of each deployed function's code, by logical id."""
        described = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        names = {
            r["LogicalResourceId"]: r["PhysicalResourceId"]
            for r in described
            if r["ResourceType"] == "AWS::Lambda::Function"
        }
        functions = self.client("lambda")
        return {
            logical: functions.get_function_configuration(FunctionName=name)["CodeSha256"]
            for logical, name in names.items()
        }

    def ask(self, method: str, path: str, *, secret: str | None, body: Any = None) -> tuple[int, Any]:
        """One request through the deployed API."""
        request = urllib.request.Request(  # noqa: S310 - a loopback address of ours
            f"{self.endpoint}/_aws/execute-api/{self.outputs()['ApiId']}/$default{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"X-Origin-Secret": secret} if secret else {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read() or b"null")


def _expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise Failed(f"{what}: expected {wanted!r}, found {found!r}")


def _wait(what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {_PATIENCE_SECONDS} s")
        time.sleep(0.5)


def first_deploy(smoke: Smoke) -> None:
    """Everything is made, and the database is at its newest migration."""
    smoke.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    smoke.deploy()
    _expect(len(smoke.code()), len(smoke.template.functions), "deployed functions")
    newest = sorted((ROOT / "database" / "migrations").glob("*.sql"))[-1].stem
    _expect(smoke.outputs()["Schema"], newest, "schema that the migrations report")


def http_through_the_api(smoke: Smoke) -> None:
    """The API answers who has CloudFront's secret, and nobody else."""
    secret = smoke.client("secretsmanager").get_secret_value(SecretId=smoke.outputs()["OriginSecret"])["SecretString"]
    _expect(smoke.ask("GET", "/api/v1/contacts", secret=None)[0], 403, "a request past CloudFront")
    status, problem = smoke.ask("GET", "/api/v1/contacts", secret=secret)
    _expect((status, problem.get("code")), (401, "AUTHENTICATION_REQUIRED"), "a request without a credential")
    _expect(smoke.ask("GET", "/nowhere", secret=secret)[0], 404, "a path that nobody serves")
    address = f"{uuid4().hex}@example.com"
    person = {"email": address, "password": "Correct-horse-7", "name": "Ada Lovelace", "company": "Engines"}
    status, answer = smoke.ask("POST", "/api/v1/accounts", secret=secret, body=person)
    _expect(status, 202, f"signing up ({answer})")
    # The mail has gone through the database, a queue and a deployed consumer.
    _wait("the mail of a new account", lambda: bool(smoke.services.mail.mails_to(address)))


def poison_ends_apart(smoke: Smoke) -> None:
    """A message that nobody can read moves to the dead-letter queue and stops nobody."""
    described = smoke.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    urls = {
        r["LogicalResourceId"]: r["PhysicalResourceId"] for r in described if r["ResourceType"] == "AWS::SQS::Queue"
    }
    queues = smoke.client("sqs")
    queues.send_message(QueueUrl=urls[POISONED], MessageBody="no document", MessageGroupId="poison")
    dead = str(smoke.template.queues[POISONED].dead_letter)

    def arrived() -> bool:
        found = queues.get_queue_attributes(QueueUrl=urls[dead], AttributeNames=["ApproximateNumberOfMessages"])
        return found["Attributes"]["ApproximateNumberOfMessages"] == "1"

    _wait("the poison message in its dead-letter queue", arrived)


def alarms_by_themselves(smoke: Smoke) -> None:
    """The nested template that the emulator takes whole."""
    stacks, name = smoke.client("cloudformation"), f"{STACK}-alarms"
    values = {
        "AlarmTopicArn": f"arn:aws:sns:{REGION}:000000000000:operators",
        "Environment": "dev",
        "ApiId": smoke.outputs()["ApiId"],
        "DatabaseIdentifier": "",
        "DatabaseMaxCapacity": "8",
        "CacheName": "penguinmails-dev",
    }
    stacks.create_stack(
        StackName=name,
        TemplateBody=(ROOT / "infrastructure" / "alarms.yaml").read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
    )

    def made() -> bool:
        return stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"

    _wait("the alarms", made)
    found = smoke.client("cloudwatch").describe_alarms()["MetricAlarms"]
    if not any(values["AlarmTopicArn"] in alarm["AlarmActions"] for alarm in found):
        raise Failed("no alarm tells the topic that was named")
    stacks.delete_stack(StackName=name)


def the_same_again(smoke: Smoke) -> None:
    """A deploy without a change changes nothing."""
    if "No changes to deploy" not in smoke.deploy():
        raise Failed("a second deploy of the same build found changes")


def one_function(smoke: Smoke) -> None:
    """A changed function is deployed alone."""
    before = smoke.code()
    package = "_".join(smoke.template.functions[UPDATED].handler.split(".")[:1])
    changed = BUILD / UPDATED / package / "__init__.py"
    changed.write_text(changed.read_text() + "\n# changed by the deploy smoke\n")
    smoke.deploy()
    after = smoke.code()
    _expect([name for name in after if after[name] != before[name]], [UPDATED], "functions with other code")


def removal(smoke: Smoke) -> None:
    """Nothing is left but what is meant to stay."""
    smoke.sam("delete", "--stack-name", STACK, "--region", REGION, "--no-prompts", "--config-file", str(NO_CONFIG))
    stacks = smoke.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])
    _expect(
        [s["StackName"] for s in stacks["StackSummaries"] if s["StackName"] == STACK], [], "stacks after the removal"
    )


def main() -> int:
    """Run all of it; 1 with a sentence when something is not as it should be."""
    # Short, because the sockets of the servers lie in it and their addresses have a limit.
    directory = Path(tempfile.mkdtemp(prefix="pm-smoke-"))
    smoke = Smoke(directory)
    steps = (
        first_deploy,
        http_through_the_api,
        poison_ends_apart,
        alarms_by_themselves,
        the_same_again,
        one_function,
        removal,
    )
    started = time.monotonic()
    try:
        smoke.services.start_services()
        smoke.build()
        print(f"{time.monotonic() - started:5.0f} s  services run, everything is built for this machine", flush=True)
        for step in steps:
            step(smoke)
            print(f"{time.monotonic() - started:5.0f} s  {step.__name__.replace('_', ' ')}", flush=True)
    except (Failed, ServiceError) as failure:
        print(f"{failure}\nLogs are in {directory}.", file=sys.stderr)
        return 1
    finally:
        smoke.services.stop_services()
    shutil.rmtree(directory, ignore_errors=True)
    print(f"deployed, used, updated and removed by the SAM CLI on {LOOPBACK}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
