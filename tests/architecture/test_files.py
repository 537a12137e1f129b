"""The shape of files, and what may not stand in any of them."""

import re
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

from tests.support.imports import function_folders
from tests.support.sources import ROOT

MOST_LINES = 330
# A test file is a list; it is read one entry at a time.
MOST_LINES_OF_TESTS = 400

# Put together here, so that this file does not hold what it looks for.
_HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "proxy.golang" + ".org",
    "yarn" + "pkg.com",
)
REGISTRY = re.compile("|".join(re.escape(host) for host in _HOSTS))
DOWNLOAD = re.compile(r"--(?:extra-)?index-url|--find-links|\"resolved\": *\"https?:")
HOME = re.compile(r"(?<![\w.$}/-])/(?:" + "|".join(["work", "root", "home/[a-z]", "Users/[A-Za-z]"]) + r")/")
SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|hvs\.[A-Za-z0-9]{20}|xox[bp]-[0-9]|sk_live_[0-9a-zA-Z]{20}"
)


@lru_cache(maxsize=1)
def committed() -> dict[str, str]:
    """The text of every file that is, or is about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return {path: (ROOT / path).read_text(errors="ignore") for path in listed if (ROOT / path).is_file()}


def lines_found(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    return [
        f"{path}:{number}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_files_are_found() -> None:
    assert {"CONTRIBUTING.md", "template.yaml", "functions/contacts/routes.py"} <= set(committed())


def test_a_file_is_short_enough_to_be_read_at_once() -> None:
    long = {
        path: text.count("\n")
        for path, text in committed().items()
        if path.endswith((".py", ".sh"))
        and text.count("\n") > (MOST_LINES_OF_TESTS if path.startswith("tests/") else MOST_LINES)
    }

    assert long == {}


@pytest.mark.parametrize("folder", sorted(function_folders()))
def test_a_function_folder_says_what_it_is_and_starts_in_a_few_lines(folder: str) -> None:
    parts = {module.name.rpartition(".")[2] or folder: module for module in function_folders()[folder]}
    package, app = ROOT / "functions" / folder / "__init__.py", ROOT / "functions" / folder / "app.py"

    assert package.read_text().startswith('"""'), f"{folder}/__init__.py has no docstring"
    code = [line for line in app.read_text().splitlines() if line and not line.startswith(("from ", "import ", '"""'))]
    assert len(code) <= 12, f"{folder}/app.py does more than to make the handler: move it to service.py"
    assert "app" in parts


def test_a_python_file_is_not_empty_but_for_its_name() -> None:
    hollow = [
        path
        for path, text in committed().items()
        if path.startswith("functions/") and path.endswith(".py") and not text.strip()
    ]

    assert hollow == []


def test_tests_run_coroutines_aside_so_that_the_loop_of_the_handlers_is_not_lost_unclosed() -> None:
    # Put together here, so that this file does not hold what it looks for.
    call = "asyncio" + ".run("
    found = [name for name, text in committed().items() if name.startswith("tests/") and call in text]

    assert found == []


def test_no_committed_file_names_a_package_registry_or_where_to_download_from() -> None:
    assert lines_found(REGISTRY, committed()) == []
    assert lines_found(DOWNLOAD, {p: t for p, t in committed().items() if "lock" in Path(p).name}) == []


def test_no_committed_file_names_a_folder_of_somebodys_machine() -> None:
    assert lines_found(HOME, committed()) == []


def test_no_committed_file_holds_what_looks_like_a_real_secret() -> None:
    assert lines_found(SECRET, {p: t for p, t in committed().items() if p != "tests/architecture/test_files.py"}) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRY, "https://py" + "pi.org/simple"),
        (DOWNLOAD, '      "resolved": "https://example.com/a.tgz",'),
        (DOWNLOAD, "--index-" + "url https://example.com"),
        (HOME, "see /ro" + "ot/.cache"),
        (HOME, 'path = "/wo' + 'rk/main"'),
        (SECRET, "AKIA" + "ABCDEFGHIJKLMNOP"),
    ],
)
def test_the_patterns_find_what_they_look_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_who_sets_a_security_rule_aside_says_why() -> None:
    without = re.compile(r"# noqa: (?:[A-Z0-9]+, *)*S\d{3}(?:, *[A-Z0-9]+)*\s*$")

    assert lines_found(without, {path: text for path, text in committed().items() if path.endswith(".py")}) == []
