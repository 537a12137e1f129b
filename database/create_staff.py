"""Makes the first super admin: `DATABASE_URL=... python -m database.create_staff EMAIL NAME`.

The password is asked for, or read from standard input with `--password-stdin`. The database is reached as the
application role. All further staff are added by a super admin over the API; so is a second super admin, who can help
one that has lost phone and recovery codes.
"""

import argparse
import getpass
import os
import sys

from penguinmails import audit
from penguinmails.auth.password_rules import check_password
from penguinmails.auth.passwords import hash_secret
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import transaction
from penguinmails.domain.staff import active_super_admins, add_staff_member
from penguinmails.errors import Conflict, DomainError


def create_first_super_admin(*, email: str, name: str, password: str) -> None:
    """Add a super admin who signs in with this password and can then do nothing but enrol a second factor.

    Raises Conflict when there is one already or the address is taken, ValidationFailed for a weak password.
    """
    email = email.strip().lower()
    check_password(password, email=email)
    hashed = hash_secret(password)
    with transaction(tenant_id=PLATFORM_TENANT_ID, mode="live") as tx:
        if active_super_admins(tx):
            raise Conflict("There is a super admin already, who adds further staff with POST /api/v1/admin/staff.")
        user_id = add_staff_member(
            tx, email=email, name=name, role="super_admin", grants=[], password_hash=hashed, verified=True
        )
        audit.record(
            tx,
            event="staff_added",
            actor_type="system",
            resource_type="staff",
            resource_id=str(user_id),
            severity="warning",
            details={"role": "super_admin"},
        )


def main(arguments: list[str]) -> int:
    """0 when the super admin was made, 1 with a sentence when not."""
    parser = argparse.ArgumentParser(prog="python -m database.create_staff", description="Make the first super admin.")
    parser.add_argument("email")
    parser.add_argument("name")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    wanted = parser.parse_args(arguments)
    if not os.environ.get("DATABASE_URL"):
        sys.stderr.write("Set DATABASE_URL to the database, as the application role.\n")
        return 1
    os.environ.setdefault("ENVIRONMENT", "local")
    password = sys.stdin.readline().rstrip("\n") if wanted.password_stdin else getpass.getpass("Password: ")
    try:
        create_first_super_admin(email=wanted.email, name=wanted.name, password=password)
    except DomainError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    sys.stdout.write(
        f"{wanted.email} is a super admin. Sign in and enrol a second factor; until then nothing else works.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
