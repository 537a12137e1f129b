"""Event source mappings against the queue emulator that `make run` uses: batches, concurrency, visibility, redrive."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from local.environments import InvocationError
from local.queues import Poller, Sqs
from local.services.aws import AwsEmulator
from local.template import Queue, QueueMapping
from tests.support.aio import run_aside

ROOT = Path(__file__).resolve().parents[2]
Consume = Callable[[dict[str, Any]], Awaitable[Any]]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    server = AwsEmulator(ROOT, tmp_path_factory.mktemp("aws") / "data")
    server.start()
    yield server
    server.stop()


class Bench:
    """A queue with its dead-letter queue, and a mapping to `consume`, polled while the block runs."""

    def __init__(self, sqs: Sqs, urls: dict[str, str], queue: str) -> None:
        self.sqs, self.urls, self.queue = sqs, urls, queue
        self.bodies: list[list[str]] = []

    async def send(self, *bodies: str) -> None:
        for body in bodies:
            await self.sqs.call("SendMessage", QueueUrl=self.urls[self.queue], MessageBody=body)

    async def waiting_in(self, name: str) -> int:
        answer = await self.sqs.call("GetQueueAttributes", QueueUrl=self.urls[name], AttributeNames=["All"])
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(answer["Attributes"][count]) for count in counts)

    async def until(self, condition: Callable[[], Any]) -> None:
        for _ in range(400):
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.025)
        raise AssertionError(f"it did not happen within 10 s; batches so far: {self.bodies}")


def with_mapping(
    emulator: AwsEmulator,
    consume: Consume,
    work: Callable[[Bench], Awaitable[Any]],
    *,
    before: Callable[[Bench], Awaitable[Any]] | None = None,
    visibility_seconds: int = 30,
    **mapping: Any,
) -> Any:
    """What `work` returns while the mapping is at work; `before` runs before it starts to poll."""

    async def run() -> Any:
        name = f"queue-{uuid4().hex[:8]}"
        settings = {"batch_size": 10, "window_seconds": 0, "max_concurrency": 2, "partial_failures": True, **mapping}
        async with aiohttp.ClientSession() as session:
            sqs = Sqs(emulator.endpoint, session)
            urls = {"dead": await sqs.create(Queue(f"{name}-dead", 30, 3600, None, None))}
            urls[name] = await sqs.create(Queue(name, visibility_seconds, 3600, f"{name}-dead", 2))
            bench = Bench(sqs, urls, name)

            async def invoke(_function: str, event: dict[str, Any]) -> Any:
                bench.bodies.append([record["body"] for record in event["Records"]])
                return await consume(event)

            if before is not None:
                await before(bench)
            poller = asyncio.create_task(
                Poller(QueueMapping(name, "Sample", **settings), urls[name], sqs, invoke).run()
            )
            try:
                return await work(bench)
            finally:
                poller.cancel()
                await asyncio.gather(poller, return_exceptions=True)

    return run_aside(run())


async def succeed(_event: dict[str, Any]) -> Any:
    return {"batchItemFailures": []}


def test_a_batch_holds_no_more_than_its_size_and_what_is_done_leaves_the_queue(emulator: AwsEmulator) -> None:
    async def before(bench: Bench) -> None:
        await bench.send(*map(str, range(7)))

    async def work(bench: Bench) -> Any:
        await bench.until(lambda: sum(map(len, bench.bodies)) == 7)

        async def is_empty() -> bool:
            return await bench.waiting_in(bench.queue) == 0

        await bench.until(is_empty)
        return bench.bodies

    batches = with_mapping(emulator, succeed, work, before=before, batch_size=3)

    assert max(map(len, batches)) == 3
    assert sorted(body for batch in batches for body in batch) == list("0123456")


def test_within_its_window_a_batch_waits_for_more(emulator: AwsEmulator) -> None:
    async def work(bench: Bench) -> Any:
        await bench.send("first")
        await asyncio.sleep(0.4)
        await bench.send("second")
        await bench.until(lambda: bench.bodies)
        return bench.bodies

    assert with_mapping(emulator, succeed, work, window_seconds=2) == [["first", "second"]]


def test_a_full_batch_does_not_wait_for_its_window(emulator: AwsEmulator) -> None:
    async def work(bench: Bench) -> Any:
        await bench.send("first", "second")
        await bench.until(lambda: bench.bodies)
        return bench.bodies

    # The window is longer than `until` waits.
    assert with_mapping(emulator, succeed, work, window_seconds=60, batch_size=2) == [["first", "second"]]


def test_no_more_batches_are_at_work_than_the_maximum_concurrency(emulator: AwsEmulator) -> None:
    at_work: list[int] = [0]

    async def slow(_event: dict[str, Any]) -> Any:
        at_work.append(at_work[-1] + 1)
        await asyncio.sleep(0.3)
        at_work.append(at_work[-1] - 1)
        return None

    async def before(bench: Bench) -> None:
        await bench.send(*map(str, range(6)))

    async def work(bench: Bench) -> None:
        await bench.until(lambda: sum(map(len, bench.bodies)) == 6 and at_work[-1] == 0)

    with_mapping(emulator, slow, work, before=before, batch_size=1, max_concurrency=2)

    assert max(at_work) == 2


def test_a_record_that_was_reported_comes_again_alone_and_then_goes_to_the_dead_letter_queue(
    emulator: AwsEmulator,
) -> None:
    async def refuse_bad(event: dict[str, Any]) -> Any:
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in bad]}

    async def before(bench: Bench) -> None:
        await bench.send("good", "bad")

    async def work(bench: Bench) -> Any:
        async def is_dead() -> bool:
            return await bench.waiting_in("dead") == 1 and await bench.waiting_in(bench.queue) == 0

        await bench.until(is_dead)
        answer = await bench.sqs.call("ReceiveMessage", QueueUrl=bench.urls["dead"])
        return [body for batch in bench.bodies for body in batch], [message["Body"] for message in answer["Messages"]]

    handled, dead = with_mapping(emulator, refuse_bad, work, before=before, visibility_seconds=1)

    assert (handled.count("good"), handled.count("bad")) == (1, 2)
    assert dead == ["bad"]


@pytest.mark.parametrize("failure", ["crash", "nonsense"])
def test_a_consumer_that_fails_as_a_whole_gets_the_whole_batch_again(emulator: AwsEmulator, failure: str) -> None:
    counts: list[str] = []

    async def fail_once(event: dict[str, Any]) -> Any:
        counts.append(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        if len(counts) > 1:
            return None
        if failure == "crash":
            raise InvocationError({"errorMessage": "it crashed"})
        return {"batchItemFailures": [{"itemIdentifier": ""}]}

    async def before(bench: Bench) -> None:
        await bench.send("a", "b")

    async def work(bench: Bench) -> Any:
        await bench.until(lambda: sum(map(len, bench.bodies)) == 4)
        return [sorted(batch) for batch in bench.bodies]

    assert with_mapping(emulator, fail_once, work, before=before, visibility_seconds=1)[0] == ["a", "b"]
    assert counts[:2] == ["1", "2"]


def test_a_message_is_invisible_while_it_is_handled(emulator: AwsEmulator) -> None:
    async def slow(_event: dict[str, Any]) -> Any:
        await asyncio.sleep(1)

    async def work(bench: Bench) -> Any:
        await bench.send("once")
        await bench.until(lambda: bench.bodies)
        answer = await bench.sqs.call("ReceiveMessage", QueueUrl=bench.urls[bench.queue])
        return answer.get("Messages", [])

    assert with_mapping(emulator, slow, work) == []


def test_a_stop_lets_a_batch_that_was_handed_over_finish(emulator: AwsEmulator) -> None:
    finished: list[bool] = []

    async def slow(_event: dict[str, Any]) -> Any:
        await asyncio.sleep(0.5)
        finished.append(True)

    async def work(bench: Bench) -> None:
        await bench.send("last")
        await bench.until(lambda: bench.bodies)

    with_mapping(emulator, slow, work)

    assert finished == [True]


def test_the_emulator_hands_out_records_as_sqs_does(emulator: AwsEmulator) -> None:
    events: list[dict[str, Any]] = []

    async def keep(event: dict[str, Any]) -> Any:
        events.append(event)

    async def work(bench: Bench) -> None:
        await bench.sqs.call(
            "SendMessage", QueueUrl=bench.urls[bench.queue], MessageBody=json.dumps({"a": 1}), MessageGroupId="tenant"
        )
        await bench.until(lambda: events)

    with_mapping(emulator, keep, work)

    record = events[0]["Records"][0]
    recorded = json.loads((ROOT / "tests/local/recorded_sqs_record.json").read_text())
    assert record.keys() == recorded.keys()
    assert {"ApproximateReceiveCount", "SentTimestamp", "MessageGroupId"} <= record["attributes"].keys()
    assert all(isinstance(value, str) for value in record["attributes"].values())
    assert record["eventSource"] == recorded["eventSource"]


def with_sqs(emulator: AwsEmulator, work: Callable[[Sqs], Awaitable[Any]]) -> Any:
    """What `work` returns; it calls the emulator."""

    async def run() -> Any:
        async with aiohttp.ClientSession() as session:
            return await work(Sqs(emulator.endpoint, session))

    return run_aside(run())


def test_a_queue_that_the_template_describes_otherwise_than_before_is_changed_and_keeps_its_messages(
    emulator: AwsEmulator,
) -> None:
    async def work(sqs: Sqs) -> Any:
        url = await sqs.create(Queue("changing", 30, 3600, None, None))
        await sqs.call("SendMessage", QueueUrl=url, MessageBody="kept")
        assert await sqs.create(Queue("changing", 60, 7200, None, None)) == url
        return (await sqs.call("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"]))["Attributes"]

    attributes = with_sqs(emulator, work)

    assert (attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"]) == ("60", "7200")
    assert attributes["ApproximateNumberOfMessages"] == "1"


def test_what_is_in_a_queue_survives_a_stop_of_the_stack(tmp_path: Path) -> None:
    own = AwsEmulator(ROOT, tmp_path / "aws")

    async def fill(sqs: Sqs) -> None:
        await sqs.call(
            "SendMessage", QueueUrl=await sqs.create(Queue("kept", 30, 3600, None, None)), MessageBody="kept"
        )

    async def empty(sqs: Sqs) -> Any:
        url = await sqs.create(Queue("kept", 30, 3600, None, None))
        return [message["Body"] for message in (await sqs.call("ReceiveMessage", QueueUrl=url))["Messages"]]

    own.start()
    with_sqs(own, fill)
    own.stop()
    own.start()
    try:
        assert with_sqs(own, empty) == ["kept"]
    finally:
        own.stop()
