"""What the domain endpoints take and answer."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from penguinmails.http.models import RequestModel, ResponseModel, Storable

DomainName = Annotated[str, StringConstraints(min_length=1, max_length=253), Storable]
Status = Literal["pending", "verified", "failed"]


class NewDomain(RequestModel):
    """A domain to send from."""

    domain: DomainName = Field(
        description="The part after the @ of your senders' addresses; international names are taken in either form.",
        examples=["example.com"],
    )
    workspace_id: UUID | None = Field(default=None, description="The workspace that it belongs to.")


class Record(ResponseModel):
    """A DNS record to publish, and what DNS had when it was last asked."""

    purpose: Literal["ownership", "dkim", "dkim_next", "spf", "dmarc", "return_path"] = Field(
        description="What it is for. `dkim_next` is of the key that signs once the record was seen."
    )
    type: Literal["TXT", "CNAME"]
    name: str = Field(description="The whole name of the record.", examples=["_penguinmails.example.com"])
    value: str = Field(description="What to publish. Your DNS provider splits long values by itself.")
    required: bool = Field(description="Whether the domain is verified only with it.")
    status: Literal["unchecked", "valid", "missing", "invalid", "unreachable"] = Field(
        description="`unreachable`: the name servers gave no answer, which counts neither for nor against the domain."
    )
    found: list[str] = Field(description="What is published, where something is.")


class PreviousRecord(ResponseModel):
    """A DNS record that is soon wanted no more."""

    name: str = Field(examples=["pm1._domainkey.example.com"])
    needed_until: datetime = Field(description="From then on it may be taken out of DNS.")


class Domain(ResponseModel):
    """A domain that the account sends from, or will."""

    unversioned: ClassVar = {
        "verification_attempts": True,
        "last_verified_at": True,
        "next_check_at": True,
        "updated_at": True,
    }

    id: UUID
    domain: str = Field(description="In its ASCII form, as DNS has it.", examples=["xn--bcher-kva.example"])
    display_name: str = Field(description="As people write it.", examples=["bücher.example"])
    workspace_id: UUID | None
    verification_status: Status = Field(
        description="`pending` until all required records were seen; `failed` when they were there and are gone."
    )
    verification_error: str | None = Field(description="What the last check found wanting.")
    verification_attempts: int = Field(description="How often DNS was asked.")
    verified_at: datetime | None = Field(description="Since when it is verified, or when it last became so.")
    last_verified_at: datetime | None = Field(description="When all required records were last seen.")
    next_check_at: datetime | None = Field(description="When DNS is asked next by itself; null: only when you ask.")
    dns_records: list[Record]
    dkim_selector: str = Field(description="Of the key that mail is signed with.", examples=["pm1"])
    next_dkim_selector: str | None = Field(
        description="Of the key that waits for its record; null outside a rotation.", examples=[None]
    )
    dkim_rotated_at: datetime | None = Field(description="When the signing key was last replaced.", examples=[None])
    previous_dkim_record: PreviousRecord | None = Field(
        description="The record of the key before, while mail that it has signed may still be under way.",
        examples=[None],
    )
    created_at: datetime
    updated_at: datetime


class DomainRecords(ResponseModel):
    """The records of a domain."""

    domain: str
    records: list[Record]


class DeletedDomain(ResponseModel):
    """The confirmation of a deletion; the signing key is gone too."""

    deleted: Literal[True] = True
    id: UUID
