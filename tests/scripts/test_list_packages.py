"""What is shipped is known, with a licence that somebody has looked at."""

from scripts.list_packages import LOCK, Package, bill_of_materials, faults, shipped

ENTRY = (
    "pyotp==2.12.0 \\\n    --hash=sha256:" + "a" * 64 + " \\\n    --hash=sha256:" + "b" * 64 + "\n"
    "old==1.0 ; python_full_version < '3.11.3' \\\n    --hash=sha256:" + "c" * 64 + "\n"
)


def test_every_shipped_package_has_a_licence_that_was_agreed_to() -> None:
    packages = shipped(LOCK.read_text())

    assert len(packages) > 20
    assert faults(packages) == []


def test_what_lambda_s_python_does_not_get_is_not_listed() -> None:
    assert [package.name for package in shipped(ENTRY)] == ["pyotp"]


def test_a_licence_that_nobody_has_read_is_a_fault() -> None:
    (fault,) = faults([Package("new", "1", "AGPL-3.0-only", ("a" * 64,))])

    assert "new 1 has the licence AGPL-3.0-only" in fault


def test_a_package_without_hashes_is_a_fault() -> None:
    assert faults([Package("new", "1", "MIT", ())]) == ["new has no hashes; run 'make lock'"]


def test_the_bill_of_materials_names_each_package_as_scanners_look_for_it() -> None:
    document = bill_of_materials(shipped(ENTRY), "1.0.0")

    assert document["specVersion"] == "1.5"
    (component,) = document["components"]
    assert component["purl"] == "pkg:pypi/pyotp@2.12.0"
    assert component["licenses"] == [{"expression": "MIT"}]
    assert len(component["hashes"]) == 2
