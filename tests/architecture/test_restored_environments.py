"""An execution environment that is a copy of another shares no secret, connection or random number with it.

SnapStart restores one snapshot, taken after the handler's import, into many environments. Here a process that has
imported every handler stands for the snapshot and its forks for the restored ones. A fork gets another state of the
`random` module than its parent, a restored environment does not; so it is put back.
"""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penguinmails.platform_secrets import PURPOSES

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = sorted(file.parent.name for file in (ROOT / "functions").glob("*/app.py"))
_SNAPSHOT = """
import importlib, json, os, random, socket, sys

for name in sys.argv[1].split(","):
    importlib.import_module(f"{name}.app").handler
state = random.getstate()


def restored():
    from penguinmails.domain.webhook_retries import delay_seconds
    from penguinmails.ids import new_request_id, new_uuid4, new_uuid7, random_base62, uuid7_texts

    random.setstate(state)
    return {
        "uuid4": str(new_uuid4()),
        "uuid7": str(new_uuid7())[19:],
        "batch": uuid7_texts(1)[0][19:],
        "request": new_request_id(),
        "key": random_base62(32),
        "jitter": repr([delay_seconds(n) for n in range(1, 6)]),
    }


def connections():
    # A pair of sockets with which an event loop wakes itself is none.
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            copy = socket.socket(fileno=os.dup(int(fd)))
        except OSError:
            continue
        found += [str(copy)] if copy.family != socket.AF_UNIX else []
        copy.close()
    return found


print(json.dumps({"sockets": connections()}), flush=True)
for line in sys.stdin:
    if line == "restore\\n":
        if (child := os.fork()) == 0:
            print(json.dumps(restored()), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
    else:
        from penguinmails.platform_secrets import current_key
        print(json.dumps(current_key("session_keys")[0]), flush=True)
"""


class _Snapshot:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.sockets: list[str] = self.answer()["sockets"]

    def answer(self, order: str = "") -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if order:
            self.process.stdin.write(order + "\n")
            self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def holds(self, needles: list[bytes]) -> bool:
        return any(needle in region for region in self._memory() for needle in needles)

    def _memory(self) -> Iterator[bytes]:
        """What the process may write to; looked at from outside, since a search holds what it searches for."""
        folder = Path("/proc") / str(self.process.pid)
        with (folder / "mem").open("rb", buffering=0) as memory:
            for line in (folder / "maps").read_text().splitlines():
                addresses, rights = line.split()[:2]
                first, last = (int(part, 16) for part in addresses.split("-"))
                if rights.startswith("rw") and not line.endswith(("[vvar]", "[vsyscall]")):
                    memory.seek(first)
                    yield memory.read(last - first)


@contextmanager
def _snapshot(variables: dict[str, str], program: str = _SNAPSHOT) -> Generator[_Snapshot]:
    path = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/common/python"))
    process = subprocess.Popen(
        [sys.executable, "-c", program, ",".join(HANDLERS)],
        env={"PATH": os.defpath, "PYTHONPATH": path, "AWS_DEFAULT_REGION": "eu-west-1", **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _Snapshot(process)
    finally:
        process.communicate()


@pytest.fixture(scope="module")
def keys() -> dict[str, bytes]:
    return {purpose: os.urandom(32) for purpose in PURPOSES}


@pytest.fixture(scope="module")
def snapshot(keys: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Generator[_Snapshot]:
    file = tmp_path_factory.mktemp("secrets") / "platform-secrets.json"
    file.write_text(json.dumps({purpose: {"1": b64encode(key).decode()} for purpose, key in keys.items()}))
    with _snapshot({"PLATFORM_SECRETS_FILE": str(file), "ENVIRONMENT": "local"}) as found:
        yield found


def test_no_connection_is_open_before_the_first_event(snapshot: _Snapshot) -> None:
    assert snapshot.sockets == []


def test_an_open_connection_would_be_seen() -> None:
    opened = _SNAPSHOT.replace("state = random", "open_one = socket.socket(); state = random")
    with _snapshot({"ENVIRONMENT": "local"}, opened) as found:
        assert len(found.sockets) == 1


def test_two_restored_environments_draw_other_ids_keys_and_waits(snapshot: _Snapshot) -> None:
    first, second = snapshot.answer("restore"), snapshot.answer("restore")

    assert {name for name in first if first[name] == second[name]} == set()


def test_no_platform_secret_is_in_memory_before_it_is_needed(snapshot: _Snapshot, keys: dict[str, bytes]) -> None:
    needles = [form for key in keys.values() for form in (key, b64encode(key))]
    assert not snapshot.holds(needles)

    assert snapshot.answer("load") == 1
    # Otherwise the search would find nothing anywhere.
    assert snapshot.holds(needles)
