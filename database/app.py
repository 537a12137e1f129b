"""Lambda handler that migrates the database: in a deploy before any function changes, or invoked by hand with {}.

CodeDeploy asks it too, before it moves calls to the new version of any function. By hand it also makes the first super
admin, since it alone is sure to reach a database that nothing else in the account can connect to.
"""

from typing import Any

from database import traffic_hook
from database.custom_resource import answer, is_custom_resource
from database.migrate import migrate, migration_files
from penguinmails.database_token import password_for
from penguinmails.logging import logger
from penguinmails.settings import get_settings
from penguinmails.vault_client import ask_for_health


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Returns the names of the migrations that were applied; raises when one fails, and ValueError for an unknown event.

    As CloudFormation's custom resource it answers CloudFormation too, so that a failure stops the deploy with the reason.
    """
    if traffic_hook.is_traffic_hook(event):
        return traffic_hook.answer(event, bring_up_to_date)
    if is_custom_resource(event):
        return answer(event, bring_up_to_date, schema=migration_files()[-1].stem)
    if "create_super_admin" in event:
        # Once in the life of an installation: a deploy does not wait for its imports.
        from database.create_staff import create_from_event

        return create_from_event(event)
    if event:
        raise ValueError("Invoke this function with {}, which migrates, or with create_super_admin.")
    return bring_up_to_date()


def bring_up_to_date() -> dict[str, Any]:
    """Migrate, and make sure of Vault, which the functions of this release will need."""
    url = get_settings().migrations_database_url
    applied = migrate(url, report=logger.info, password=password_for(url))
    if get_settings().vault_addr:
        _refuse_without_vault()
    return {"applied": applied}


def _refuse_without_vault() -> None:
    if ask_for_health().get("sealed", True):
        raise RuntimeError("Vault is sealed or not initialised. Unseal it, then deploy again.")
