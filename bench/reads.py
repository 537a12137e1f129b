"""Every list, filter, search and fetch of the API in the handler, with a million contacts in the tenant.

And as many emails, events and deliveries. Each question is asked some times, the first page and the one after it; what is
printed is the median and p95 of all, list by list, and the slowest questions. `python -m bench.reads [contacts]`.
"""

import os
import sys
from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Any

import psycopg

from bench.authenticated_get import lift_limits
from bench.platform import latency_line, machine, percentile, platform, quiet
from local.stack import DATABASE

if TYPE_CHECKING:
    from tests.support.large_tenant import LargeTenant

Times = dict[str, list[tuple[str, list[float]]]]
"""Milliseconds of each question, by list."""
CONTACTS = 1_000_000
ROUNDS = 2
LEAST_ASKED = 100
"""About so often a list is asked of which there is little to ask, two pages each: of a few times the p95 would be the slowest."""
GOAL_MS = 10.0
_FETCHES = {
    "getContact": "SELECT id FROM contacts WHERE tenant_id = %s LIMIT 20",
    "getEmail": "SELECT id FROM emails WHERE tenant_id = %s LIMIT 20",
    "getCampaign": "SELECT id FROM campaigns WHERE tenant_id = %s LIMIT 20",
    "getList": "SELECT id FROM lists WHERE tenant_id = %s LIMIT 20",
    "getTag": "SELECT id FROM tags WHERE tenant_id = %s LIMIT 20",
    "getTemplate": "SELECT id FROM templates WHERE tenant_id = %s LIMIT 20",
    "getThread": "SELECT id FROM inbox_threads WHERE tenant_id = %s LIMIT 20",
    "getWebhook": "SELECT id FROM webhooks WHERE tenant_id = %s LIMIT 20",
}


def main() -> None:
    """Measure and print; ends with 1 when the p95 of a list is above the goal."""
    contacts = int(sys.argv[1]) if len(sys.argv) > 1 else CONTACTS
    with platform() as stack:
        os.environ["MIGRATIONS_DATABASE_URL"] = stack.postgres.url(DATABASE)
        with quiet():
            from tests.support.large_tenant import make_large_tenant

            times = measure(make_large_tenant(contacts))
    report(contacts, times)


def report(contacts: int, times: Times) -> None:
    """Print medians and p95 by list, and the slowest questions."""
    print(machine())
    print(f"{contacts:,} contacts, emails, events and deliveries; {ROUNDS} rounds or more")
    for name, asked in times.items():
        spent = [milliseconds for _, values in asked for milliseconds in values]
        print(latency_line(f"{name} ({len(asked)})", spent, sum(spent) / 1000))
    slowest = sorted(
        ((percentile(values, 0.95), name, query) for name, asked in times.items() for query, values in asked),
        key=lambda found: found[0], reverse=True,
    )  # fmt: skip
    print("the slowest questions, by their own p95:")
    for milliseconds, name, query in slowest[:12]:
        print(f"  {milliseconds:7.2f} ms  {name} {query}")
    above = [name for name, asked in times.items() if percentile([v for _, vs in asked for v in vs], 0.95) > GOAL_MS]
    if above:
        sys.exit(f"p95 above {GOAL_MS} ms: {', '.join(above)}")


def measure(large: "LargeTenant") -> Times:
    """Ask everything that can be asked of a filled tenant."""
    from tests.support.list_questions import LISTS, path_ids, questions
    from tests.support.operations import operations
    from tests.support.people import signed_in

    lift_limits()
    key, session = large.tenant.key().plaintext, signed_in(large.tenant).access_token
    headers = {"X-PenguinMails-Mode": "live"}
    times: Times = {}
    for operation in LISTS:
        # A person may ask a thousand times a minute; the limit of keys is lifted.
        token = key if operation.requirement.takes_api_keys else session
        asked = [(ids, query) for ids in path_ids(large, operation) for query in questions(large, operation)]
        rounds = max(ROUNDS, ceil(LEAST_ASKED / (2 * len(asked))))
        for ids, query in asked:
            answer = operation.call(ids, token=token, query=query, headers=headers)
            if answer.status == 400:
                continue
            pages = [query]
            # What became of one contact's mails has its pages further inside, and few of them.
            cursor = answer.json.get("pagination", {}).get("next_cursor")
            if cursor:
                pages.append({**query, "cursor": cursor})
            spent = [
                _time(lambda page=page: operation.call(ids, token=token, query=page, headers=headers))  # noqa: B023
                for _ in range(rounds)
                for page in pages
            ]
            times.setdefault(operation.id, []).append((str(query), spent))
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        for operation in operations():
            if operation.id not in _FETCHES or not operation.path.startswith("/api/v1/"):
                continue
            (name,) = operation.path_parameters
            rows = connection.execute(_FETCHES[operation.id].encode(), [large.tenant.id]).fetchall()
            spent = [
                _time(lambda id_=row[0]: operation.call({name: id_}, token=key, headers=headers))  # noqa: B023
                for _ in range(ROUNDS)
                for row in rows
            ]
            times[operation.id] = [("", spent)]
    return times


def _time(ask: Callable[[], Any]) -> float:
    answer = ask()
    assert answer.status == 200, answer.body
    return answer.milliseconds


if __name__ == "__main__":
    main()
