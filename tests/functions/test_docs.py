"""The documentation: reference page, OpenAPI document, error codes."""

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from docs import error_pages
from docs.app import handler
from penguinmails.errors import DomainError, NotFound
from penguinmails.http.problems import problem_type
from penguinmails.settings import get_settings
from tests.support.http import Answer, call

ROOT = Path(__file__).resolve().parents[2]
PATHS = ["/api/docs", "/api/docs/openapi.json", "/api/docs/openapi.yaml", "/api/docs/errors"]


def _get(path: str, **request: object) -> Answer:
    return call(handler, "GET", path, **request)


class _Page(HTMLParser):
    """Collects what a page loads and whether anything in it is inline."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.inline: list[str] = []
        self._open_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {given["id"] or ""} if "id" in given else set()
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self._open_script = tag in {"script", "style"}
        if tag == "a":
            self.links.append(given.get("href") or "")
        elif tag in {"script", "link", "img"}:
            self.loads.append(given.get("src") or given.get("href") or "")

    def handle_data(self, data: str) -> None:
        if self._open_script and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open_script = False


@pytest.mark.parametrize("path", PATHS)
def test_anyone_may_read_and_every_cache_may_keep_it(path: str) -> None:
    answer = _get(path)

    assert answer.status == 200
    assert answer.headers["cache-control"].startswith("public, max-age=")
    assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])


@pytest.mark.parametrize("path", PATHS)
def test_a_cached_answer_carries_nobody_s_rate_limit(path: str) -> None:
    assert [name for name in _get(path).headers if "ratelimit" in name] == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_a_client_that_has_it_already_gets_304_without_a_body(path: str, form: str) -> None:
    etag = _get(path).headers["etag"]

    answer = _get(path, headers={"If-None-Match": form.replace("{}", etag)})

    assert (answer.status, answer.body, answer.headers["etag"]) == (304, "", etag)


def test_another_etag_gets_the_whole_document() -> None:
    assert _get("/api/docs", headers={"If-None-Match": '"0123"'}).status == 200


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/errors"])
def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(path: str) -> None:
    answer = _get(path)
    policy = answer.headers["content-security-policy"]

    assert "unsafe" not in policy
    assert "://" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert _Page(answer.body).inline == []


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/errors"])
def test_everything_that_a_page_loads_is_there_and_may_be_kept_for_good(path: str) -> None:
    loads = _Page(_get(path).body).loads

    assert loads
    for address in loads:
        asset = _get(address)
        assert asset.status == 200, address
        assert "immutable" in asset.headers["cache-control"]
        kind = {"js": "text/javascript", "css": "text/css", "png": "image/png"}[address.rpartition(".")[2]]
        assert asset.headers["content-type"].startswith(kind)


def test_an_asset_under_an_outdated_address_is_not_kept_for_good() -> None:
    answer = _get("/api/docs/assets/0000000000000000/pages.css")

    assert answer.status == 200
    assert "immutable" not in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fservice.py", "reference.html"])
def test_only_the_assets_of_the_pages_are_served(name: str) -> None:
    answer = _get(f"/api/docs/assets/x/{name}")

    assert (answer.status, answer.code) == (404, "RESOURCE_NOT_FOUND")


def test_swagger_ui_5_comes_from_our_own_origin() -> None:
    page = _Page(_get("/api/docs").body)
    [bundle] = [address for address in page.loads if address.endswith("swagger-ui-bundle.js")]

    assert bundle.startswith("/api/docs/assets/")
    assert re.search(r'PACKAGE_VERSION:"5\.', _get(bundle).body)


def test_the_reference_sends_nothing_to_a_validator_and_stores_no_key() -> None:
    script = _get("/api/docs/assets/x/reference.js").body

    assert "validatorUrl: null" in script
    assert "persistAuthorization: false" in script
    assert "queryConfigEnabled: false" in script


def test_the_document_is_the_committed_one_with_this_installation_as_its_server() -> None:
    committed = json.loads((ROOT / "openapi.json").read_text())

    served = _get("/api/docs/openapi.json").json

    assert served.pop("servers")[0]["url"] == f"{get_settings().public_url}/api/v1"
    del committed["servers"]
    assert served == committed


def test_the_yaml_form_says_the_same() -> None:
    answer = _get("/api/docs/openapi.yaml")

    assert answer.headers["content-type"] == "application/yaml"
    assert yaml.safe_load(answer.body) == _get("/api/docs/openapi.json").json


def test_staff_endpoints_are_not_published() -> None:
    assert [path for path in _get("/api/docs/openapi.json").json["paths"] if path.startswith("/admin")] == []


def test_the_type_of_every_problem_leads_to_its_section() -> None:
    page = _Page(_get("/api/docs/errors").body)

    for code in error_pages.codes():
        path, _, anchor = problem_type(code).removeprefix(get_settings().public_url).partition("#")
        assert path == "/api/docs/errors"
        assert anchor in page.ids
        assert f"#{code}" in page.links


def test_every_code_of_the_platform_has_a_section_that_says_what_to_do() -> None:
    def kinds(kind: type[DomainError]) -> set[type[DomainError]]:
        return {kind}.union(*(kinds(below) for below in kind.__subclasses__()))

    assert NotFound in kinds(DomainError)
    assert {kind.code for kind in kinds(DomainError)} == set(error_pages.codes()) == set(error_pages.WHAT_TO_DO)


def test_an_unknown_page_is_a_problem_document() -> None:
    answer = _get("/api/docs/nothing-here")

    assert (answer.status, answer.code) == (404, "RESOURCE_NOT_FOUND")
    assert answer.headers["cache-control"] == "no-store"


def test_writing_is_not_possible() -> None:
    assert call(handler, "POST", "/api/docs", json={}).status == 405


def test_researchers_find_whom_to_tell_of_a_vulnerability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURITY_CONTACT", "mailto:security@example.com")
    get_settings.cache_clear()
    try:
        answer = _get("/.well-known/security.txt")
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.body.splitlines())
    assert fields["Contact"] == "mailto:security@example.com"
    assert fields["Canonical"].endswith("/.well-known/security.txt")
    # RFC 9116, section 2.5.5: in the future, by less than a year.
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert timedelta(days=150) < left < timedelta(days=365)
