"""What is refused about the outcome of `sam build`."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import check_build

AARCH64, X86_64 = 183, 62


def _elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A build of one function and both layers with which nothing is wrong."""
    files = {
        "FanOutEventsFunction/fan_out_events/app.py": b"handler = print",
        "CommonLayer/python/penguinmails/__init__.py": b"#",
        "DependenciesLayer/python/driver.so": _elf(AARCH64),
        "DependenciesLayer/python/botocore/data/sqs/service.json": b"{}",
        "DependenciesLayer/python/botocore/data/kms/service.json": b"{}",
        "DependenciesLayer/python/botocore/data/s3/service.json": b"{}",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(check_build, "BUILD", tmp_path)
    monkeypatch.setattr(check_build, "LAYERS", (tmp_path / "CommonLayer", tmp_path / "DependenciesLayer"))
    return tmp_path


def _findings() -> list[str]:
    checks = (
        check_build.wrong_artifacts,
        check_build.heavy_layers,
        check_build.foreign_binaries,
        check_build.missing_services,
    )
    return [finding for check in checks for finding in check()]


def test_a_proper_build_has_no_findings(build: Path) -> None:
    assert build.is_dir()
    assert _findings() == []


@pytest.mark.parametrize("stranger", ["contacts/app.py", "notes.txt"])
def test_an_artifact_holds_its_own_package_only(build: Path, stranger: str) -> None:
    file = build / "FanOutEventsFunction" / stranger
    file.parent.mkdir(exist_ok=True)
    file.write_text("")

    [finding] = _findings()

    assert finding == f"FanOutEventsFunction holds {stranger.partition('/')[0]} besides its own package fan_out_events"


@pytest.mark.parametrize("leftover", ["tests", "__pycache__"])
def test_an_artifact_ships_neither_tests_nor_caches(build: Path, leftover: str) -> None:
    (build / "FanOutEventsFunction" / "fan_out_events" / leftover).mkdir()

    assert f"ships fan_out_events/{leftover}" in _findings()[0]


def test_an_artifact_has_its_handler(build: Path) -> None:
    (build / "FanOutEventsFunction" / "fan_out_events" / "app.py").unlink()

    assert _findings() == ["FanOutEventsFunction lacks fan_out_events/app.py"]


def test_native_code_for_another_processor_is_refused(build: Path) -> None:
    (build / "DependenciesLayer" / "python" / "other.so.1.2").write_bytes(_elf(X86_64))

    assert _findings() == ["DependenciesLayer/python/other.so.1.2 is built for ELF machine 62, not for aarch64"]


def test_layers_without_native_code_are_suspicious(build: Path) -> None:
    (build / "DependenciesLayer" / "python" / "driver.so").write_text("not a library")

    assert _findings() == [
        "no native library was found, though the database driver has some; look at the dependencies layer"
    ]


def test_both_layers_together_stay_within_the_budget(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_build, "MAX_LAYERS_BYTES", 1_000)
    (build / "CommonLayer" / "python" / "large.py").write_bytes(b"#" * 990)

    assert "at most" in _findings()[0]


def test_a_service_that_the_code_calls_must_not_be_slimmed_away(build: Path) -> None:
    (build / "DependenciesLayer" / "python" / "botocore" / "data" / "kms" / "service.json").unlink()
    (build / "DependenciesLayer" / "python" / "botocore" / "data" / "kms").rmdir()

    assert _findings() == [
        "layers/common/python/penguinmails/aws.py calls kms; add it to the services in layers/dependencies/slim.sh"
    ]
