"""Lambda handler that migrates the database; invoked by a deploy before traffic shifts."""

from typing import Any

from database.migrate import migrate
from penguinmails.logging import logger
from penguinmails.settings import get_settings


def handler(_event: dict[str, Any], _context: object) -> dict[str, list[str]]:
    """Returns the names of the migrations that were applied; raises when one fails, which stops the deploy."""
    return {"applied": migrate(get_settings().migrations_database_url, report=logger.info)}
