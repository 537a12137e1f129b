"""Execution environments: cold once, one event at a time, killed when they take too long."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from local.environments import InvocationError, InvocationTimeout, PayloadTooLarge, Pool
from tests.local.sample import in_pool


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

    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "the password is hunter2")
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


def test_an_environment_whose_caller_went_away_gives_its_answer_to_nobody_else(root: Path) -> None:
    async def work(pool: Pool) -> Any:
        given_up = asyncio.create_task(pool.invoke({"sleep": 0.5}))
        await asyncio.sleep(0.2)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        return await pool.invoke({"echo": "mine"})

    assert in_pool(root, work, limit=1)["echo"] == "mine"


def test_environments_that_were_let_go_leave_no_process_behind(root: Path) -> None:
    async def work(pool: Pool) -> Any:
        pids = [(await pool.invoke({}))["pid"]]
        for _ in range(3):
            pool.recycle()
            pids.append((await pool.invoke({}))["pid"])
        return pids

    pids = in_pool(root, work)

    assert len(set(pids)) == 4
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
