"""What the import's API and its worker share: which columns mean what, and how a stored file is opened."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from penguinmails.aws import stream_object
from penguinmails.domain.contact_exports import ATTRIBUTE, FIELDS
from penguinmails.errors import FieldError
from penguinmails.tabular.delimited import DelimitedRows, inspect_delimited
from penguinmails.tabular.json_rows import JsonRows, inspect_json
from penguinmails.tabular.layout import Kind, Layout

TEXT_TARGETS: dict[str, int] = {
    "first_name": 100, "last_name": 100, "company": 255, "job_title": 255, "phone": 50, "city": 100, "state": 100,
    "country": 100, "lead_source": 100, "external_id": 255,
}  # fmt: skip
"""Text fields of a contact and the most characters of each."""
TARGETS = ("email", *TEXT_TARGETS, "status", "tags")
_ATTRIBUTE = re.compile(r"^attributes\.[A-Za-z][A-Za-z0-9_.-]{0,63}$")
_NOT_GIVEN = frozenset(FIELDS) - set(TARGETS)
_COMPUTED = {"lead_score", "total_opens", "total_clicks", "last_email_opened_at"}
_ALIASES = {
    "email": ("e_mail", "email_address", "e_mail_address", "mail"),
    "first_name": ("firstname", "given_name", "forename", "vorname", "prenom"),
    "last_name": ("lastname", "surname", "family_name", "nachname", "nom"),
    "company": ("company_name", "organization", "organisation", "account", "account_name", "firma"),
    "job_title": ("title", "position", "role", "jobtitle"),
    "phone": ("phone_number", "telephone", "mobile", "tel"),
    "city": ("town", "ort", "ville"),
    "state": ("region", "province", "state_region"),
    "country": ("country_region", "land", "pays"),
    "lead_source": ("source", "original_source"),
    "external_id": ("id", "contact_id", "record_id", "customer_id"),
    "status": ("subscription_status",),
    "tags": ("tag", "labels"),
}
_OTHER_NAMES = {name: target for target, others in _ALIASES.items() for name in others}


class Rows(Protocol):
    """A file's rows from a position on; see `penguinmails.tabular`."""

    @property
    def position(self) -> int:
        """Where the next row begins."""
        ...

    @property
    def line(self) -> int:
        """The number of the next row."""
        ...

    def __iter__(self) -> Iterator[tuple[int, Sequence[Any]]]:
        """Row numbers and cells."""
        ...


def guess_mapping(header: Sequence[str], custom_fields: Mapping[str, Any]) -> dict[str, str | None]:
    """What each column probably is, by its name; None for what is to be left out. No target is guessed twice.

    Columns that are named as their targets are come first, wherever they stand. Of an export of ours the columns that no
    contact can be given, such as `id` and `source`, are left out, whatever else they could mean.
    """
    own = _NOT_GIVEN if _is_export(header) else frozenset[str]()
    keys = {key.lower(): f"{ATTRIBUTE}{key}" for key in custom_fields}
    exact = {name: name for name in TARGETS} | {target.lower(): target for target in keys.values()}
    guessed: dict[str, str | None] = dict.fromkeys(header)
    for names in (exact, keys, _OTHER_NAMES):
        for column in header:
            if guessed[column] is None and column not in own:
                lowered = column.lower()
                target = names.get(lowered) or names.get(re.sub(r"[^a-z0-9]+", "_", lowered).strip("_"))
                guessed[column] = None if target in guessed.values() else target
    return guessed


def _is_export(header: Sequence[str]) -> bool:
    """Whether all columns are named as exports name them, or some as nobody else does."""
    return not _COMPUTED.isdisjoint(header) or all(
        column in FIELDS or column.startswith(ATTRIBUTE) for column in header
    )


def mapping_faults(mapping: Mapping[str, str | None], header: Sequence[str]) -> list[FieldError]:
    """What is wrong with a mapping of this file's columns."""
    faults = [
        FieldError(
            f"mapping.{column}", f"the file has no such column; it has {', '.join(header[:20])}", "unknown_column"
        )
        for column in mapping
        if column not in header
    ]
    targets = [target for target in mapping.values() if target is not None]
    faults += [
        FieldError(
            f"mapping.{column}", f"must be one of {', '.join(TARGETS)}, attributes.<key>, or null", "unknown_target"
        )
        for column, target in mapping.items()
        if target is not None and target not in TARGETS and not _ATTRIBUTE.match(target)
    ]
    faults += [
        FieldError("mapping", f"{target} is the target of more than one column", "repeated")
        for target in sorted(set(targets))
        if targets.count(target) > 1
    ]
    if "email" not in targets:
        faults.append(FieldError("mapping", "names no column for email, without which there is no contact", "missing"))
    return faults


@contextmanager
def local_copy(key: str) -> Generator[Path]:
    """A stored file on disk, for as long as it is needed."""
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        for chunk in stream_object(key):
            file.write(chunk)
        file.flush()
        yield Path(file.name)


def inspect_file(kind: Kind, key: str, *, encoding: str | None, delimiter: str | None, path: Path | None) -> Layout:
    """How to read a stored file; a workbook is given on disk. Raises FileFault."""
    if path is not None:
        from penguinmails.tabular.xlsx import inspect_xlsx

        return inspect_xlsx(path)
    if kind == "json":
        return inspect_json(stream_object(key))
    return inspect_delimited(stream_object(key), kind, encoding=encoding, delimiter=delimiter)


def open_rows(layout: Layout, key: str, position: int, line: int, path: Path | None) -> Rows:
    """The rows of a stored file from a position on."""
    if path is not None:
        from penguinmails.tabular.xlsx import XlsxRows

        return XlsxRows(path, position)
    reader = JsonRows if layout.kind == "json" else DelimitedRows
    return reader(layout, lambda start: stream_object(key, start), position, line)
