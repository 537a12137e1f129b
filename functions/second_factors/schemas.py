"""What the second-factor endpoints take and answer."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel


class SecondFactor(ResponseModel):
    """Whether the user signs in with a second factor."""

    is_enrolled: bool
    confirmed_at: datetime | None = Field(description="Since when it is asked for.")
    recovery_codes_left: int


class Enrolment(ResponseModel):
    """What an authenticator app needs. Shown this once."""

    seed: str = Field(description="The seed in base32, to be typed in by hand.")
    otpauth_uri: str = Field(description="The same as an address, to be shown as a QR code.")


class Confirmation(RequestModel):
    """The proof that the app works."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] = Field(
        description="The six digits that the app shows now.", examples=["123456"]
    )


class RecoveryCodes(ResponseModel):
    """Codes for a day without the device. Each works once; all older ones have stopped working. Shown this once."""

    recovery_codes: list[str] = Field(examples=[["ABCD-EFGH-JKLM-NPQR"]])


class Removed(ResponseModel):
    """The confirmation of a removal."""

    message: str
