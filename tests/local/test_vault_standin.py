"""The stand-in decides like the real server, whatever the policy."""

import json
from collections.abc import Iterator
from typing import Any

import hvac
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.vault import RunningVault
from local.vault_standin.policies import capabilities, policy
from local.vault_standin.state import State
from tests.support.vaults import NO_SERVER, start_kind

SEGMENTS = st.sampled_from(["secret", "data", "x", "xy", "y"])
PATHS = st.builds(
    lambda parts, end: "/".join(parts) + end, st.lists(SEGMENTS, min_size=1, max_size=4), st.sampled_from(["", "/"])
)
PATTERNS = st.builds(
    lambda parts, end: "/".join(parts) + end,
    st.lists(SEGMENTS | st.just("+"), min_size=1, max_size=4),
    st.sampled_from(["", "*", "/*", "/"]),
).filter(lambda pattern: "+*" not in pattern)
CAPABILITIES = st.just(["deny"]) | st.lists(
    st.sampled_from(["create", "read", "update", "delete", "list"]), min_size=1, unique=True
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVault]:
    """The real one."""
    running = start_kind("server", tmp_path_factory.mktemp("vault"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def visitor(server: RunningVault) -> hvac.Client:
    """Somebody whom one policy speaks of."""
    made = server.operator.auth.token.create(policies=["visitor"])
    return hvac.Client(url=server.address, token=made["auth"]["client_token"])


@NO_SERVER
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=st.dictionaries(PATTERNS, CAPABILITIES, min_size=1, max_size=7),
    paths=st.lists(PATHS, min_size=1, max_size=25, unique=True),
)
def test_the_rule_that_decides_is_the_one_that_vault_takes(
    server: RunningVault, visitor: hvac.Client, tmp_path_factory: pytest.TempPathFactory, rules: Any, paths: list[str]
) -> None:
    text = json.dumps({"path": {pattern: {"capabilities": allowed} for pattern, allowed in rules.items()}})
    server.operator.sys.create_or_update_acl_policy("visitor", text)
    state = State(tmp_path_factory.getbasetemp() / "unused.json")
    policy(state, "PUT", "visitor", {"policy": text})

    decided = visitor.adapter.post("/v1/sys/capabilities-self", json={"paths": paths})["data"]

    ours = capabilities(state, {"policies": ["default", "visitor"]}, {"paths": paths})["data"]
    assert ours == {path: sorted(decided[path]) for path in paths}
