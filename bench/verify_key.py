"""Verifying an API key: warm (one Redis round trip), after a minute (PostgreSQL too), and the first use (bcrypt)."""

import contextlib
import io
import time
from dataclasses import dataclass
from statistics import median

from bench.platform import latency_line, machine, platform

_CALLS = 5_000
_FIRST_USES = 15


@dataclass
class _Context:
    rate_limit: object = None
    key_id: str | None = None
    tenant_id: str | None = None
    plan: str | None = None


def main() -> None:
    """Print all three."""
    with platform(), contextlib.redirect_stdout(io.StringIO()):
        lines = _measure()
    print(machine())
    print("\n".join(lines))


def _measure() -> list[str]:
    from penguinmails import cache
    from penguinmails.auth import api_keys, key_state
    from tests.support.tenants import TestKey, make_tenant

    tenant = make_tenant()

    def verify(key: TestKey) -> float:
        began = time.perf_counter()
        with contextlib.suppress(Exception):  # the limit may refuse, which costs the same
            api_keys.verify(key.plaintext, source_ip="203.0.113.1", writes=False, context=_Context())  # pyright: ignore
        return (time.perf_counter() - began) * 1000

    def measure(name: str, forget_state: bool) -> str:
        times: list[float] = []
        started = time.perf_counter()
        for _ in range(_CALLS):
            if forget_state:
                cache.command("DEL", f"state:{{k{key_state.shard_of(key.digest)}}}:{key.digest.hex()}")
            times.append(verify(key))
        return latency_line(name, times, time.perf_counter() - started)

    key = tenant.key()
    verify(key)
    lines = [measure("warm", forget_state=False), measure("state asked from PostgreSQL", forget_state=True)]
    firsts = [verify(tenant.key()) for _ in range(_FIRST_USES)]
    lines.append(f"{'first use of a key':<34} p50 {median(firsts):7.1f} ms   (bcrypt, cost 12, and a Vault read)")
    return lines


if __name__ == "__main__":
    main()
