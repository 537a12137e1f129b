"""Encryption of single fields: what was encrypted opens in its own place only, and never after a change."""

import dataclasses
import os
from base64 import b64decode, b64encode
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import assume, given
from hypothesis import strategies as st

from penguinmails.crypto import DecryptionFailed, EncryptedField, decrypt_field, encrypt_field

KEYS = st.binary(min_size=32, max_size=32)
PURPOSES = st.text(st.characters(codec="utf-8"), max_size=20)
PATHS = st.text(st.characters(codec="utf-8"), max_size=60)
PLACES = st.fixed_dictionaries({"purpose": PURPOSES, "tenant_id": st.uuids(), "record_path": PATHS})
Place = dict[str, Any]


@given(st.binary(max_size=2_000), KEYS, PLACES)
def test_what_was_encrypted_opens_in_its_place(plaintext: bytes, key: bytes, place: Place) -> None:
    assert decrypt_field(encrypt_field(plaintext, key, **place), key, **place) == plaintext


@given(st.binary(max_size=200), KEYS, PLACES, PLACES, KEYS)
def test_it_opens_nowhere_else(plaintext: bytes, key: bytes, place: Place, other: Place, other_key: bytes) -> None:
    stored = encrypt_field(plaintext, key, **place)

    for name, value in other.items():
        assume(place[name] != value)
        with pytest.raises(DecryptionFailed):
            decrypt_field(stored, key, **{**place, name: value})
    assume(key != other_key)
    with pytest.raises(DecryptionFailed):
        decrypt_field(stored, other_key, **place)


@given(st.data(), st.binary(max_size=200), KEYS, PLACES)
def test_one_changed_bit_anywhere_keeps_it_shut(
    data: st.DataObject, plaintext: bytes, key: bytes, place: Place
) -> None:
    stored = encrypt_field(plaintext, key, **place)
    name = data.draw(st.sampled_from(["ciphertext", "kdf_salt"]))
    content = bytearray(b64decode(getattr(stored, name)))
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8

    with pytest.raises(DecryptionFailed):
        decrypt_field(dataclasses.replace(stored, **{name: b64encode(content).decode()}), key, **place)


@given(st.data(), st.binary(max_size=200), KEYS, PLACES)
def test_a_shortened_or_lengthened_value_keeps_it_shut(
    data: st.DataObject, plaintext: bytes, key: bytes, place: Place
) -> None:
    stored = encrypt_field(plaintext, key, **place)
    name = data.draw(st.sampled_from(["ciphertext", "kdf_salt"]))
    content = b64decode(getattr(stored, name))
    changed = data.draw(
        st.one_of(
            st.integers(0, len(content) - 1).map(lambda end: content[:end]),
            st.binary(min_size=1, max_size=20).map(lambda more: content + more),
        )
    )

    with pytest.raises(DecryptionFailed):
        decrypt_field(dataclasses.replace(stored, **{name: b64encode(changed).decode()}), key, **place)


@given(st.text(), st.text(), KEYS, PLACES)
def test_anything_that_is_not_ours_is_refused_in_one_way(ciphertext: str, salt: str, key: bytes, place: Place) -> None:
    with pytest.raises(DecryptionFailed):
        decrypt_field(EncryptedField(ciphertext, salt), key, **place)


@given(st.binary(max_size=100), KEYS, PLACES)
def test_equal_values_are_stored_differently(plaintext: bytes, key: bytes, place: Place) -> None:
    first, second = (encrypt_field(plaintext, key, **place) for _ in range(2))

    assert first.kdf_salt != second.kdf_salt
    assert b64decode(first.ciphertext)[:16] != b64decode(second.ciphertext)[:16]


@given(st.binary(max_size=200), KEYS, PLACES)
def test_the_stored_form_is_the_documented_one(plaintext: bytes, key: bytes, place: Place) -> None:
    """IV, tag and ciphertext in this order; the key by HKDF from purpose and tenant; the path as associated data."""
    stored = encrypt_field(plaintext, key, **place)
    raw, salt = b64decode(stored.ciphertext), b64decode(stored.kdf_salt)
    iv, tag, content = raw[:16], raw[16:32], raw[32:]
    info = place["purpose"].encode() + str(place["tenant_id"]).encode()
    derived = HKDF(SHA256(), 32, salt, info).derive(key)

    assert (len(salt), len(content), stored.enc_version) == (16, len(plaintext), 1)
    assert AESGCM(derived).decrypt(iv, content + tag, place["record_path"].encode()) == plaintext


def test_a_value_that_is_stored_today_opens_in_every_later_release() -> None:
    """Made by this format's first release; it must never stop opening."""
    stored = EncryptedField(
        "zYAcl2POetoS25wRKaGxhzGuCq1QMFYCQ+j61MXlog0yR6++8d9La3Iw0wnF9PSB+Nr/wbTlzGXfzkLI",
        "LZzTyLwOPWr5GBxgZHoCng==",
    )
    place = {
        "purpose": "smtp",
        "tenant_id": UUID("7b0c1f0e-6d7c-4d1f-9a35-0a8f7e1d2c3b"),
        "record_path": "smtp/7b0c1f0e-6d7c-4d1f-9a35-0a8f7e1d2c3b/admin",
    }

    assert decrypt_field(stored, bytes(range(32)), **place) == b"correct horse battery staple"


def test_a_format_of_a_later_release_is_refused_by_name() -> None:
    place: Place = {"purpose": "smtp", "tenant_id": UUID(int=1), "record_path": "smtp/x"}
    key = os.urandom(32)
    stored = dataclasses.replace(encrypt_field(b"x", key, **place), enc_version=2)

    with pytest.raises(DecryptionFailed, match="format 2"):
        decrypt_field(stored, key, **place)


@given(st.binary(max_size=64).filter(lambda key: len(key) != 32), PLACES)
def test_a_master_key_of_another_length_is_a_mistake_of_ours(key: bytes, place: Place) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encrypt_field(b"x", key, **place)
