"""A customer's account with a mail provider, its credentials opened."""

from dataclasses import dataclass, field
from typing import Literal

EMAIL_ID = "penguinmails_id"
"""Under this name a provider keeps the id of our mail, and gives it back with every report.

Postmark takes names of 20 characters at most (https://postmarkapp.com/support/article/1125-custom-metadata-faq).
"""
Stream = Literal["single", "bulk"]
"""What a mail is one of, which some providers keep apart."""


class AccountRefused(Exception):
    """The provider does not take the account's credentials, or could not be asked; the text says what to do."""


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """`settings` as the customer has set them; `secret` holds the API key and stays out of logs and error texts."""

    provider: Literal["postmark", "mailgun"]
    settings: dict[str, str]
    secret: dict[str, str] = field(repr=False)
