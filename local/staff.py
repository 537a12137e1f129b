"""One super admin of the development machine, who has a second factor: made once, then kept in `.local/staff.json`.

`python -m local.staff` prints the one-time code of this moment, in the place of a phone.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from pyotp import TOTP

from database.create_staff import create_first_super_admin
from local.services.process import ServiceError
from penguinmails import clock
from penguinmails.auth.second_factors import STEP_SECONDS
from penguinmails.db import close_connection
from penguinmails.errors import Conflict
from penguinmails.settings import get_settings

FILE = Path(__file__).resolve().parent.parent / ".local" / "staff.json"
_EMAIL = "staff@penguinmails.example.com"


@dataclass(frozen=True, slots=True)
class Staff:
    """Whom to sign in as, and what the authenticator app holds (base32)."""

    email: str
    password: str
    seed: str = ""
    is_enrolled: bool = False


def seed_staff(database_url: str, file: Path) -> Staff:
    """Create the super admin once; the password is random and kept in `file`, readable by its owner alone."""
    if file.exists():
        return Staff(**json.loads(file.read_text()))
    os.environ.update({"DATABASE_URL": database_url, "ENVIRONMENT": "local"})
    get_settings.cache_clear()
    staff = Staff(_EMAIL, f"Pm-{token_urlsafe(12)}-7a")
    try:
        create_first_super_admin(email=staff.email, name="Sam Staff", password=staff.password)
    except Conflict:
        raise ServiceError(
            f"There is a super admin, but {file}, which holds the password, is gone. Run `make reset`."
        ) from None
    finally:
        close_connection("app")
    _keep(file, staff)
    return staff


def enrol_staff(api_url: str, staff: Staff, file: Path) -> Staff:
    """Give the super admin a second factor over the running API, unless there is one."""
    if staff.is_enrolled:
        return staff
    status, session = _post(api_url, "/sessions", {"email": staff.email, "password": staff.password})
    if status == 201:
        staff = _enrol(api_url, session["access_token"], staff, file)
    elif session.get("code") != "SECOND_FACTOR_REQUIRED":
        raise _unexpected("sign-in", session)
    # Else the run before this one was ended between the confirmation and this line.
    staff = replace(staff, is_enrolled=True)
    _keep(file, staff)
    return staff


def present_code(staff: Staff, steps_from_now: int = 0) -> str:
    """The six digits that the authenticator app would show."""
    return TOTP(staff.seed).at(int(clock.now().timestamp()) + steps_from_now * STEP_SECONDS)


def _enrol(api_url: str, token: str, staff: Staff, file: Path) -> Staff:
    _, proof = _post(api_url, "/sessions/step-up", {"password": staff.password, "purpose": "account"}, token)
    headers = {"X-Reauth-Token": proof.get("reauth_token", "")}
    status, made = _post(api_url, "/me/second-factor", None, token, headers)
    if status != 201:
        raise _unexpected("enrolment", made)
    staff = replace(staff, seed=made["seed"])
    _keep(file, staff)
    # A code works once: with that of the step before, the present one is left for the first sign-in.
    confirmation = {"code": present_code(staff, -1)}
    status, confirmed = _post(api_url, "/me/second-factor/confirm", confirmation, token)
    if status != 200:
        raise _unexpected("confirmation", confirmed)
    return staff


def _post(
    api_url: str, path: str, body: dict[str, Any] | None, token: str = "", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    sent = {"Content-Type": "application/json", **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    data = b"" if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{api_url}/api/v1{path}", data, sent, method="POST")  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def _keep(file: Path, staff: Staff) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        json.dump(asdict(staff), output)


def _unexpected(step: str, answer: dict[str, Any]) -> ServiceError:
    return ServiceError(f"The {step} of {_EMAIL} was refused: {answer.get('detail')} Run `make reset` to start afresh.")


def main() -> int:
    """Print the present code; 1 with a sentence when there is nobody to print it for."""
    if not FILE.exists():
        print("There is no super admin yet; `make run` makes one.", file=sys.stderr)
        return 1
    print(present_code(Staff(**json.loads(FILE.read_text()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
