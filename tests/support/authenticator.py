"""An authenticator app of a person: enrols, and shows the code of a moment."""

from datetime import UTC, datetime, timedelta

import time_machine
from pyotp import TOTP

from second_factors.app import handler
from tests.support.http import Answer
from tests.support.people import Person

PATH = "/api/v1/me/second-factor"


class Authenticator:
    """Holds a seed as a phone does."""

    def __init__(self, seed: str) -> None:
        """`seed` is base32."""
        self.seed = seed

    def code(self, steps_from_now: int = 0) -> str:
        """The six digits of a time step."""
        return TOTP(self.seed).at(datetime.now(UTC) + timedelta(seconds=30 * steps_from_now))


def begin(person: Person) -> Authenticator:
    """Ask for a seed, which is not in force yet."""
    answer = person.call(handler, "POST", PATH, headers=person.step_up("account"))
    assert answer.status == 201, answer.body
    assert answer.json["seed"] in answer.json["otpauth_uri"]
    return Authenticator(answer.json["seed"])


def confirm(person: Person, app: Authenticator) -> Answer:
    """Confirm a seed with the code of the step before this one, at a moment that does not pass into the next step."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        return person.call(handler, "POST", f"{PATH}/confirm", json={"code": app.code(-1)})


def enrol(person: Person) -> tuple[Authenticator, list[str]]:
    """Enrol a second factor; the recovery codes."""
    app = begin(person)
    answer = confirm(person, app)
    assert answer.status == 200, answer.body
    return app, answer.json["recovery_codes"]
