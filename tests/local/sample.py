"""A function that does what its event asks for, in a checkout of its own."""

import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from local.environments import Pool
from local.template import Function
from tests.support.aio import run_aside

HANDLER = """
import os, time
started = time.time()
calls = 0

def handler(event, context):
    global calls
    calls += 1
    began = time.time()
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("crash"):
        raise ValueError("the password is hunter2")
    if event.get("exit"):
        os._exit(3)
    if event.get("large"):
        return "x" * event["large"]
    if "answer" in event:
        return event["answer"]
    return {"pid": os.getpid(), "calls": calls, "left": context.get_remaining_time_in_millis(),
            "began": began, "ended": time.time(), "echo": event.get("echo"),
            "name": context.function_name, "secret": os.environ.get("ONLY_MINE")}
"""


def make_checkout(directory: Path) -> Path:
    """Everything that an environment of the function needs."""
    source = Path(__file__).resolve().parents[2]
    (directory / "local").symlink_to(source / "local")
    folder = directory / "functions" / "sample"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "app.py").write_text(textwrap.dedent(HANDLER))
    return directory


def in_pool(root: Path, work: Callable[[Pool], Awaitable[Any]], *, limit: int = 2, timeout: int = 5) -> Any:
    """What `work` returns with a pool of environments of the function."""
    function = Function("Sample", "sample.app.handler", timeout, 128, {"ONLY_MINE": "yes"}, None)

    async def run() -> Any:
        pool = Pool(function, {}, limit, root / "log", root)
        try:
            return await work(pool)
        finally:
            await pool.stop()

    return run_aside(run())
