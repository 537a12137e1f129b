"""What importing each function's handler costs: modules, CPU time with and without bytecode, and what is shipped.

Sizes are those of the last `make build`, unzipped; without a build they are left out.
"""

import json
import os
import subprocess
import sys
import tempfile
from statistics import median

from bench.platform import ROOT, machine
from local.template import Function, read_template

_RUNS = 5
_BUILD = ROOT / ".aws-sam" / "build"
_PROBE = """
import importlib, json, sys, time
before = time.process_time()
module, _, name = sys.argv[1].rpartition(".")
getattr(importlib.import_module(module), name)
print(json.dumps([len(sys.modules), (time.process_time() - before) * 1000]))
"""


def main() -> None:
    """Print one line per function, the costliest first."""
    functions = read_template(ROOT / "template.yaml").functions.values()
    rows = sorted((measure(function) for function in functions), key=lambda row: -row[2])
    print(machine())
    print(f"{'function':<22} {'modules':>8} {'CPU ms, bytecode':>18} {'CPU ms, none':>14} {'artifact KB':>12}")
    for name, modules, warm, cold in rows:
        folder = "".join(word.title() for word in name.split("_")) + "Function"
        print(f"{name:<22} {modules:>8} {warm:>18.0f} {cold:>14.0f} {_kilobytes(folder):>12}")
    print(f"layers, KB: common {_kilobytes('CommonLayer')}, dependencies {_kilobytes('DependenciesLayer')}")


def _kilobytes(name: str) -> str:
    files = [file for file in (_BUILD / name).rglob("*") if file.is_file()]
    return f"{sum(file.stat().st_size for file in files) / 1000:,.0f}" if files else "not built"


def measure(function: Function) -> tuple[str, int, float, float]:
    """Name, modules, and the median CPU milliseconds with and without bytecode."""
    with tempfile.TemporaryDirectory() as cache:
        _probe(function, {"PYTHONPYCACHEPREFIX": cache})
        with_bytecode = [_probe(function, {"PYTHONPYCACHEPREFIX": cache}) for _ in range(_RUNS)]
        without = _probe(function, {"PYTHONPYCACHEPREFIX": cache + "/none", "PYTHONDONTWRITEBYTECODE": "1"})
    cpu = median(milliseconds for _, milliseconds in with_bytecode)
    return function.handler.split(".")[0], with_bytecode[0][0], cpu, without[1]


def _probe(function: Function, variables: dict[str, str]) -> tuple[int, float]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, function.handler],
        env={**environment, **function.environment, **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    modules, milliseconds = json.loads(done.stdout.splitlines()[-1])
    return modules, milliseconds


if __name__ == "__main__":
    main()
