"""Set-up names what is missing and the command that installs it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def set_up(python: str, directory: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(ROOT / "scripts" / "set_up.sh"), python, str(directory / "venv")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ})


def fake_python(directory: Path, script: str) -> str:
    """A program that acts as an interpreter: `$2` is what it was asked to execute."""
    file = directory / "python"
    file.write_text(f"#!/usr/bin/env bash\n{script}\n")
    file.chmod(0o755)
    return str(file)


TOO_OLD = """
case "$*" in
  *version_info*) exit 1 ;;
  -V) echo "Python 3.9.2" ;;
esac
"""
WITHOUT_VENV = """
case "$*" in
  *ensurepip*) echo "ModuleNotFoundError: No module named 'ensurepip'" >&2; exit 1 ;;
esac
"""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (TOO_OLD, ["3.11 or newer is needed", "is Python 3.9.2", "make PYTHON=/path/to/python3.12"]),
        (WITHOUT_VENV, ["cannot create virtual environments", "apt-get install python3-venv"]),
    ],
    ids=["too old", "without venv"],
)
def test_a_python_that_will_not_do_is_refused_with_what_to_do(tmp_path: Path, script: str, said: list[str]) -> None:
    done = set_up(fake_python(tmp_path, script), tmp_path)

    assert done.returncode == 1
    assert all(words in done.stderr for words in said), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "venv").exists()


def test_a_missing_python_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    done = set_up("python-that-is-not-there", tmp_path)

    assert done.returncode == 1
    assert "'python-that-is-not-there' was not found" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_reset_without_a_python_says_how_to_name_one(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "reset", "PYTHON=python-that-is-not-there"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
