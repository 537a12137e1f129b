"""Every table is closed to other tenants by the database itself, or stands in a list here with the reason why not."""

import os
import re

import psycopg
import pytest

from tests.support.catalogue import ForeignKey, Table, tables

APP = "penguinmails_app"
OTHER_ROLES = {"penguinmails_jobs", "penguinmails_lookup", "penguinmails_erasure", "penguinmails_search"}
CLOSING = "penguinmails_closing"
IMPORT = "penguinmails_import"
OWN_TENANT = "NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid"
OWN_MODE = re.compile(r"mode = (?:\( SELECT )?current_setting\('app\.current_mode'::text, true\)")

PLATFORM_TABLES = {
    "plans": "what the platform sells, the same for all tenants; nobody but a migration writes it",
    "monthly_reports": "the platform's own figures, numbers alone; written by a job, read by staff",
    "response_time_windows": "how fast the platform answered, all calls together",
    "partitioned_tables": "which tables are partitioned by month; read by the upkeep job",
    "schema_migrations": "which migrations have run; no application role may read it",
}
MEASURED = {"monthly_reports", "response_time_windows"}
TENANT_MAY_BE_NULL = {
    "audit_log": "what concerns the platform and no tenant",
    "suppression_list": "the platform-wide list against abuse",
}
ONE_DATA_SET = {
    "account_export_parts": "an export is of all that the account holds",
    "account_exports": "an export is of all that the account holds",
    "api_key_usage": "the key says which mode it is of",
    "provider_accounts": "mails of test mode go to no provider",
    "mail_servers": "mails of test mode go to no server",
    "api_key_usage_daily": "the key says which mode it is of",
    "invitations": "people have no mode",
    "recovery_codes": "people sign in once for both data sets",
    "api_key_usage_sources": "the key says which mode it is of",
    "api_keys": "live and test keys are managed side by side",
    "audit_log": "who did what is one history",
    "link_tokens": "people have no mode",
    "mail_outbox": "the platform's mail to people, who have no mode",
    "pending_removals": "a workspace is of both, and what else is deleted is found by its id",
    "reauth_tokens": "people have no mode",
    "send_paces": "the plan's pace holds for live mail, as no other leaves",
    "sessions": "people have no mode",
    "staff_members": "staff are people of the platform's own tenant",
    "subscriptions": "one plan for both modes",
    "tenant_overrides": "one plan for both modes",
    "tenants": "the tenant itself",
    "usage_counters": "the plan's quota counts live messages alone",
    "user_credentials": "people have no mode",
    "users": "people have no mode",
    "workspace_members": "people have no mode",
    "workspaces": "one organisation of people and mailboxes for both modes",
}
UNIQUE_FOR_ALL_TENANTS = {
    "provider_accounts_endpoint_hash_key": "of random bits",
    "domains_verified_once": "whoever proves a domain first sends from it; nobody else does",
    "api_keys_by_digest": "a presented key is looked up before its tenant is known",
    "invitations_token_hash_key": "a link is looked up before its tenant is known",
    "link_tokens_token_hash_key": "a link is looked up before its tenant is known",
    "reauth_tokens_token_hash_key": "256 random bits; equal ones would be one token for two people",
    "sessions_by_refresh": "a refresh token is looked up before its tenant is known",
    "users_email_key": "an address signs in to exactly one account",
}


def all_tables() -> tuple[Table, ...]:
    return tables(os.environ["MIGRATIONS_DATABASE_URL"])


def tenant_tables() -> list[Table]:
    return [table for table in all_tables() if table.parent is None and table.name not in PLATFORM_TABLES]


def tenant_column(table: Table) -> str:
    return "id" if table.name == "tenants" else "tenant_id"


def test_the_lists_name_only_what_is_there() -> None:
    names = {table.name for table in all_tables()}
    indexes = {index for table in all_tables() for index in table.unique}

    assert names >= {*PLATFORM_TABLES, *TENANT_MAY_BE_NULL, *ONE_DATA_SET}
    assert indexes >= set(UNIQUE_FOR_ALL_TENANTS)


def test_a_platform_table_holds_nothing_of_a_tenant_and_is_read_only_but_for_the_job_that_measures() -> None:
    for table in all_tables():
        if table.name in PLATFORM_TABLES:
            assert not table.has("tenant_id"), f"{table.name} has tenants' rows: protect it"
            for role, rights in table.privileges.items():
                measures = table.name in MEASURED and role == "penguinmails_jobs"
                assert measures or role not in {APP, *OTHER_ROLES} or set(rights) <= {"SELECT"}, table.name


def test_every_other_table_belongs_to_tenants_row_by_row() -> None:
    for table in tenant_tables():
        column = next((c for c in table.columns if c.name == tenant_column(table)), None)
        assert column is not None, f"{table.name}: add tenant_id and protect_tenant_table, or list it with a reason"
        assert column.type == "uuid"
        assert column.not_null != (table.name in TENANT_MAY_BE_NULL), f"{table.name}.tenant_id"


def test_row_security_is_enabled_and_forced_on_every_tenant_table() -> None:
    open_tables = [table.name for table in tenant_tables() if not (table.row_security and table.forced)]

    assert open_tables == []


def test_the_application_reaches_its_own_tenants_rows_alone() -> None:
    for table in tenant_tables():
        (policy,) = [p for p in table.policies if APP in p.roles]
        assert policy.roles == (APP,)
        assert policy.check == policy.using, f"{table.name} lets rows be written that it does not show"
        assert policy.using.count(OWN_TENANT) == 1, f"{table.name}: {policy.using}"
        assert re.search(rf"{tenant_column(table)} = \((?: SELECT \()?{re.escape(OWN_TENANT)}", policy.using), (
            policy.using
        )
        assert " OR " not in policy.using


def test_live_and_test_rows_are_kept_apart_wherever_there_are_two_data_sets() -> None:
    for table in tenant_tables():
        (policy,) = [p for p in table.policies if APP in p.roles]
        separate = bool(OWN_MODE.search(policy.using))
        assert separate != (table.name in ONE_DATA_SET), f"{table.name}: add mode to it, or list it with a reason"
        if separate:
            assert next(c for c in table.columns if c.name == "mode").not_null


def test_only_roles_of_the_platform_have_policies_and_privileges() -> None:
    for table in all_tables():
        assert {role for policy in table.policies for role in policy.roles} <= {APP, *OTHER_ROLES}, table.name
        assert set(table.privileges) - {"postgres", IMPORT, CLOSING} <= {APP, *OTHER_ROLES}, table.name
        # What else these may do, they may as the application.
        assert table.privileges.get(IMPORT, frozenset()) <= {"MAINTAIN"}, table.name
        changed = {"UPDATE"} if table.name == "audit_log" else {"DELETE"}
        assert table.privileges.get(CLOSING, frozenset()) <= {"SELECT", *changed}, table.name


def test_a_privilege_across_tenants_goes_with_a_policy_of_that_role() -> None:
    for table in tenant_tables():
        with_policy = {role for policy in table.policies for role in policy.roles}
        # MAINTAIN reads and writes no row; without a policy ANALYZE needs none.
        reaching_rows = {role for role, rights in table.privileges.items() if rights - {"MAINTAIN"}}
        assert reaching_rows - {"postgres", CLOSING} == with_policy, table.name


def test_partitions_are_reached_through_their_parent_alone() -> None:
    partitions = [table for table in all_tables() if table.parent is not None]

    assert len(partitions) >= 4
    for partition in partitions:
        assert partition.row_security, partition.name
        assert partition.forced, partition.name
        assert partition.policies == (), partition.name
        assert set(partition.privileges) <= {"postgres"}, partition.name


def _crosses_tenants(table: Table, key: ForeignKey, targets: dict[str, Table]) -> str | None:
    target = targets.get(key.target)
    if target is None or key.target == "tenants":
        return None
    pairs = set(zip(key.columns, key.target_columns, strict=True))
    if ("tenant_id", "tenant_id") not in pairs:
        return f"{table.name}.{key.name} accepts another tenant's row of {key.target}: add tenant_id to it"
    if {table.name, target.name}.isdisjoint(ONE_DATA_SET) and ("mode", "mode") not in pairs:
        return f"{table.name}.{key.name} accepts a row of the other mode of {key.target}: add mode to it"
    return None


def test_a_foreign_key_cannot_name_another_tenants_row() -> None:
    targets = {table.name: table for table in tenant_tables()}
    found = [_crosses_tenants(table, key, targets) for table in targets.values() for key in table.foreign_keys]

    assert [fault for fault in found if fault] == []


def test_what_is_unique_is_unique_per_tenant_and_mode() -> None:
    for table in tenant_tables():
        for index, columns in table.unique.items():
            if index in UNIQUE_FOR_ALL_TENANTS or (len(columns) == 1 and index.endswith("_pkey")):
                continue
            wanted = {"tenant_id"} | (set() if table.name in ONE_DATA_SET else {"mode"})
            assert wanted <= set(columns), f"{index} tells one tenant what another one has"


def test_no_role_of_the_platform_bypasses_row_security() -> None:
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname LIKE 'penguinmails%'"
        ).fetchall()
        members = connection.execute(
            "SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members"
            " WHERE member::regrole::text LIKE 'penguinmails%'"
        ).fetchall()

    assert {role for role, *_ in roles} == {APP, IMPORT, CLOSING, *OTHER_ROLES}
    assert [role for role, *powers in roles if any(powers)] == []
    # They are the application, held to the same policies; the one owns staging tables besides, the other removes rows.
    assert sorted(members) == [(CLOSING, APP), (IMPORT, APP)]


@pytest.mark.parametrize("property_", ["search_path", "execute", "owner"])
def test_a_function_with_its_owners_rights_is_a_narrow_door(property_: str) -> None:
    """What runs as somebody else names its schemas, is not open to everybody, and belongs to a role without powers."""
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        functions = connection.execute(
            """
            SELECT p.oid::regproc::text, p.proconfig, r.rolname, has_function_privilege('public', p.oid, 'EXECUTE')
            FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
            WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
            """
        ).fetchall()
    # Only the owner may add, drop and analyse partitions and merge an index's list; these functions take a date, or nothing.
    of_the_owner = {"maintain_partitions", "refresh_webhook_statistics", "merge_search_words"}
    owners = {CLOSING} | OTHER_ROLES | {owner for name, _, owner, _ in functions if name in of_the_owner}

    assert functions
    for name, settings, owner, open_to_all in functions:
        faults = {
            "search_path": "search_path=public, pg_temp" not in (settings or []),
            "execute": open_to_all,
            "owner": owner not in owners or (owner not in {CLOSING, *OTHER_ROLES} and name not in of_the_owner),
        }
        assert not faults[property_], name
