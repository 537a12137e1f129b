"""Licences of what is shipped, and a bill of materials: `python -m scripts.list_packages [--sbom FILE]`.

Reads the lock file and the installed packages; needs no network. A licence that nobody has looked at fails: what is
shipped must be permissive, or be here with the reason why it may be used as it is.
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "runtime.lock"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)([^\\]*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
PERMISSIVE = {
    "MIT", "MIT-0", "Apache-2.0", "BSD-3-Clause", "ISC", "PSF-2.0", "Unlicense", "Apache-2.0 AND MIT",
    "Apache-2.0 OR BSD-3-Clause",
}  # fmt: skip
WITH_TERMS = {
    "psycopg": "LGPL-3.0-only: used unchanged, as a separate package that can be replaced in the layer",
    "psycopg-binary": "LGPL-3.0-only: as psycopg",
    "certifi": "MPL-2.0: used unchanged; the terms hold for its own files alone",
}
"""Licences that are not permissive, and why they may be used as we do."""
_SPELLINGS = {
    "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause", "MIT License": "MIT", "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Package:
    """One locked package; `licence` is an SPDX expression, `hashes` are SHA-256 of its files."""

    name: str
    version: str
    licence: str
    hashes: tuple[str, ...]


def shipped(lock: str) -> list[Package]:
    """The packages of a lock file, except those that its markers leave out of Lambda's Python."""
    found: list[Package] = []
    for entry in re.split(r"\n(?=[a-zA-Z0-9])", lock):
        pinned = _PINNED.match(entry)
        if pinned is None:
            continue
        name, version, marker = pinned.groups()
        if re.search(r"python_full_version < '3\.1[0-3]", marker):
            continue
        found.append(Package(name, version, licence_of(name), tuple(_HASH.findall(entry))))
    return found


def licence_of(name: str) -> str:
    """What an installed package says of itself, in SPDX's spelling; `unknown` when it says nothing."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return "unknown"
    classifiers = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or [] if c.startswith("License ::")]
    text = said.get("License-Expression") or said.get("License") or (classifiers or ["unknown"])[0]
    return _SPELLINGS.get(text, text)


def faults(packages: list[Package]) -> list[str]:
    """Packages with a licence that nobody has agreed to, or without hashes."""
    licences = [
        f"{p.name} {p.version} has the licence {p.licence}; read it, then add it to PERMISSIVE or WITH_TERMS"
        for p in packages
        if p.licence not in PERMISSIVE and p.name not in WITH_TERMS
    ]
    return licences + [f"{p.name} has no hashes; run 'make lock'" for p in packages if not p.hashes]


def bill_of_materials(packages: list[Package], release: str) -> dict[str, Any]:
    """A CycloneDX 1.5 document (https://cyclonedx.org/docs/1.5/json/), the same for the same lock file."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "penguinmails", "version": release}},
        "components": [
            {
                "type": "library",
                "name": p.name,
                "version": p.version,
                "purl": f"pkg:pypi/{p.name.lower()}@{p.version}",
                "licenses": [{"expression": p.licence}],
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in p.hashes],
            }
            for p in packages
        ],
    }


def main() -> int:
    """Print a line per package; 1 when one of them has a fault."""
    parser = argparse.ArgumentParser(prog="make licences")
    parser.add_argument("--sbom", type=Path, help="write the bill of materials here")
    arguments = parser.parse_args()
    packages = shipped(LOCK.read_text())
    if arguments.sbom:
        found = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
        document = bill_of_materials(packages, found[1] if found else "")
        arguments.sbom.write_text(json.dumps(document, indent=1) + "\n")
    for package in packages:
        print(f"{package.name:28} {package.version:14} {package.licence}")
    wrong = faults(packages)
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
