"""Addresses that act out what can become of a mail, for keys of test mode. No mail to them ever leaves the platform.

`bounced@simulator.penguinmails.com` bounces; `bounced+anything@...` does too, so that a test can tell its mails apart.
They raise the same events as real outcomes, but bar no address and change no contact: a test can be repeated.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from penguinmails.db import Mode

DOMAIN = "simulator.penguinmails.com"
Behaviour = Literal["delivered", "bounced", "soft-bounced", "complained", "delayed", "suppressed"]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)


def is_simulated(address: str) -> bool:
    """Whether a lower-case address is of the simulator."""
    return address.endswith("@" + DOMAIN)


def behaviour(address: str) -> Behaviour | None:
    """What a lower-case address acts out; None for one that acts out nothing."""
    if not is_simulated(address):
        return None
    name = address.rpartition("@")[0].partition("+")[0]
    return next((known for known in BEHAVIOURS if known == name), None)


def never_written_to(addresses: Sequence[str], mode: Mode | None) -> set[str]:
    """Those that count as suppressed: in test mode the one that acts it out, in live mode all of the simulator."""
    if mode == "test":
        return {address for address in addresses if behaviour(address) == "suppressed"}
    return {address for address in addresses if is_simulated(address)}
