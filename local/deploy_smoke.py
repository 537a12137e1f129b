"""Deploys the platform for real, into the AWS emulator, and looks whether it works: `make deploy-smoke`.

A deploy, the same deploy again, a deploy of one changed function, and the removal, all by the SAM CLI. In between, HTTP
through the deployed API, a message through a deployed consumer, and a poison message that ends in its dead-letter queue.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from local.complete_template import functions_digest
from local.services.process import LOOPBACK, ServiceError
from local.smoke_stack import BUCKET, BUILD, NO_CONFIG, POISONED, ROOT, STACK, Failed, Smoke
from local.template import REGION, read_document

UPDATED = "MeFunction"
_PATIENCE_SECONDS = 60


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
    secret = smoke.origin_secret()
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


def first_admin(smoke: Smoke) -> None:
    """The database function makes one, who can sign in."""
    person = {"email": "ada@staff.example", "name": "Ada Lovelace", "password": "Correct-horse-7"}
    name = smoke.physical_names()["DatabaseFunction"]
    done = smoke.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"create_super_admin": person}))
    answer = json.loads(done["Payload"].read())
    _expect(answer.get("super_admin"), person["email"], f"the first admin ({answer})")
    credential = {name: person[name] for name in ("email", "password")}
    status, _ = smoke.ask("POST", "/api/v1/sessions", secret=smoke.origin_secret(), body=credential)
    _expect(status, 201, "signing in as the first admin")


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


def another_timeout(smoke: Smoke) -> None:
    """What the template alone says of a function reaches what is called of it."""
    document = read_document(BUILD / "template.yaml")
    document["Resources"][UPDATED]["Properties"] |= {"Timeout": 47, "EphemeralStorage": {"Size": 777}}
    document["Resources"]["Migrations"]["Properties"]["Configuration"][-1] = ["functions", functions_digest(document)]
    smoke.localise(document)
    smoke.deploy()
    called = smoke.called()[UPDATED]
    _expect((called["Timeout"], called["EphemeralStorage"]["Size"]), (47, 777), f"what calls of {UPDATED} get")


def another_release(smoke: Smoke) -> None:
    """A release without any change of code reaches what is called of every function."""
    smoke.deploy(Release="1.0.1-smoke")
    _expect(set(smoke.releases().values()), {"1.0.1-smoke"}, "releases that calls go to")


def without_vault(smoke: Smoke) -> None:
    """A release that comes while Vault is sealed stops before any function has its new version."""
    vault = smoke.services.vault
    assert vault is not None  # noqa: S101 - the services run
    before = smoke.releases()
    vault.seal()
    try:
        smoke.deploy(Release="0.0.0-without-vault")
    except Failed:
        # The SAM CLI does not print why a resource failed.
        events = smoke.client("cloudformation").describe_stack_events(StackName=STACK)["StackEvents"]
        if not any("Vault is sealed" in event.get("ResourceStatusReason", "") for event in events):
            raise
    else:
        raise Failed("a deploy went through while Vault was sealed")
    finally:
        vault.unseal()
    changed = {name for name, release in smoke.releases().items() if release != before[name]}
    # The one that looks has to be new to look.
    _expect(changed, {"DatabaseFunction"}, "functions that a stopped deploy has changed")


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
        first_admin,
        poison_ends_apart,
        alarms_by_themselves,
        the_same_again,
        one_function,
        another_timeout,
        another_release,
        without_vault,
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
