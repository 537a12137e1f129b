"""A Redis that answers but cannot do its work, as in a failover, is treated like one that is away."""

from collections.abc import Callable

import pytest
import redis

from local.services.process import port_is_taken
from local.services.valkey import Valkey
from me.app import handler as me
from penguinmails import cache
from tests.support.http import call
from tests.support.tenants import TestTenant


def fill_the_memory(server: redis.Redis) -> None:
    server.config_set("maxmemory", 1)


def lose_the_replicas(server: redis.Redis) -> None:
    server.config_set("min-replicas-to-write", 1)


@pytest.mark.parametrize("fall_sick", [fill_the_memory, lose_the_replicas])
def test_requests_are_served_from_the_database_with_an_alarm(
    tenant: TestTenant,
    own_valkey: Valkey,
    fall_sick: Callable[[redis.Redis], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = tenant.key()
    assert call(me, "GET", "/api/v1/me", token=key.plaintext).status == 200
    assert "rate_limit_fail_open" not in capsys.readouterr().out
    with redis.Redis(host="127.0.0.1", port=own_valkey.port) as server:
        fall_sick(server)

    assert call(me, "GET", "/api/v1/me", token=key.plaintext).status == 200
    assert "rate_limit_fail_open" in capsys.readouterr().out


def test_the_seconds_after_a_restart_in_which_the_cluster_is_down_are_no_different(
    tenant: TestTenant, own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tenant.key()
    assert call(me, "GET", "/api/v1/me", token=key.plaintext).status == 200
    own_valkey.stop()
    # Started is what listens here, not what serves: a node refuses commands for two seconds after its start.
    monkeypatch.setattr(Valkey, "_answers", lambda server: port_is_taken(server.port))
    own_valkey.start()
    capsys.readouterr()

    assert call(me, "GET", "/api/v1/me", token=key.plaintext).status == 200
    assert "rate_limit_fail_open" in capsys.readouterr().out


@pytest.mark.parametrize("trouble", [redis.exceptions.MovedError("1 127.0.0.1:1"), redis.ConnectionError("gone")])
def test_a_key_that_is_not_where_it_was_is_asked_for_where_it_is_now(
    own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    cache.command("SET", "moved{test}", "here")

    class Elsewhere:
        def execute_command(self, *_parts: object) -> object:
            raise trouble

    answers: list[object] = [Elsewhere()]
    real = redis.RedisCluster.get_redis_connection
    monkeypatch.setattr(
        redis.RedisCluster,
        "get_redis_connection",
        lambda client, node: answers.pop() if answers else real(client, node),
    )

    assert cache.command("GET", "moved{test}") == b"here"
