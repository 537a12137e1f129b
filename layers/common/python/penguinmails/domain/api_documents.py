"""The committed OpenAPI documents, as an installation serves them."""

import json
from pathlib import Path
from typing import Any

from penguinmails.settings import get_settings


def api_document(folder: Path, name: str) -> dict[str, Any]:
    """A document with this installation's own address as the server, so that trying it out stays here.

    `folder` is the function's own, where the build puts the document; in a checkout it stands at the root.
    """
    beside_us, in_a_checkout = folder / name, folder.parents[1] / name
    document = json.loads((beside_us if beside_us.exists() else in_a_checkout).read_text())
    document["servers"] = [{"url": f"{get_settings().public_url}/api/v1", "description": "This installation"}]
    return document
