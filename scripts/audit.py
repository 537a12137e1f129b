"""Compares the locked packages with the lists of known faults: `make audit`.

Python packages by pip-audit, Node packages by `npm audit`. Findings fail, unless requirements/audit-exceptions.toml says
why one does not concern us and until when. A list that does not answer is said and fails only with `--strict`.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXCEPTIONS = ROOT / "requirements" / "audit-exceptions.toml"
_PIP_AUDIT = ROOT / ".tools" / "audit" / "bin" / "python"
_PATIENCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """A known fault of a locked package; `ids` are all of its names (PYSEC-..., GHSA-..., CVE-...)."""

    lock: str
    package: str
    version: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        """What it is and what to do."""
        way_out = (
            f"take {' or '.join(self.fixed_in)} with `make lock`" if self.fixed_in else "there is no fixed release"
        )
        return f"{self.lock}: {self.package} {self.version} has {' = '.join(self.ids)}; {way_out}"


@dataclass(frozen=True, slots=True)
class Excepted:
    """Why a finding does not concern us, until a day on which somebody looks again."""

    id: str
    reason: str
    expires: date


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about one lock; `unknown` is why nothing is, of all or of some packages."""

    findings: tuple[Finding, ...] = ()
    unknown: str = ""


def read_exceptions(file: Path) -> dict[str, Excepted]:
    """By the fault's id. Raises ValueError for an entry without an id, a reason or a date."""
    found: dict[str, Excepted] = {}
    for entry in tomllib.loads(file.read_text()).get("exception", []):
        number, reason, expires = entry.get("id"), str(entry.get("reason", "")).strip(), entry.get("expires")
        if not number or not reason or not isinstance(expires, date):
            raise ValueError(f"{file.name}: {entry} needs an id, a reason, and expires = YYYY-MM-DD")
        found[number] = Excepted(number, reason, expires)
    return found


def of_pip_audit(lock: str, document: dict[str, Any]) -> Answer:
    """What `pip-audit --format json` said about a lock."""
    packages: list[dict[str, Any]] = document["dependencies"]
    findings = tuple(
        Finding(lock, p["name"], p["version"], (fault["id"], *fault.get("aliases", ())), tuple(fault["fix_versions"]))
        for p in packages
        for fault in p.get("vulns", ())
    )
    skipped = [p["name"] for p in packages if "skip_reason" in p]
    unknown = (
        f"the list says nothing about {len(skipped)} of {len(packages)} packages" if skipped or not packages else ""
    )
    return Answer(findings, unknown)


def of_npm_audit(lock: str, document: dict[str, Any]) -> Answer:
    """What `npm audit --json` said about a lock."""
    if "vulnerabilities" not in document:
        return Answer(unknown=str(document.get("message", "npm audit gave no list")).split(" - ")[0])
    faults: dict[str, Finding] = {}
    for name, entry in document["vulnerabilities"].items():
        for via in (v for v in entry["via"] if isinstance(v, dict)):
            number = via["url"].rpartition("/")[2]
            faults[number] = Finding(lock, name, entry.get("range", ""), (number,), ())
    return Answer(tuple(faults.values()))


def verdict(answers: dict[str, Answer], exceptions: dict[str, Excepted], today: date) -> tuple[list[str], list[str]]:
    """What fails and what is only said."""
    failing, said = list[str](), list[str]()
    used: set[str] = set()
    for lock, answer in answers.items():
        if answer.unknown:
            said.append(f"{lock}: not compared in full ({answer.unknown})")
        for finding in answer.findings:
            excepted = next((exceptions[number] for number in finding.ids if number in exceptions), None)
            if excepted is None:
                failing.append(str(finding))
                continue
            used.add(excepted.id)
            if excepted.expires < today:
                failing.append(f"{finding}; its exception ended on {excepted.expires}: look again ({EXCEPTIONS.name})")
            else:
                said.append(f"{finding.package}: {excepted.id} is excepted until {excepted.expires}: {excepted.reason}")
    if not any(answer.unknown for answer in answers.values()):
        failing += [
            f"{EXCEPTIONS.name}: nothing has {number} any more; remove it" for number in exceptions.keys() - used
        ]
    return failing, said


def _run(command: list[str], folder: Path) -> dict[str, Any] | str:
    """The JSON that a command printed, or why there is none."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return "no answer in time"
    except json.JSONDecodeError:
        return (done.stderr.strip().splitlines() or ["no answer"])[-1][:200]


def answers(service: str) -> Iterator[tuple[str, Answer]]:
    """Each lock with what is known about it."""
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        command = [str(_PIP_AUDIT), "-m", "pip_audit", "-r", str(lock), "--no-deps", "--disable-pip"]
        said = _run([*command, "-s", service, "--progress-spinner", "off", "-f", "json"], ROOT)
        yield lock.name, Answer(unknown=said) if isinstance(said, str) else of_pip_audit(lock.name, said)
    for lock in sorted((*(ROOT / "requirements").glob("*/package-lock.json"), *ROOT.glob("*/package-lock.json"))):
        name = str(lock.relative_to(ROOT))
        if shutil.which("npm") is None:
            yield name, Answer(unknown="npm was not found")
            continue
        said = _run(["npm", "audit", "--package-lock-only", "--json"], lock.parent)
        yield name, Answer(unknown=said) if isinstance(said, str) else of_npm_audit(name, said)


def main() -> int:
    """Print findings and what could not be compared; 1 when there is a finding."""
    parser = argparse.ArgumentParser(prog="make audit")
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi", help="whose list of faults")
    parser.add_argument("--strict", action="store_true", help="fail when a list does not answer")
    arguments = parser.parse_args()
    try:
        exceptions = read_exceptions(EXCEPTIONS)
    except ValueError as error:
        print(str(error), file=sys.stderr)
        return 1
    found = dict(answers(arguments.service))
    failing, said = verdict(found, exceptions, datetime.now(UTC).date())
    print("\n".join([*said, *failing]))
    compared = sum(not answer.unknown for answer in found.values())
    print(f"{compared} of {len(found)} lock files compared in full, {len(failing)} findings")
    if compared < len(found):
        print("What was not compared may have known faults: run `make audit` where the lists can be reached.")
    return 1 if failing or (arguments.strict and compared < len(found)) else 0


if __name__ == "__main__":
    sys.exit(main())
