"""One process of the campaign bench: the planner, or a sender that takes messages off the queue as Lambda's mapping does."""

import contextlib
import sys
import time

from bench.queue_poller import QueuePoller
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
    poller = QueuePoller("CAMPAIGN_EMAILS_QUEUE_URL")
    while True:
        poller.poll(send_campaign_emails, _Context(), most=1, wait_seconds=1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _plan() if sys.argv[1] == "plan" else _send()
