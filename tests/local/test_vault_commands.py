"""What a Vault is told about the functions of a stack."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from local.template import read_template
from local.vault_accounts import ACCOUNTS
from local.vault_commands import commands, role_pattern

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = read_template(ROOT / "template.yaml").functions
STACKS = [
    environment["global"]["parameters"]["stack_name"]
    for environment in tomllib.loads((ROOT / "samconfig.toml").read_text()).values()
    if isinstance(environment, dict)
]


@pytest.mark.parametrize("stack", STACKS)
def test_every_function_may_log_in_as_its_service_account_and_as_no_other(stack: str) -> None:
    logins = {
        found[1]: found[2].split(",")
        for line in commands(FUNCTIONS, "123456789012", stack)
        if (found := re.search(r"auth/aws/role/(\S+) .*bound_iam_principal_arn='([^']+)'", line))
    }

    for function in FUNCTIONS.values():
        own = role_pattern("123456789012", stack, function.name)
        assert [name for name, bound in logins.items() if own in bound] == [function.environment["VAULT_ROLE"]]


def test_the_policies_are_those_that_the_local_vault_has() -> None:
    rules = {account.name: account.rules for account in ACCOUNTS}
    written = {
        found[1]: json.loads(found[2])
        for line in commands(FUNCTIONS, "123456789012", "pm-dev")
        if (found := re.search(r"vault policy write (\S+) - <<'END'\n(.*)\nEND", line, re.DOTALL))
    }

    assert written
    for name, policy in written.items():
        assert {path: rule["capabilities"] for path, rule in policy["path"].items()} == rules[name]


def test_a_stack_name_that_aws_would_shorten_is_refused_with_the_longest_that_fits() -> None:
    with pytest.raises(ValueError, match="at most 20 characters"):
        role_pattern("123456789012", "a-stack-with-a-very-long-name", "SendCampaignEmailsFunction")
