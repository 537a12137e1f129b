"""What the documentation consists of, made once per process."""

import json
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

from penguinmails.domain.api_documents import api_document
from penguinmails.settings import ConfigurationError

_HERE = Path(__file__).parent
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_OURS = ("reference.js", "pages.css")
_SWAGGER_UI = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it is served; `etag` includes its quotes."""

    content: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "Document":
        """A document whose tag is the digest of its content."""
        return cls(content, media_type, f'"{sha256(content).hexdigest()[:32]}"')


def page(name: str, **values: str) -> Document:
    """An HTML page from `static/`, its `$placeholders` filled; values must be HTML already."""
    template = Template((_HERE / "static" / name).read_text())
    html = template.substitute(assets=f"/api/docs/assets/{assets_version()}", **values)
    return Document.of(html.encode(), "text/html; charset=utf-8")


@lru_cache(maxsize=1)
def reference_page() -> Document:
    """The page with Swagger UI in it."""
    return page("reference.html")


@lru_cache(maxsize=len(_OURS) + len(_SWAGGER_UI))
def asset(name: str) -> Document | None:
    """A file that the pages load; None for a name that is none of them."""
    if name in _OURS:
        file = _HERE / "static" / name
    elif name in _SWAGGER_UI:
        file = _swagger_ui() / name
    else:
        return None
    return Document.of(file.read_bytes(), _MEDIA_TYPES[file.suffix])


@lru_cache(maxsize=1)
def assets_version() -> str:
    """Changes whenever one of the assets does."""
    digest = sha256()
    for name in (*_OURS, *_SWAGGER_UI):
        document = asset(name)
        digest.update(document.etag.encode() if document else b"")
    return digest.hexdigest()[:16]


def _swagger_ui() -> Path:
    """Where the package keeps its files; it is found without being imported, because only its files are of use."""
    spec = find_spec("fastapi_swagger")
    if spec is None or spec.origin is None:
        raise ConfigurationError("Swagger UI is not installed; add fastapi-swagger to the dependencies layer.")
    return Path(spec.origin).parent / "resources"


@lru_cache(maxsize=1)
def _openapi() -> dict[str, Any]:
    return api_document(_HERE, "openapi.json")


@lru_cache(maxsize=1)
def openapi_json() -> Document:
    """The document as JSON."""
    return Document.of(json.dumps(_openapi(), ensure_ascii=False).encode(), "application/json")


@lru_cache(maxsize=1)
def openapi_yaml() -> Document:
    """The document as YAML (media type: RFC 9512)."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(_openapi(), Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return Document.of(text.encode(), "application/yaml")
