"""A platform of a bench's own: real PostgreSQL, Valkey and Vault, and a tenant with an API key."""

import os
import platform as machine_facts
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from local.services.process import free_ports_in_a_row
from local.stack import DATABASE, SERVICES, Ports, Stack
from penguinmails.settings import get_settings

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def platform(function: str = "ContactsFunction") -> Generator[Stack]:
    """Start the servers and set this process's environment to that of a function; ends with everything stopped."""
    with tempfile.TemporaryDirectory(prefix="penguinmails-bench-") as directory:
        # PostgreSQL runs as another user when we are root, who must be able to pass.
        Path(directory).chmod(0o711)
        stack = Stack(ROOT, Ports(free_ports_in_a_row(len(SERVICES))), directory=Path(directory))
        stack.start_services()
        os.environ.update(stack.variables(stack.template.functions[function]))
        os.environ["JOBS_DATABASE_URL"] = stack.postgres.url(DATABASE, "penguinmails_jobs")
        get_settings.cache_clear()
        try:
            yield stack
        finally:
            stack.stop_services()


@contextmanager
def quiet() -> Generator[None]:
    """Send what handlers log to nowhere, as a function's output costs it nothing that we measure here."""
    kept = sys.stdout
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = nowhere
        try:
            yield
        finally:
            sys.stdout = kept


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the sorted values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latency_line(name: str, milliseconds: Sequence[float], seconds: float) -> str:
    """One line: median, p95, p99 and throughput."""
    return (
        f"{name:<34} p50 {median(milliseconds):7.2f} ms   p95 {percentile(milliseconds, 0.95):7.2f} ms   "
        f"p99 {percentile(milliseconds, 0.99):7.2f} ms   {len(milliseconds) / seconds:8.0f}/s"
    )


def machine() -> str:
    """What the numbers were measured on."""
    return f"{os.cpu_count()} cores, {machine_facts.machine()}, Python {machine_facts.python_version()}, loopback"
