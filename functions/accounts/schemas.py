"""What the account endpoints take and answer."""

from typing import Annotated, Literal

from pydantic import EmailStr, Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel

Email = Annotated[EmailStr, StringConstraints(to_lower=True, max_length=254)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
# The rules of passwords are checked where the e-mail is known; here only what no password may exceed.
Password = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra={"format": "password"})]
LinkToken = Annotated[
    str, Field(min_length=20, max_length=200, description="The part after `#token=` of the mailed link.")
]


class SignUp(RequestModel):
    """A new account."""

    email: Email = Field(description="Becomes the owner's sign-in.", examples=["ada@example.com"])
    password: Password = Field(description="8 characters to 72 bytes, upper and lower case and a digit.")
    name: Name = Field(description="The owner's name.", examples=["Ada Lovelace"])
    company: Name = Field(description="Name of the account.", examples=["Analytical Engines"])


class EmailAddress(RequestModel):
    """An account's e-mail address."""

    email: Email = Field(examples=["ada@example.com"])


class VerifyEmail(RequestModel):
    """The proof that a mail arrived."""

    token: LinkToken


class ResetPassword(RequestModel):
    """A new password, with the proof that the mail arrived."""

    token: LinkToken
    password: Password = Field(description="The new password.")


class ChangePassword(RequestModel):
    """A new password, with the old one."""

    current_password: Password = Field(description="The password until now.")
    new_password: Password = Field(description="The password from now on.")


class Accepted(ResponseModel):
    """What happens next; the same whether or not the address has an account."""

    status: Literal["mail_sent"] = "mail_sent"
    message: str


class Done(ResponseModel):
    """What was done."""

    status: Literal["done"] = "done"
    message: str
