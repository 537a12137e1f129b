"""What a password must be like."""

from penguinmails.auth.passwords import MAX_BYTES
from penguinmails.errors import FieldError, ValidationFailed

MIN_LENGTH = 8


def check_password(password: str, *, email: str, field: str = "password") -> None:
    """Raises ValidationFailed with every rule that the password breaks."""
    broken: list[FieldError] = []
    if len(password) < MIN_LENGTH:
        broken.append(FieldError(field, f"must have at least {MIN_LENGTH} characters", "too_short"))
    if len(password.encode()) > MAX_BYTES:
        broken.append(FieldError(field, f"must not be longer than {MAX_BYTES} bytes", "too_long"))
    if "\x00" in password:
        broken.append(FieldError(field, "must not hold a NUL character", "invalid"))
    if not any(c.isupper() for c in password) or not any(c.islower() for c in password):
        broken.append(FieldError(field, "must have an upper-case and a lower-case letter", "too_simple"))
    if not any(c.isdigit() for c in password):
        broken.append(FieldError(field, "must have a digit", "too_simple"))
    if password.lower() == email.lower():
        broken.append(FieldError(field, "must not be the e-mail address", "too_simple"))
    if broken:
        raise ValidationFailed("; ".join(f"{field}: {e.message}" for e in broken), errors=broken)
