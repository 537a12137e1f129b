"""Database passwords that live for 15 minutes: signed by the function's AWS role, checked by RDS, stored nowhere.

The token is a presigned URL without its scheme
(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html), signed as
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html says. Made here and not by
boto3, which would take longer to load than the connection takes to open.
"""

import hmac
import os
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

from penguinmails import clock
from penguinmails.settings import ConfigurationError, get_settings

_LIFETIME_SECONDS = 900
_SERVICE = "rds-db"
_DEFAULT_PORT = 5432
_ALGORITHM = "AWS4-HMAC-SHA256"


def password_for(url: str) -> str | None:
    """The password of the user that a `postgresql://user@host:port/database` names; None when none is used.

    Raises ConfigurationError when tokens are asked for and the process has no AWS credentials. A token lets somebody
    open a connection; an open one goes on after the token's end.
    """
    if get_settings().database_auth != "iam":
        return None
    parts = urlsplit(url)
    return _token(parts.hostname or "", parts.port or _DEFAULT_PORT, parts.username or "", now=clock.now())


def _token(host: str, port: int, user: str, *, now: datetime) -> str:
    try:
        key_id, secret, region = (
            os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
        )
    except KeyError as missing:
        raise ConfigurationError(
            f"{missing.args[0]} is not set. DATABASE_AUTH=iam needs a function's role; elsewhere set DATABASE_AUTH=none."
        ) from None
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/{region}/{_SERVICE}/aws4_request"
    query = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{key_id}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(_LIFETIME_SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if session := os.environ.get("AWS_SESSION_TOKEN"):
        query["X-Amz-Security-Token"] = session
    signed = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(query.items()))
    empty_body = sha256(b"").hexdigest()
    request = f"GET\n/\n{signed}\nhost:{host}:{port}\n\nhost\n{empty_body}"
    to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (day, region, _SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), sha256)
    return f"{host}:{port}/?{signed}&X-Amz-Signature={hmac.digest(key, to_sign.encode(), sha256).hex()}"
