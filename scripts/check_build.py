"""Looks at what `sam build` made: that it is complete, holds nothing else, fits Lambda's limits and its processor.

With a Python 3.13 at hand every handler is also imported from its artifact and the layers alone, as Lambda would.
"""

import os
import platform
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".aws-sam" / "build"
LAYERS = (BUILD / "CommonLayer", BUILD / "DependenciesLayer")
MAX_LAYERS_BYTES = 120_000_000
"""Lambda allows 250 MB unzipped, function included; what is larger than this starts noticeably slower."""
EM_AARCH64 = 183
"""e_machine of the ELF header (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html)."""
_AWS_CLIENT = re.compile(r"""(?<![\w.])client\(\s*["']([a-z0-9-]+)["']""")
_IMPORT_HANDLER = "import importlib, sys; sys.path[:0] = sys.argv[2:]; importlib.import_module(sys.argv[1]).handler"
_NO_SETTINGS = {"PATH": os.defpath, "AWS_DEFAULT_REGION": "eu-west-1"}


def functions() -> dict[str, Path]:
    """Package name to artifact folder of every built function."""
    artifacts = [folder for folder in BUILD.glob("*Function") if folder.is_dir()]
    return {"_".join(re.findall("[A-Z][a-z0-9]*", a.name.removesuffix("Function"))).lower(): a for a in artifacts}


def wrong_artifacts() -> Iterator[str]:
    """Artifacts that lack their handler or hold something besides their own package."""
    for package, artifact in functions().items():
        if not (artifact / package / "app.py").is_file():
            yield f"{artifact.name} lacks {package}/app.py"
        strangers = {path.name for path in artifact.iterdir()} - {package}
        if strangers:
            yield f"{artifact.name} holds {', '.join(sorted(strangers))} besides its own package {package}"
        yield from (
            f"{artifact.name} ships {path.relative_to(artifact)}; the Makefile should leave tests and caches out"
            for path in artifact.rglob("*")
            if path.name in {"tests", "__pycache__"}
        )


def heavy_layers() -> Iterator[str]:
    """One sentence when both layers together are over the budget."""
    sizes = {layer.name: sum(f.stat().st_size for f in layer.rglob("*") if f.is_file()) for layer in LAYERS}
    print("layers unzipped: " + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items()))
    if min(sizes.values()) == 0:
        yield "a layer is empty; look at its Makefile"
    if sum(sizes.values()) >= MAX_LAYERS_BYTES:
        yield f"the layers have {sum(sizes.values()) / 1e6:.1f} MB, at most {MAX_LAYERS_BYTES / 1e6:.0f} MB are allowed"


def foreign_binaries() -> Iterator[str]:
    """Native code that Lambda's arm64 processors cannot run."""
    count = 0
    for layer in LAYERS:
        for file in layer.rglob("*"):
            machine = _elf_machine(file)
            count += machine is not None
            if machine not in {None, EM_AARCH64}:
                yield f"{file.relative_to(BUILD)} is built for ELF machine {machine}, not for aarch64"
    print(f"native libraries: {count}")
    if count == 0:
        yield "no native library was found, though the database driver has some; look at the dependencies layer"


def _elf_machine(file: Path) -> int | None:
    if not file.is_file():
        return None
    with file.open("rb") as content:
        header = content.read(20)
    if header[:4] != b"\x7fELF":
        return None
    byte_order = "<" if header[5] == 1 else ">"
    return struct.unpack_from(byte_order + "H", header, 18)[0]


def missing_services() -> Iterator[str]:
    """AWS services that the code calls and that the dependencies layer was slimmed of."""
    shipped = {p.name for p in (BUILD / "DependenciesLayer" / "python" / "botocore" / "data").iterdir() if p.is_dir()}
    for source in (*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers" / "common").rglob("*.py")):
        for service in _AWS_CLIENT.findall(source.read_text()):
            if service not in shipped:
                yield f"{source.relative_to(ROOT)} calls {service}; add it to the services in layers/dependencies/slim.sh"


def unimportable_handlers() -> Iterator[str]:
    """Handlers that do not import from artifact and layers alone, under Lambda's version of Python."""
    found = subprocess.run(
        ["bash", "scripts/find_python_3_13.sh"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    python = found.stdout.strip()
    if not python:
        print("imports: not tried, because there is no Python 3.13 here (PYTHON_3_13=/path names one)")
        return
    with tempfile.TemporaryDirectory() as folder:
        dependencies = _dependencies_for_this_machine(Path(folder))
        paths = [str(BUILD / "CommonLayer" / "python"), str(dependencies / "python")]
        for package, artifact in functions().items():
            # -B: what is checked here is what gets deployed, so nothing may be written into it.
            command = [python, "-I", "-B", "-c", _IMPORT_HANDLER, f"{package}.app", str(artifact), *paths]
            outcome = subprocess.run(command, env=_NO_SETTINGS, capture_output=True, text=True, check=False)
            if outcome.returncode != 0:
                yield f"{package}.app does not import from its artifact: {outcome.stderr.strip().splitlines()[-1]}"
        print(f"imports: tried {len(functions())} handlers with {python}")


def _dependencies_for_this_machine(folder: Path) -> Path:
    """The dependencies layer itself, or the same build with this processor's binaries."""
    if platform.machine() == "aarch64":
        return BUILD / "DependenciesLayer"
    target = {**os.environ, "ARTIFACTS_DIR": str(folder), "PLATFORM": f"{platform.machine()}-manylinux_2_28"}
    subprocess.run(
        ["make", "-s", "-C", "layers/dependencies", "build-DependenciesLayer"], cwd=ROOT, env=target, check=True
    )
    return folder


def main() -> int:
    """Print what was found; 1 when something is wrong."""
    if not functions():
        print("nothing is built; run 'make build' first")
        return 1
    # Artifacts come last: nothing that was done here may have left a trace in them.
    checks = (heavy_layers, foreign_binaries, missing_services, unimportable_handlers, wrong_artifacts)
    findings = [finding for check in checks for finding in check()]
    print("\n".join(findings))
    print(f"{len(functions())} functions built, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
