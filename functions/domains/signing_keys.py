"""The signing keys of domains: how they are made, and how one takes the place of another (RFC 6376, section 3.1)."""

from functools import partial

from domains import repository
from penguinmails.db import Tx
from penguinmails.domain.secret_rotations import rotation
from penguinmails.domain.sending_domains import DomainRow, find_domain
from penguinmails.errors import Conflict
from penguinmails.ids import new_uuid7
from penguinmails.vault import delete_secret, secret_path, write_secret

_KEY_BITS = 2048


def new_key() -> tuple[str, str]:
    """An RSA key of the length that every receiver takes (RFC 8301): private as PEM, public as a DKIM record has it."""
    import base64

    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode("ascii"), base64.b64encode(public).decode("ascii")


def keep(path: str, domain: str, selector: str, private_key: str) -> None:
    """Put a private key into Vault."""
    write_secret(path, {"domain": domain, "selector": selector, "private_key": private_key}, expected_version=0)


def begin_rotation(tx: Tx, present: DomainRow) -> DomainRow:
    """Make the next key, which is used once its record was seen in DNS; until then mail is signed as before.

    The row is locked. Raises Conflict while the domain is not verified, or another key waits already.
    """
    if present.verification_status != "verified":
        raise Conflict("Nothing is signed with the key of a domain that is not verified. Verify the domain first.")
    if present.next_dkim_selector is not None:
        raise Conflict(
            f"The key of {present.next_dkim_selector} waits for its record already. Publish the record with the purpose "
            "dkim_next, then verify the domain; or give the new key up with DELETE on this path."
        )
    delete_old(tx, present)
    private, public = new_key()
    selector, path = _next_selector(present.dkim_selector), secret_path("dkim", str(tx.tenant_id), str(new_uuid7()))
    repository.begin_rotation(tx, present.id, selector=selector, public_key=public, secret_ref=path)
    with rotation(tx, "dkim"):
        keep(path, present.domain, selector, private)
    return _now(tx, present)


def cancel_rotation(tx: Tx, present: DomainRow) -> DomainRow:
    """Give the next key up. The row is locked. Raises Conflict where none waits."""
    if present.next_secret_ref is None:
        raise Conflict("No new key waits. POST on this path makes one.")
    repository.cancel_rotation(tx, present.id)
    tx.after_commit(partial(delete_secret, present.next_secret_ref))
    return _now(tx, present)


def delete_old(tx: Tx, now: DomainRow) -> DomainRow:
    """Delete the key that a rotation has replaced; its record in DNS stays useful for mail that is on its way."""
    if now.old_secret_ref is None:
        return now
    repository.forget_old_key(tx, now.id)
    tx.after_commit(partial(delete_secret, now.old_secret_ref))
    return _now(tx, now)


def _next_selector(present: str) -> str:
    """Never one that was used before: receivers may keep its record for days."""
    return f"pm{int(present.removeprefix('pm')) + 1}"


def _now(tx: Tx, row: DomainRow) -> DomainRow:
    found = find_domain(tx, row.id)
    if found is None:
        raise LookupError("a locked row is gone")
    return found
