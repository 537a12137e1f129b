"""Who somebody is: tokens, and the service accounts (AppRole) that log in for them."""

import hashlib
import ipaddress
import secrets
import time
import uuid
from typing import Any

from local.vault_standin.state import Refused, State

_INVALID_TOKEN = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# ---- tokens ----------------------------------------------------------------------------------------------------------


def new_token(state: State, *, policies: list[str], seconds: int, max_seconds: int, name: str) -> str:
    """Issue a token; one of 0 seconds does not expire. The file keeps its digest only."""
    token = "hvs." + secrets.token_urlsafe(66)
    now = time.time()
    state.content["tokens"][_digest(token)] = {
        "accessor": secrets.token_urlsafe(18),
        "policies": policies,
        "name": name,
        "ttl": seconds,
        "created": now,
        "expires": now + seconds if seconds else None,
        "ends": now + max_seconds if max_seconds else None,
    }
    return token


def token_of(state: State, token: str) -> dict[str, Any]:
    """What a token stands for; refused when it is missing, unknown or over."""
    if not token:
        raise Refused(403, "permission denied")
    found = state.content["tokens"].get(_digest(token))
    if found is None or _is_over(found):
        raise Refused(403, _INVALID_TOKEN)
    return found


def _is_over(token: dict[str, Any]) -> bool:
    return token["expires"] is not None and token["expires"] <= time.time()


def forget_expired(state: State) -> None:
    """Drop the tokens that are over."""
    tokens = state.content["tokens"]
    state.content["tokens"] = {digest: token for digest, token in tokens.items() if not _is_over(token)}


def token_request(state: State, action: str, plaintext: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """`auth/token/...`: lookup-self, renew-self, revoke-self, revoke, accessors and revoke-accessor."""
    own = token_of(state, plaintext)
    if action == "lookup-self":
        left = 0 if own["expires"] is None else int(own["expires"] - time.time())
        return {
            "data": {
                "accessor": own["accessor"],
                "creation_time": int(own["created"]),
                "creation_ttl": own["ttl"],
                "display_name": own["name"],
                "id": plaintext,
                "num_uses": 0,
                "policies": own["policies"],
                "renewable": own["expires"] is not None,
                "ttl": left,
                "type": "service",
            }
        }
    if action == "renew-self":
        if own["expires"] is None:
            raise Refused(400, "lease is not renewable")
        own["expires"] = min(time.time() + own["ttl"], own["ends"] or float("inf"))
        return _login_answer(plaintext, own, int(own["expires"] - time.time()))
    if action in {"revoke-self", "revoke"}:
        target = plaintext if action == "revoke-self" else body.get("token", "")
        state.content["tokens"].pop(_digest(target), None)
        return None
    if action == "accessors":
        return {"data": {"keys": [token["accessor"] for token in state.content["tokens"].values()]}}
    if action == "revoke-accessor":
        return _revoke_accessor(state, body.get("accessor", ""))
    raise Refused(404)


def _revoke_accessor(state: State, accessor: str) -> None:
    tokens = state.content["tokens"]
    found = [digest for digest, token in tokens.items() if token["accessor"] == accessor]
    if not found:
        raise Refused(400, "invalid accessor")
    del tokens[found[0]]


def _login_answer(plaintext: str, token: dict[str, Any], seconds: int) -> dict[str, Any]:
    return {
        "data": None,
        "auth": {
            "client_token": plaintext,
            "accessor": token["accessor"],
            "policies": token["policies"],
            "token_policies": token["policies"],
            "metadata": {"role_name": token["name"]},
            "lease_duration": seconds,
            "renewable": True,
            "token_type": "service",
            "orphan": True,
            "num_uses": 0,
        },
    }


# ---- service accounts ------------------------------------------------------------------------------------------------

_ROLE_FIELDS: dict[str, Any] = {
    "token_policies": [],
    "token_ttl": 0,
    "token_max_ttl": 0,
    "token_bound_cidrs": [],
    "secret_id_ttl": 0,
    "secret_id_num_uses": 0,
    "secret_id_bound_cidrs": [],
}


def role_request(state: State, method: str, name: str, action: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """`auth/approle/role/<name>[/role-id|/secret-id]`."""
    roles = state.content["roles"]
    if method in {"POST", "PUT"} and not action:
        role = roles.setdefault(name, {**_ROLE_FIELDS, "role_id": str(uuid.uuid4()), "secret_ids": {}})
        role.update({key: _field(key, body[key]) for key in _ROLE_FIELDS.keys() & body.keys()})
        return None
    if name not in roles:
        raise Refused(404)
    role = roles[name]
    if method == "DELETE" and not action:
        del roles[name]
        return None
    if method == "GET" and not action:
        return {"data": {"bind_secret_id": True, **{key: role[key] for key in _ROLE_FIELDS}}}
    if method == "GET" and action == "role-id":
        return {"data": {"role_id": role["role_id"]}}
    if method in {"POST", "PUT"} and action == "secret-id":
        return {"data": _new_secret_id(role)}
    raise Refused(404)


def _field(name: str, value: Any) -> Any:
    """Durations may come as `1200` or `"1200s"`, lists as such or with commas."""
    if not isinstance(value, str):
        return value
    if isinstance(_ROLE_FIELDS[name], list):
        return [part for part in value.split(",") if part]
    try:
        return int(value.removesuffix("s"))
    except ValueError:
        raise Refused(400, f"{name}: the stand-in reads durations in seconds only") from None


def _new_secret_id(role: dict[str, Any]) -> dict[str, Any]:
    secret_id, accessor = str(uuid.uuid4()), str(uuid.uuid4())
    seconds = role["secret_id_ttl"]
    role["secret_ids"][_digest(secret_id)] = {
        "accessor": accessor,
        "expires": time.time() + seconds if seconds else None,
        "uses_left": role["secret_id_num_uses"] or None,
    }
    return {
        "secret_id": secret_id,
        "secret_id_accessor": accessor,
        "secret_id_num_uses": role["secret_id_num_uses"],
        "secret_id_ttl": seconds,
    }


def log_in(state: State, body: dict[str, Any], address: str) -> dict[str, Any]:
    """`auth/approle/login`."""
    role_id, secret_id = body.get("role_id"), body.get("secret_id")
    if not role_id:
        raise Refused(500, "failed to determine alias name from login request")
    for role in state.content["roles"].values():
        if role["role_id"] == role_id and _accepts(role, str(secret_id or ""), address):
            token = new_token(
                state,
                policies=["default", *role["token_policies"]],
                seconds=role["token_ttl"] or role["token_max_ttl"],
                max_seconds=role["token_max_ttl"],
                name="approle",
            )
            return _login_answer(token, token_of(state, token), role["token_ttl"] or role["token_max_ttl"])
    raise Refused(400, "invalid role or secret ID")


def _accepts(role: dict[str, Any], secret_id: str, address: str) -> bool:
    found = role["secret_ids"].get(_digest(secret_id))
    if found is None or (found["expires"] is not None and found["expires"] <= time.time()):
        return False
    networks = role["secret_id_bound_cidrs"]
    if networks and not any(ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in networks):
        return False
    if found["uses_left"] is not None:
        found["uses_left"] -= 1
        if found["uses_left"] == 0:
            del role["secret_ids"][_digest(secret_id)]
    return True
