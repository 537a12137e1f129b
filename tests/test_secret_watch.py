"""The watch over secrets in output sees them, and says which test wrote them without repeating them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = """
from penguinmails.logging import logger
from tests.support.secret_watch import remember

def test_before():
    print("correct horse battery staple, before anybody made it")

def test_silent():
    remember("password", "correct horse battery staple")

{leaking}

def test_other_output():
    print("a correct horse with a full battery and no staple")
"""
LEAKS = {
    "printed": 'def test_leak():\n    print("x" * 50, "correct horse battery staple")',
    "logged": 'def test_leak():\n    logger.info("signed in", extra={"detail": "with correct horse battery staple"})',
    "in the error stream": "def test_leak():\n    import sys\n    sys.stderr.write('correct horse battery staple')",
    "in an exception's trace": (
        "def test_leak():\n    try:\n        raise ValueError('correct horse battery staple')\n"
        "    except ValueError:\n        logger.exception('failed')"
    ),
}


def run_sample(directory: Path, leaking: str) -> tuple[int, str]:
    (directory / "test_sample.py").write_text(SAMPLE.replace("{leaking}", leaking))
    command = [
        sys.executable, "-m", "pytest", "-p", "tests.support.secret_watch", "-p", "no:cacheprovider", "-q",
        "--rootdir", str(directory), "-c", os.devnull, "--show-capture=no", str(directory / "test_sample.py"),
    ]  # fmt: skip
    environment = {
        **os.environ,
        # Loading those of the installed packages takes longer than all the rest.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in (".", "functions", "layers/common/python")),
    }
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("leaking", LEAKS.values(), ids=LEAKS.keys())
def test_a_secret_in_the_output_fails_the_test_that_wrote_it(tmp_path: Path, leaking: str) -> None:
    status, output = run_sample(tmp_path, leaking)

    assert status == 1, output
    assert "1 failed, 3 passed" in output
    assert "FAILED test_sample.py::test_leak - the output holds a secret: password" in output
    assert "correct horse battery staple" not in output


def test_output_without_a_secret_fails_nothing(tmp_path: Path) -> None:
    status, output = run_sample(tmp_path, "")

    assert status == 0, output
    assert "3 passed" in output
