"""Clients that keep asking, each from a thread of its own, while a test breaks something."""

import threading
import time
from collections.abc import Callable
from typing import Any

from tests.support.running_stack import Answer

_PATIENCE_SECONDS = 40


class Load:
    """Repeats each request while the block runs, one client per request."""

    def __init__(self, *requests: Callable[[], Answer], pause_seconds: float = 0.02) -> None:
        """`pause_seconds` pass between two requests of a client: the load leaves the machine to what is tested."""
        self._pause_seconds = pause_seconds
        self.accepted: list[list[Answer]] = [[] for _ in requests]
        """The 2xx answers of each client."""
        self.refused: list[Answer] = []
        self._crashes: list[BaseException] = []
        self._stopping = threading.Event()
        self._clients = [
            threading.Thread(target=self._repeat, args=(request, self.accepted[position]))
            for position, request in enumerate(requests)
        ]

    def _repeat(self, request: Callable[[], Answer], accepted: list[Answer]) -> None:
        while not self._stopping.is_set():
            try:
                answer = request()
            except Exception as error:  # a client that got no answer at all fails the test, not its thread
                self._crashes.append(error)
                return
            (accepted if 200 <= answer.status < 300 else self.refused).append(answer)
            time.sleep(self._pause_seconds)

    def __enter__(self) -> "Load":
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        for client in self._clients:
            client.join()
        assert self._crashes == []

    def until_accepted(self, more: int) -> None:
        """Wait until each client has had that many further 2xx answers."""
        wanted = [len(answers) + more for answers in self.accepted]
        self._until(lambda: all(len(a) >= w for a, w in zip(self.accepted, wanted, strict=True)))

    def until_refused(self, more: int) -> None:
        """Wait until that many further requests got another answer."""
        wanted = len(self.refused) + more
        self._until(lambda: len(self.refused) >= wanted)

    def _until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            assert self._crashes == []
            assert time.monotonic() < deadline, (
                f"accepted {[len(a) for a in self.accepted]}, refused {self.refused[-3:]}"
            )
            time.sleep(0.02)
