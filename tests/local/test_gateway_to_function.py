"""A request through the gateway to a real execution environment: Lambda's limits as a client sees them."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local.environments import Pool
from local.gateway import Gateway
from local.services.process import free_port
from local.template import Route, read_template
from tests.local.sample import in_pool

ROOT = Path(__file__).resolve().parents[2]
Ask = Callable[..., Awaitable[tuple[int, Any]]]


def through(root: Path, work: Callable[[Ask, Pool], Awaitable[Any]], *, seconds: float = 29, limit: int = 2) -> Any:
    """What `work` returns; it asks a gateway whose one route goes to the sample function, JSON bodies as the event."""

    async def run(pool: Pool) -> Any:
        async def invoke(_function: str, event: dict[str, Any]) -> Any:
            return await pool.invoke(json.loads(event["body"]) if not event["isBase64Encoded"] else event)

        port = free_port()
        runner = web.AppRunner(Gateway([Route("ANY", "$default", "Sample", seconds)], invoke).app(), shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            async with aiohttp.ClientSession() as session:

                async def ask(event: Any = None, **request: Any) -> tuple[int, Any]:
                    body = request or {"json": event or {}}
                    async with session.post(f"http://127.0.0.1:{port}/", **body) as answer:
                        return answer.status, await answer.json()

                return await work(ask, pool)
        finally:
            await runner.cleanup()

    return in_pool(root, run, limit=limit)


def test_every_route_of_the_template_ends_its_wait_before_its_function_does() -> None:
    template = read_template(ROOT / "template.yaml")

    assert template.routes
    for route in template.routes:
        assert route.timeout_seconds == 29
        assert template.functions[route.function].timeout_seconds > route.timeout_seconds


def test_a_crash_is_a_500_that_tells_nothing_and_the_next_request_is_served(root: Path) -> None:
    async def work(ask: Ask, _pool: Pool) -> Any:
        return await ask({"crash": True}), await ask()

    crashed, (status, _) = through(root, work)

    assert crashed == (500, {"message": "Internal Server Error"})
    assert status == 200


def test_an_environment_that_dies_in_mid_request_is_a_500_and_is_replaced(root: Path) -> None:
    async def work(ask: Ask, pool: Pool) -> Any:
        return await ask({"exit": True}), await ask(), pool.cold_starts

    died, (status, _), cold_starts = through(root, work)

    assert (died, status, cold_starts) == ((500, {"message": "Internal Server Error"}), 200, 2)


def test_a_function_that_outlasts_the_gateway_goes_on_and_its_late_answer_reaches_nobody(root: Path) -> None:
    async def work(ask: Ask, pool: Pool) -> Any:
        late = await ask({"sleep": 0.8, "echo": "late"})
        # The one environment is still busy with the first request; this one waits its turn.
        await asyncio.sleep(0.1)
        return late, (await pool.invoke({"echo": "next"}))["echo"], pool.cold_starts

    late, echo, cold_starts = through(root, work, seconds=0.5, limit=1)

    assert late == (503, {"message": "Service Unavailable"})
    assert (echo, cold_starts) == ("next", 1)


def test_a_binary_body_counts_with_its_base64_form_against_an_invocations_six_megabytes(root: Path) -> None:
    async def work(ask: Ask, _pool: Pool) -> Any:
        kind = {"Content-Type": "application/octet-stream"}
        return [await ask(data=io.BytesIO(b"\xff" * size), headers=kind) for size in (4_500_000, 5_000_000)]

    below, above = through(root, work)

    assert below[0] == 200
    assert above == (413, {"message": "Request Entity Too Large"})


def test_an_answer_above_six_megabytes_is_a_500(root: Path) -> None:
    async def work(ask: Ask, _pool: Pool) -> Any:
        return await ask({"large": 6_300_000})

    assert through(root, work) == (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "many"},
        {"statusCode": 200, "body": "not base64", "isBase64Encoded": True},
        {"statusCode": 200, "headers": "none"},
    ],
)
def test_an_answer_that_is_no_response_is_a_500(root: Path, answer: dict[str, Any]) -> None:
    async def work(ask: Ask, _pool: Pool) -> Any:
        return await ask({"answer": answer})

    assert through(root, work) == (500, {"message": "Internal Server Error"})


def test_an_environment_handles_one_request_at_a_time_and_several_environments_work_at_once(root: Path) -> None:
    async def work(ask: Ask, pool: Pool) -> Any:
        answers = await asyncio.gather(*(ask({"sleep": 0.3}) for _ in range(6)))
        return [body for _, body in answers], pool.cold_starts

    answers, cold_starts = through(root, work, limit=3)

    assert cold_starts == 3
    for pid in {answer["pid"] for answer in answers}:
        spans = sorted((answer["began"], answer["ended"]) for answer in answers if answer["pid"] == pid)
        assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))
    spans = [(answer["began"], answer["ended"]) for answer in answers]
    assert any(other[0] < span[1] and span[0] < other[1] for span in spans for other in spans if other is not span)


def test_only_the_first_request_of_an_environment_is_a_cold_start(root: Path) -> None:
    async def work(ask: Ask, pool: Pool) -> Any:
        before = pool.cold_starts
        calls = [(await ask())[1]["calls"] for _ in range(3)]
        return before, calls, pool.cold_starts

    assert through(root, work) == (0, [1, 2, 3], 1)
