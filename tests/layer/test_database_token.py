"""Database passwords made of the function's AWS role."""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from penguinmails import db
from penguinmails.database_token import password_for
from penguinmails.settings import ConfigurationError, get_settings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "postgresql://penguinmails_app@cluster.example:6432/penguinmails?sslmode=verify-full"


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "DATABASE_AUTH": "iam",
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not/a+secret",
        "AWS_SESSION_TOKEN": "session/token+with=signs",
        "AWS_REGION": "eu-west-1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()


@pytest.fixture(autouse=True)
def _settings_end_with_the_test() -> Iterator[None]:
    yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("role")
def test_a_token_is_signed_as_aws_s_own_library_signs_it() -> None:
    with time_machine.travel(NOW, tick=False):
        token = password_for(URL)
        request = AWSRequest("GET", "https://cluster.example:6432/?Action=connect&DBUser=penguinmails_app")
        credentials = Credentials("ASIAEXAMPLE", "not/a+secret", "session/token+with=signs")
        SigV4QueryAuth(credentials, "rds-db", "eu-west-1", expires=900).add_auth(request)

    assert token is not None
    ours, theirs = (parse_qs(urlsplit(text).query) for text in (f"https://{token}", str(request.url)))
    assert ours == theirs
    assert token.startswith("cluster.example:6432/?")


@pytest.mark.usefixtures("role")
def test_each_connection_gets_a_token_of_its_own_time() -> None:
    with time_machine.travel(NOW, tick=False) as traveller:
        first = password_for(URL)
        traveller.shift(60)
        second = password_for(URL)

    assert first != second


def test_without_tokens_the_address_is_used_as_it_is() -> None:
    assert password_for(URL) is None


@pytest.mark.usefixtures("role")
def test_a_process_without_a_role_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ConfigurationError, match="AWS_SECRET_ACCESS_KEY is not set"):
        password_for(URL)


@pytest.mark.usefixtures("role")
def test_the_token_is_the_password_that_the_database_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def connect(_url: str, **options: object) -> object:
        given.update(options)
        raise db.psycopg.OperationalError("seen enough")

    monkeypatch.setattr(db.psycopg, "connect", connect)
    db.close_connection("app")

    with pytest.raises(db.ServiceUnavailable), db.transaction():
        pass

    assert "X-Amz-Signature=" in str(given["password"])


def test_an_unknown_way_to_sign_in_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_AUTH", "kerberos")
    get_settings.cache_clear()

    with pytest.raises(ConfigurationError, match="DATABASE_AUTH"):
        get_settings()
