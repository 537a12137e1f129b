"""Execution environments: cold once, one event at a time, killed when they take too long."""

import asyncio
import os
import signal
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from local.environments import InvocationError, InvocationTimeout, PayloadTooLarge, Pool
from local.template import Function
from tests.support.aio import run_aside

HANDLER = """
import os, time
started = time.time()
calls = 0

def handler(event, context):
    global calls
    calls += 1
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("crash"):
        raise ValueError("no")
    if event.get("exit"):
        os._exit(3)
    if event.get("large"):
        return "x" * event["large"]
    return {"pid": os.getpid(), "calls": calls, "left": context.get_remaining_time_in_millis(),
            "name": context.function_name, "secret": os.environ.get("ONLY_MINE")}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    source = Path(__file__).resolve().parents[2]
    (tmp_path / "local").symlink_to(source / "local")
    folder = tmp_path / "functions" / "sample"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "app.py").write_text(textwrap.dedent(HANDLER))
    return tmp_path


def in_pool(root: Path, work: Callable[[Pool], Awaitable[Any]], *, limit: int = 2, timeout: int = 5) -> Any:
    function = Function("Sample", "sample.app.handler", timeout, 128, {"ONLY_MINE": "yes"}, None)

    async def run() -> Any:
        pool = Pool(function, {}, limit, root / "log", root)
        try:
            return await work(pool)
        finally:
            await pool.stop()

    return run_aside(run())


def test_an_environment_is_kept_warm_and_knows_its_function(root: Path) -> None:
    async def work(pool: Pool) -> Any:
        return [await pool.invoke({}) for _ in range(2)], pool.cold_starts

    (first, second), cold_starts = in_pool(root, work)

    assert (first["calls"], second["calls"], cold_starts) == (1, 2, 1)
    assert first["pid"] == second["pid"]
    assert (first["name"], first["secret"]) == ("Sample", "yes")
    assert 0 < first["left"] <= 5000


def test_each_environment_handles_one_event_at_a_time(root: Path) -> None:
    async def work(pool: Pool) -> Any:
        return await asyncio.gather(*(pool.invoke({"sleep": 0.1}) for _ in range(4))), pool.cold_starts

    answers, cold_starts = in_pool(root, work)

    assert cold_starts == 2
    assert len({answer["pid"] for answer in answers}) == 2
    assert sorted(answer["calls"] for answer in answers) == [1, 1, 2, 2]


def test_an_exception_is_reported_and_the_environment_lives_on(root: Path) -> None:
    async def work(pool: Pool) -> Any:
        with pytest.raises(InvocationError) as error:
            await pool.invoke({"crash": True})
        return error.value.document, await pool.invoke({}), pool.cold_starts

    document, answer, cold_starts = in_pool(root, work)

    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no")
    assert (answer["calls"], cold_starts) == (2, 1)


def test_an_environment_that_takes_too_long_is_killed(root: Path) -> None:
    async def work(pool: Pool) -> Any:
        with pytest.raises(InvocationTimeout):
            await pool.invoke({"sleep": 5})
        return await pool.invoke({}), pool.cold_starts

    answer, cold_starts = in_pool(root, work, timeout=1)

    assert (answer["calls"], cold_starts) == (1, 2)


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_an_environment_that_dies_fails_its_event_and_is_replaced(root: Path, how: str) -> None:
    async def work(pool: Pool) -> Any:
        if how == "exit":
            with pytest.raises(InvocationError):
                await pool.invoke({"exit": True})
        else:
            await pool.invoke({})
            os.kill(pool.process_ids()[0], signal.SIGKILL)
            await asyncio.sleep(0.1)
        return await pool.invoke({}), pool.cold_starts

    answer, cold_starts = in_pool(root, work)

    assert (answer["calls"], cold_starts) == (1, 2)


def test_an_event_or_answer_above_six_megabytes_is_refused(root: Path) -> None:
    async def work(pool: Pool) -> None:
        with pytest.raises(PayloadTooLarge):
            await pool.invoke({"text": "x" * 6_300_000})
        with pytest.raises(PayloadTooLarge):
            await pool.invoke({"large": 6_300_000})

    in_pool(root, work)


def test_changed_code_is_used_by_new_environments(root: Path) -> None:
    async def work(pool: Pool) -> Any:
        first = await pool.invoke({})
        pool.recycle()
        return first, await pool.invoke({})

    first, second = in_pool(root, work)

    assert first["pid"] != second["pid"]
