"""Writes openapi.json and openapi.staff.json from the functions' routers: `python -m scripts.build_openapi [--check]`.

With `--check` nothing is written: the committed files are compared, which is how a forgotten `make openapi` is noticed.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "functions"), str(ROOT / "layers" / "common" / "python")]

from scripts.openapi.document import Unpublishable, as_text, build, routers  # noqa: E402
from scripts.openapi.downgrade import NotExpressible  # noqa: E402

FILES = (ROOT / "openapi.json", ROOT / "openapi.staff.json")


def main(arguments: list[str]) -> int:
    """0 when the files are as the routers say."""
    try:
        texts = [as_text(document) for document in build(routers())]
    except (Unpublishable, NotExpressible) as error:
        print(error, file=sys.stderr)
        return 1
    outdated = [f for f, text in zip(FILES, texts, strict=True) if not f.exists() or f.read_text() != text]
    if "--check" in arguments:
        for file in outdated:
            print(f"{file.name} is not what the routes say; run 'make openapi' and commit the outcome", file=sys.stderr)
        return 1 if outdated else 0
    for file, text in zip(FILES, texts, strict=True):
        file.write_text(text)
    print(f"written: {', '.join(file.name for file in outdated) or 'nothing, both files were up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
