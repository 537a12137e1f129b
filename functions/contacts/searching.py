"""Searches of contacts: from the terms of a query to a page."""

from collections.abc import Sequence

from contacts import search_rows
from contacts.search import FIELDS, UnknownField, compile_search, custom_keys
from contacts.search_grammar import Term
from contacts.search_rows import Found
from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_among
from penguinmails.domain.contact_search import find_link
from penguinmails.errors import ValidationFailed
from penguinmails.keyset import Keyset


def search_contacts(tx: Tx, keyset: Keyset, terms: Sequence[Term]) -> Found:
    """A page of the contacts that meet all terms. Raises ValidationFailed that names a field or value that cannot be."""
    fields = declared_among(tx, custom_keys(terms))
    try:
        search = compile_search(terms, fields, lambda kind, name: find_link(tx, kind, name))
    except UnknownField as unknown:
        raise ValidationFailed.of("query", _unknown(tx, unknown.name), "unknown_field") from None
    return search_rows.page_of_search(tx, keyset, search)


def _unknown(tx: Tx, name: str) -> str:
    keys = search_rows.first_custom_keys(tx)
    custom = f"; your custom fields are {', '.join(keys)}" if keys else ""
    return (
        f"there is no field {name[:64]}; fields are {', '.join(FIELDS)}{custom}. Declare others with POST /contact-fields,"
        f' or put the term into double quotes to look for it as a word: "{name[:64]}:…"'
    )
