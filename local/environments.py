"""Execution environments of functions: several per function, one invocation at a time in each."""

import asyncio
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.services.process import die_with_parent
from local.template import REGION, Function

_LENGTH = struct.Struct(">I")
MAX_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an event or an answer, as JSON (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""


_PATIENCE_SECONDS = 3


class InvocationError(Exception):
    """The function failed; `document` is Lambda's error object."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document.get("errorMessage", ""))
        self.document = document


class InvocationTimeout(InvocationError):
    """The function took longer than its time-out; its environment was killed."""


class PayloadTooLarge(InvocationError):
    """The event or the answer is above what one invocation carries."""


@dataclass(slots=True)
class Environment:
    """One process of a function."""

    function: Function
    process: subprocess.Popen[bytes]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def start(cls, function: Function, variables: Mapping[str, str], log: Path, root: Path) -> "Environment":
        """Start a process; the handler is imported with the first event, as in a cold start."""
        ours, theirs = socket.socketpair()
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SSL_CERT_FILE") if name in os.environ}
        lambda_variables = {
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            # Its absence means AWS itself, where addresses of one machine are refused.
            "AWS_SAM_LOCAL": "true",
            "_HANDLER": function.handler,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(str(root / part) for part in (".", "functions", "layers/common/python")),
            "PYTHONPYCACHEPREFIX": str(root / ".local" / "pycache"),
            "PYTHONUNBUFFERED": "1",
        }
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "local.runtime", function.handler, str(theirs.fileno())],
                cwd=root,
                env={**inherited, **function.environment, **variables, **lambda_variables},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - the child is single-threaded until exec
            )
        theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours, limit=2 * MAX_PAYLOAD)
        return cls(function, process, reader, writer)

    async def invoke(self, event: Any) -> Any:
        """Hand over one event and wait for its answer. Raises InvocationError."""
        deadline = time.time() + self.function.timeout_seconds
        content = json.dumps(event)
        if len(content) > MAX_PAYLOAD:
            raise PayloadTooLarge({"errorType": "RequestEntityTooLargeException", "errorMessage": "event above 6 MB"})
        frame = f'{{"event":{content},"request_id":"{uuid4()}","deadline":{deadline}}}'.encode()
        try:
            async with asyncio.timeout(self.function.timeout_seconds):
                self.writer.write(_LENGTH.pack(len(frame)) + frame)
                await self.writer.drain()
                size = _LENGTH.unpack(await self.reader.readexactly(_LENGTH.size))[0]
                answer = json.loads(await self.reader.readexactly(size))
        except TimeoutError:
            self.kill()
            raise InvocationTimeout(
                {"errorMessage": f"Task timed out after {self.function.timeout_seconds}.00 seconds"}
            ) from None
        except asyncio.CancelledError:
            # Its answer is still to come, and the next event would take it for its own.
            self.kill()
            raise
        except (asyncio.IncompleteReadError, ConnectionError):
            self.kill()
            raise InvocationError(
                {"errorType": "Runtime.ExitError", "errorMessage": "the execution environment exited"}
            ) from None
        if size > MAX_PAYLOAD:
            raise PayloadTooLarge({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "answer above 6 MB"})
        if "error" in answer:
            raise InvocationError(answer["error"])
        return answer["payload"]

    @property
    def is_alive(self) -> bool:
        """Whether the process can take another event."""
        return self.process.poll() is None and not self.writer.is_closing()

    def retire(self) -> None:
        """Let the process end by itself after its last answer."""
        self.writer.close()

    async def end(self) -> None:
        """Wait until the process has ended, and end it when it takes too long."""
        try:
            await asyncio.to_thread(self.process.wait, _PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def kill(self) -> None:
        """End the process at once."""
        self.writer.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


@dataclass(slots=True)
class Pool:
    """All environments of one function, started on demand up to a limit; further invocations wait their turn."""

    function: Function
    variables: Mapping[str, str]
    limit: int
    log: Path
    root: Path
    cold_starts: int = 0
    _idle: deque[Environment] = field(default_factory=deque[Environment])
    _retired: list[Environment] = field(default_factory=list[Environment])
    _all: dict[int, Environment] = field(default_factory=dict[int, Environment])
    _turns: asyncio.Semaphore | None = None

    async def invoke(self, event: Any) -> Any:
        """Invoke the function in a free environment."""
        if self._turns is None:
            self._turns = asyncio.Semaphore(self.limit)
        async with self._turns:
            environment = await self._free()
            try:
                return await environment.invoke(event)
            finally:
                if environment.is_alive and environment.process.pid in self._all:
                    self._idle.append(environment)
                else:
                    self._let_go(environment)

    async def _free(self) -> Environment:
        while self._idle:
            environment = self._idle.pop()
            if environment.is_alive:
                return environment
            self._let_go(environment)
        self.cold_starts += 1
        environment = await Environment.start(self.function, self.variables, self.log, self.root)
        self._all[environment.process.pid] = environment
        return environment

    def _let_go(self, environment: Environment) -> None:
        """Take an environment out of service; what is left of it is cleared away when the pool stops."""
        self._all.pop(environment.process.pid, None)
        environment.retire()
        self._retired = [retired for retired in self._retired if retired.process.poll() is None]
        self._retired.append(environment)

    def process_ids(self) -> list[int]:
        """The processes that are alive, for tests that kill one."""
        return [pid for pid, environment in self._all.items() if environment.is_alive]

    def recycle(self) -> None:
        """Use new processes from the next event on: the code has changed. Busy ones finish what they do."""
        self._all.clear()
        while self._idle:
            self._let_go(self._idle.pop())

    async def stop(self) -> None:
        """End all processes, giving them a moment to flush."""
        for environment in list(self._all.values()):
            self._let_go(environment)
        self._idle.clear()
        for environment in self._retired:
            await environment.end()
        self._retired.clear()
