"""Prints what a Vault has to be told once, as commands of its CLI: policies, and logins bound to functions' AWS roles.

`make -s vault-commands ACCOUNT=123456789012 STACK=pm-production | sh`
"""

import argparse
import re
import sys
from pathlib import Path

from local.template import Function, read_template
from local.vault_accounts import ACCOUNTS, TRANSIT_KEY, policy_text

ROOT = Path(__file__).resolve().parents[1]
_DEFAULT_ACCOUNT = "api-service"
_LONGEST_ROLE = 64
_SUFFIX = 13
"""What CloudFormation appends to a role's name: a hyphen and twelve characters."""


def role_pattern(account: str, stack: str, function: str) -> str:
    """The ARN of a function's role, whose end CloudFormation chooses. Raises ValueError when the name gets too long."""
    name = f"{stack}-{function}Role"
    if len(name) + _SUFFIX > _LONGEST_ROLE:
        raise ValueError(
            f"{name} is too long for a role's name, and AWS would shorten it; choose a stack name of at most "
            f"{len(stack) - (len(name) + _SUFFIX - _LONGEST_ROLE)} characters."
        )
    return f"arn:aws:iam::{account}:role/{name}-*"


def commands(functions: dict[str, Function], account: str, stack: str) -> list[str]:
    """A policy for each service account that a function uses, and the login of these functions."""
    users: dict[str, list[str]] = {}
    for function in functions.values():
        users.setdefault(function.environment.get("VAULT_ROLE", _DEFAULT_ACCOUNT), []).append(function.name)
    lines = ["vault secrets enable -path=transit transit || true", f"vault write -f transit/keys/{TRANSIT_KEY}"]
    for service in ACCOUNTS:
        if service.name not in users:
            continue
        bound = ",".join(role_pattern(account, stack, name) for name in users[service.name])
        lines.append(f"vault policy write {service.name} - <<'END'\n{policy_text(service.rules)}\nEND")
        lines.append(
            f"vault write auth/aws/role/{service.name} auth_type=iam policies={service.name}"
            f" token_ttl={service.token_seconds} token_max_ttl={service.most_seconds} bound_iam_principal_arn='{bound}'"
        )
    return lines


def main() -> int:
    """Entry point; 1 with a sentence for a wrong account or stack."""
    parser = argparse.ArgumentParser(prog="make vault-commands")
    parser.add_argument("account", help="id of the AWS account, twelve digits")
    parser.add_argument("stack", help="name of the CloudFormation stack")
    arguments = parser.parse_args()
    if not re.fullmatch(r"\d{12}", arguments.account):
        print(f"{arguments.account!r} is no AWS account; give its twelve digits as ACCOUNT=", file=sys.stderr)
        return 1
    try:
        found = commands(read_template(ROOT / "template.yaml").functions, arguments.account, arguments.stack)
    except ValueError as error:
        print(str(error), file=sys.stderr)
        return 1
    print("set -eu\n" + "\n".join(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
