"""The page that explains every error code."""

import re
from functools import lru_cache
from html import escape

from docs.service import Document, page
from penguinmails import errors
from penguinmails.errors import DomainError

WHAT_TO_DO = {
    "AUTHENTICATION_REQUIRED": "Send an API key or an access token as <code>Authorization: Bearer …</code>. "
    "If a session has ended, sign in again.",
    "CAMPAIGN_NOT_FOUND": "Check the id. A test key sees the campaigns of test mode only, a live key those of live mode.",
    "IDEMPOTENCY_IN_PROGRESS": "Wait for the seconds in <code>Retry-After</code> and send the same request again; "
    "you will get the answer of the first one.",
    "IDEMPOTENCY_KEY_REUSED": "Use a new <code>Idempotency-Key</code> for every new request, and the same one only "
    "to repeat a request unchanged.",
    "INSUFFICIENT_PERMISSIONS": "Compare <code>required_scopes</code> with <code>available_scopes</code> in the "
    "answer. Use a key that has the scope, or ask an owner or admin of your account for the role.",
    "INTERNAL_SERVER_ERROR": "Try again later, with the same <code>Idempotency-Key</code> if you sent one. If it "
    "fails again, quote the <code>request_id</code> to support.",
    "INVALID_API_KEY": "Check that the whole key was sent and that it is neither revoked nor expired. Keys cannot "
    "be looked up again: make a new one when in doubt.",
    "INVALID_STATE_TRANSITION": "Read the resource to see its present state; <code>detail</code> says which states "
    "allow the action.",
    "INVALID_TIME_RANGE": "Let the start lie before the end.",
    "DOMAIN_NOT_VERIFIED": "Add the domain with <code>POST /api/v1/domains</code>, publish the DNS records that it lists, and "
    "verify it; or leave the sender out, and the mail comes from the platform's own address.",
    "KEY_LIMIT_REACHED": "Revoke keys that are no longer used, or move to a larger plan.",
    "METHOD_NOT_ALLOWED": "The <code>Allow</code> header lists the methods of this path.",
    "MISSING_REQUIRED_FIELD": "Add the fields that <code>errors</code> names.",
    "POSTAL_ADDRESS_MISSING": "Set the account's postal address with <code>PUT /api/v1/account/sender</code>: laws against "
    "spam demand it in the footer of commercial mail.",
    "NO_RECIPIENTS": "Choose a list, segment or workspace that holds contacts, or enrol some, then start the campaign.",
    "PAYLOAD_TOO_LARGE": "Send less per request: fewer items, or upload attachments first (`POST /emails/attachments`).",
    "PRECONDITION_FAILED": "Somebody changed the resource since you read it. Read it again, apply your change to "
    "what you get, and send its new <code>ETag</code> in <code>If-Match</code>.",
    "QUOTA_EXCEEDED": "Wait for the next month, raise the quota of the key, or move to a larger plan; "
    "<code>detail</code> says which limit it was.",
    "RATE_LIMIT_EXCEEDED": "Wait for the seconds in <code>Retry-After</code>. Spread requests evenly, and double "
    "the pause after each further refusal.",
    "REAUTHENTICATION_REQUIRED": "Confirm your password with <code>POST /sessions/step-up</code> and send the token "
    "as <code>X-Reauth-Token</code>.",
    "RECIPIENT_SUPPRESSED": "The address bounced, complained or opted out. Do not send to it; remove it from your lists.",
    "RESOURCE_CONFLICT": "Read the resource and decide anew; <code>detail</code> says what stands in the way.",
    "RESOURCE_NOT_FOUND": "Check the id and the path. A test key sees test data only, a live key live data only.",
    "REVOCATION_PENDING": "Nothing: the change is stored. After the seconds in <code>Retry-After</code> it is in "
    "force everywhere.",
    "SECOND_FACTOR_ENROLMENT_REQUIRED": "Enrol a second factor with <code>POST /me/second-factor</code>, confirm it, and "
    "sign in again with a code of it.",
    "SECOND_FACTOR_REQUIRED": "Ask the user for the code of their authenticator app, or for a recovery code, and send it "
    "as <code>code</code> with the same e-mail address and password.",
    "SERVICE_UNAVAILABLE": "Send the same request again after the seconds in <code>Retry-After</code>.",
    "SUBSCRIPTION_SUSPENDED": "Settle the subscription in the console, or ask support to reinstate it.",
    "UNSUPPORTED_MEDIA_TYPE": "Send JSON, with <code>Content-Type: application/json</code>.",
    "VALIDATION_ERROR": "Correct the fields that <code>errors</code> names: each has a path, a reason and a code.",
    "VAULT_SEALED": "An operator has to unseal Vault.",
}
"""HTML per code. A code without an entry fails a test."""


def codes() -> dict[str, type[DomainError]]:
    """Every code that an answer can carry, in alphabetical order, with the class that defines it."""
    return dict(sorted((kind.code, kind) for kind in vars(errors).values() if _is_error(kind)))


def _is_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, DomainError)


@lru_cache(maxsize=1)
def catalogue() -> Document:
    """One section per code; its id is the code, which is what the `type` address of a problem ends with."""
    found = codes()
    links = "\n".join(
        f'<li><a href="#{code}"><code>{code}</code></a> {kind.status}</li>' for code, kind in found.items()
    )
    return page("errors.html", links=links, sections="\n".join(_section(code, kind) for code, kind in found.items()))


def _as_html(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _section(code: str, kind: type[DomainError]) -> str:
    # The base class has no meaning of its own: it stands for whatever nobody foresaw.
    meaning = "" if kind is DomainError else (kind.__doc__ or "").strip().partition("\n\n")[0]
    return f"""<section id="{code}" aria-labelledby="{code}-heading">
  <h2 id="{code}-heading"><code>{code}</code></h2>
  <p class="status">HTTP {kind.status} · {escape(kind.title)}</p>
  <p>{_as_html(meaning)}</p>
  <p><strong>What to do.</strong> {WHAT_TO_DO.get(code, "")}</p>
</section>"""
