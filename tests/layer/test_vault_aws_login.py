"""Login to Vault by a function's AWS role, as far as it goes without AWS: what is sent is what AWS would accept."""

import hashlib
import hmac
import json
from base64 import b64decode

import pytest

from penguinmails.vault import VaultUnavailable, read_secret
from tests.support.vaults import Wire, using


def test_in_aws_the_login_is_a_signed_question_who_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checked as AWS does: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html."""
    for name, value in (("ACCESS_KEY_ID", "AKID"), ("SECRET_ACCESS_KEY", "very-private"), ("SESSION_TOKEN", "session")):
        monkeypatch.setenv(f"AWS_{name}", value)
    wire = Wire("http://127.0.0.1:1", refuse_with=400)
    with (
        using({"VAULT_AUTH_METHOD": "aws", "VAULT_ROLE": "api-service", "VAULT_ADDR": wire.address}),
        pytest.raises(VaultUnavailable),
    ):
        read_secret("api_keys/x/y")
    wire.close()

    sent = json.loads(wire.requests[0].body)
    url, body = (b64decode(sent[f"iam_request_{part}"]).decode() for part in ("url", "body"))
    headers = {name.lower(): values[0] for name, values in json.loads(b64decode(sent["iam_request_headers"])).items()}
    assert wire.requests[0].path == "/v1/auth/aws/login"
    assert (sent["role"], sent["iam_http_request_method"]) == ("api-service", "POST")
    assert (url, body) == ("https://sts.amazonaws.com/", "Action=GetCallerIdentity&Version=2011-06-15")
    assert (headers["x-vault-aws-iam-server-id"], headers["x-amz-security-token"]) == ("127.0.0.1", "session")
    _, given = headers["authorization"].split("SignedHeaders=")
    signed, signature = given.split(", Signature=")
    assert {"host", "x-amz-date", "x-vault-aws-iam-server-id"} <= set(signed.split(";"))
    assert signature == _signature("very-private", signed, headers, body)
    assert b"very-private" not in b"".join(request.body for request in wire.requests)


def _signature(secret: str, signed: str, headers: dict[str, str], body: str) -> str:
    listed = "".join(f"{name}:{headers[name]}\n" for name in signed.split(";"))
    canonical = "\n".join(("POST", "/", "", listed, signed, hashlib.sha256(body.encode()).hexdigest()))
    date = headers["x-amz-date"][:8]
    scope = f"{date}/us-east-1/sts/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()
