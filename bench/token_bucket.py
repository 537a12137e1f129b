"""The token bucket under eight processes: what was admitted, beside what the plan promises."""

import subprocess
import sys
import time

from bench.platform import ROOT, machine, platform

_PROCESSES = 8
_SECONDS = 20
_LIMIT, _BURST = 1_000, 2_000
_WORKER = """
import sys, time
from penguinmails import ratelimit
limit, burst, start, end = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
ratelimit.take("warm", limit=limit, burst=burst)
time.sleep(max(0, start - time.time()))
admitted = 0
while time.time() < end:
    taken, _ = ratelimit.take("bench", limit=limit, burst=burst)
    admitted += taken
print(admitted)
"""


def main() -> None:
    """Print admitted, ideal and the difference in percent."""
    with platform():
        start = time.time() + 3
        command = [sys.executable, "-c", _WORKER, str(_LIMIT), str(_BURST), str(start), str(start + _SECONDS)]
        workers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(_PROCESSES)]
        admitted = sum(int(worker.communicate()[0]) for worker in workers)
    ideal = _BURST + _LIMIT / 60 * _SECONDS
    print(machine())
    print(f"{_PROCESSES} processes for {_SECONDS} s at {_LIMIT}/min, burst {_BURST}")
    print(f"admitted {admitted}, ideal {ideal:.0f}, difference {(admitted - ideal) / ideal * 100:+.2f} %")


if __name__ == "__main__":
    main()
