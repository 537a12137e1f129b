"""What can go wrong, in the domain's words. Each error knows its stable code and status; HTTP turns it into a problem.

`detail` is shown to the caller, so it says what to do next and never carries a secret or an internal name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that was refused: dotted path (`steps.0.subject`), reason, and a stable machine code."""

    field: str
    message: str
    code: str = "invalid"


class DomainError(Exception):
    """Base of all refusals that a caller may see."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """`members` are added to the problem document as they are, `headers` to the response."""
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members


class ValidationFailed(DomainError):
    """The request is well formed but a value is not acceptable."""

    code = "VALIDATION_ERROR"
    status = 400
    title = "The request is not valid"

    @classmethod
    def of(cls, field: str, message: str, code: str = "invalid") -> "ValidationFailed":
        """A refusal of one field."""
        return cls(f"{field}: {message}", errors=[FieldError(field, message, code)])


class MissingRequiredField(ValidationFailed):
    """A required field or header is absent."""

    code = "MISSING_REQUIRED_FIELD"
    title = "A required field is missing"


class InvalidTimeRange(ValidationFailed):
    """The start lies after the end."""

    code = "INVALID_TIME_RANGE"
    title = "The time range is not valid"


class AuthenticationRequired(DomainError):
    """No credential was presented, or a session that is no longer valid."""

    code = "AUTHENTICATION_REQUIRED"
    status = 401
    title = "Authentication is required"


class SecondFactorRequired(DomainError):
    """The password is right, and the account asks for a code as well."""

    code = "SECOND_FACTOR_REQUIRED"
    status = 401
    title = "A second factor is required"


class SecondFactorEnrolmentRequired(DomainError):
    """The caller must have a second factor for this, and has none yet."""

    code = "SECOND_FACTOR_ENROLMENT_REQUIRED"
    status = 403
    title = "Enrol a second factor first"


class InvalidApiKey(DomainError):
    """The API key is malformed, unknown, revoked or expired; which of these is not told."""

    code = "INVALID_API_KEY"
    status = 401
    title = "The API key is not valid"


class InsufficientPermissions(DomainError):
    """The caller is known but may not do this."""

    code = "INSUFFICIENT_PERMISSIONS"
    status = 403
    title = "The caller may not do this"


class ReauthenticationRequired(InsufficientPermissions):
    """The action needs a fresh step-up token in X-Reauth-Token."""

    code = "REAUTHENTICATION_REQUIRED"
    title = "Confirm your identity first"


class QuotaExceeded(DomainError):
    """A monthly quota or a plan's limit is used up."""

    code = "QUOTA_EXCEEDED"
    status = 403
    title = "The quota is used up"


class SubscriptionSuspended(DomainError):
    """The tenant's subscription does not allow this."""

    code = "SUBSCRIPTION_SUSPENDED"
    status = 403
    title = "The subscription is not active"


class NotFound(DomainError):
    """No such resource for this caller; another tenant's looks the same."""

    code = "RESOURCE_NOT_FOUND"
    status = 404
    title = "There is no such resource"

    @classmethod
    def of(cls, resource: str, identifier: object) -> Self:
        """`NotFound.of("contact", contact_id)`."""
        return cls(f"There is no {resource} {identifier}. Check the id, and that it belongs to your account and mode.")


class CampaignNotFound(NotFound):
    """No such campaign for this caller."""

    code = "CAMPAIGN_NOT_FOUND"
    title = "There is no such campaign"


class MethodNotAllowed(DomainError):
    """The path exists, but not with this method."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    title = "The method is not allowed here"


class Conflict(DomainError):
    """The request contradicts the present state."""

    code = "RESOURCE_CONFLICT"
    status = 409
    title = "The request conflicts with the present state"


class KeyLimitReached(Conflict):
    """The tenant holds as many active API keys as it may."""

    code = "KEY_LIMIT_REACHED"
    title = "No further API key is allowed"


class InvalidStateTransition(Conflict):
    """The resource's state does not allow the action."""

    code = "INVALID_STATE_TRANSITION"
    title = "The present state does not allow this"


class NoRecipients(Conflict):
    """The campaign would reach nobody."""

    code = "NO_RECIPIENTS"
    title = "There is nobody to send to"


class DomainNotVerified(Conflict):
    """Mail is to come from a domain that the account has not verified."""

    code = "DOMAIN_NOT_VERIFIED"
    title = "The sender's domain is not verified"


class PostalAddressMissing(Conflict):
    """Commercial mail without an address of whoever sends it."""

    code = "POSTAL_ADDRESS_MISSING"
    title = "The account has no postal address"


class RecipientSuppressed(Conflict):
    """The address is on a suppression list."""

    code = "RECIPIENT_SUPPRESSED"
    title = "The recipient is suppressed"


class IdempotencyInProgress(Conflict):
    """A request with the same Idempotency-Key is still running."""

    code = "IDEMPOTENCY_IN_PROGRESS"
    title = "The same request is still running"


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key was used with another body."""

    code = "IDEMPOTENCY_KEY_REUSED"
    title = "The idempotency key was used for another request"


class PayloadTooLarge(DomainError):
    """The body is larger than the route accepts."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    title = "The body is too large"


class PreconditionFailed(DomainError):
    """If-Match names a version that is not the present one."""

    code = "PRECONDITION_FAILED"
    status = 412
    title = "The resource has changed"


class UnsupportedMediaType(DomainError):
    """The body is not JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    title = "The content type is not supported"


class VaultSealed(DomainError):
    """Vault is sealed; staff paths say so, others answer ServiceUnavailable."""

    code = "VAULT_SEALED"
    status = 423
    title = "Vault is sealed"


class RateLimitExceeded(DomainError):
    """Too many requests; `retry_after` (seconds) is in the body and in Retry-After."""

    code = "RATE_LIMIT_EXCEEDED"
    status = 429
    title = "Too many requests"

    @classmethod
    def after(cls, seconds: int, detail: str) -> Self:
        """A refusal that says when to come back."""
        return cls(detail, headers={"Retry-After": str(seconds)}, retry_after=seconds)


class ServiceUnavailable(DomainError):
    """Something that the request needs cannot be reached; nothing was changed unless `detail` says so."""

    code = "SERVICE_UNAVAILABLE"
    status = 503
    title = "The service is not available right now"

    @classmethod
    def retry_in(cls, seconds: int, detail: str) -> Self:
        """A refusal that says when to come back."""
        return cls(detail, headers={"Retry-After": str(seconds)}, retry_after=seconds)


class RevocationPending(ServiceUnavailable):
    """The change is committed but could not be announced; it is in force everywhere within `retry_after` seconds."""

    code = "REVOCATION_PENDING"
    title = "The change is stored and takes effect shortly"
