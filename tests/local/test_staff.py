"""The super admin of a development machine: made once, with a second factor that `make code` knows."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local import staff as local_staff
from local.services.process import ServiceError
from local.staff import Staff, enrol_staff, present_code, seed_staff
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import transaction
from penguinmails.settings import get_settings
from staff.app import handler
from tests.support.http import call
from tests.support.operations import handler_of
from tests.support.people import sign_in


def _through_the_handlers(
    _api_url: str, path: str, body: Any, token: str = "", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    whole = f"/api/v1{path}"
    answer = call(handler_of("POST", whole), "POST", whole, json=body, token=token or None, headers=headers)
    return answer.status, answer.json


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A platform without a super admin, and an address that no other test uses."""
    with transaction(tenant_id=PLATFORM_TENANT_ID) as tx:
        tx.run("UPDATE staff_members SET is_active = false", {})
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setattr(local_staff, "_EMAIL", f"{uuid4().hex}@staff.example")
    monkeypatch.setattr(local_staff, "_post", _through_the_handlers)
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


def make(file: Path) -> Staff:
    return seed_staff(os.environ["DATABASE_URL"], file)


def reaches_the_staff_endpoints(staff: Staff) -> bool:
    token = sign_in(staff.email, staff.password, code=present_code(staff)).json["access_token"]
    return call(handler, "GET", "/api/v1/admin/tenants", token=token).status == 200


def test_the_super_admin_is_made_once_and_can_sign_in_at_once(tmp_path: Path) -> None:
    file = tmp_path / "staff.json"

    staff = enrol_staff("", make(file), file)

    assert file.stat().st_mode & 0o777 == 0o600
    assert enrol_staff("", make(file), file) == staff
    assert reaches_the_staff_endpoints(staff)


def test_a_start_that_was_cut_off_before_the_confirmation_enrols_anew(tmp_path: Path) -> None:
    file = tmp_path / "staff.json"
    cut_off = replace(make(file), seed="JBSWY3DPEHPK3PXP")

    staff = enrol_staff("", cut_off, file)

    assert staff.seed != cut_off.seed
    assert reaches_the_staff_endpoints(staff)


def test_a_start_that_was_cut_off_after_the_confirmation_goes_on_with_its_seed(tmp_path: Path) -> None:
    file = tmp_path / "staff.json"
    enrolled = enrol_staff("", make(file), file)

    staff = enrol_staff("", replace(enrolled, is_enrolled=False), file)

    assert staff == enrolled
    assert json.loads(file.read_text())["is_enrolled"] is True


def test_a_password_that_is_lost_is_said_and_what_to_do(tmp_path: Path) -> None:
    make(tmp_path / "staff.json")

    with pytest.raises(ServiceError, match="make reset"):
        make(tmp_path / "another.json")


def test_a_refused_step_is_said(tmp_path: Path) -> None:
    file = tmp_path / "staff.json"

    with pytest.raises(ServiceError, match=r"sign-in of .* was refused"):
        enrol_staff("", replace(make(file), password="Wrong-password-1"), file)
