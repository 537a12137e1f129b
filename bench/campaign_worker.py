"""One process of the campaign bench: the planner, or a sender that takes messages off the queue as Lambda's mapping does."""

import contextlib
import os
import sys
import time

from local.queues import build_record
from penguinmails.aws import client
from plan_campaigns.app import handler as plan_campaigns
from send_campaign_emails.app import handler as send_campaign_emails

_PAUSE_SECONDS = 0.2


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        """The planner stops before its time limit; here one run lasts as long as there is work."""
        return 55_000


def _plan() -> None:
    while True:
        plan_campaigns({}, _Context())
        time.sleep(_PAUSE_SECONDS)


def _send() -> None:
    sqs, url = client("sqs", timeout_seconds=30), os.environ["CAMPAIGN_EMAILS_QUEUE_URL"]
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=1,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            event = {"Records": [build_record(message, "CampaignEmailsQueue")]}
            if not send_campaign_emails(event, _Context())["batchItemFailures"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _plan() if sys.argv[1] == "plan" else _send()
