"""One execution environment: a process that imports a handler on its first event and then handles one at a time.

Started as `python -m local.runtime HANDLER FD`; events come and answers go over the socket FD as a 4-byte length and
JSON. The handler's own output goes to the process's standard output.
"""

import importlib
import json
import os
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

_LENGTH = struct.Struct(">I")


class LambdaContext:
    """What Lambda passes beside the event (https://docs.aws.amazon.com/lambda/latest/dg/python-context.html)."""

    def __init__(self, request_id: str, deadline: float) -> None:
        """`deadline` is epoch seconds."""
        self.aws_request_id = request_id
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.invoked_function_arn = (
            f"arn:aws:lambda:{os.environ['AWS_REGION']}:000000000000:function:{self.function_name}"
        )
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_stream_name = str(os.getpid())
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the environment is killed."""
        return max(0, int((self._deadline - time.time()) * 1000))


def send(connection: socket.socket, document: Any) -> None:
    """Write one frame."""
    content = json.dumps(document).encode()
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive(connection: socket.socket) -> Any:
    """Read one frame; None when the other side is gone."""
    header = _exactly(connection, _LENGTH.size)
    content = _exactly(connection, _LENGTH.unpack(header)[0]) if header else None
    return json.loads(content) if content else None


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _load(handler: str) -> Callable[[Any, Any], Any]:
    module, _, name = handler.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _error(error: BaseException) -> dict[str, Any]:
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def main() -> None:
    """Serve events until the parent closes the socket."""
    name, connection = sys.argv[1], socket.socket(fileno=int(sys.argv[2]))
    handler: Callable[[Any, Any], Any] | None = None
    while (frame := receive(connection)) is not None:
        try:
            if handler is None:
                handler = _load(name)
            answer = {"payload": handler(frame["event"], LambdaContext(frame["request_id"], frame["deadline"]))}
            json.dumps(answer)
        except Exception as error:  # whatever a handler raises is the invocation's result
            traceback.print_exc()
            answer = {"error": _error(error)}
        sys.stdout.flush()
        send(connection, answer)
    _flush_usage()


def _flush_usage() -> None:
    """What Lambda's shutdown event is for: the usage records of the last requests."""
    usage = sys.modules.get("penguinmails.auth.usage")
    if usage is not None:
        usage.flush()


if __name__ == "__main__":
    main()
