"""Who may do what: policies, and which of their rules decides."""

import json
from typing import Any

from local.vault_standin.state import Refused, State

_DENIED = "1 error occurred:\n\t* permission denied\n\n"
_DEFAULT_POLICY = {
    "auth/token/lookup-self": ["read"],
    "auth/token/renew-self": ["update"],
    "auth/token/revoke-self": ["update"],
    "sys/capabilities-self": ["update"],
}
# What Vault guards with `sudo` beside the capability itself.
_NEEDS_SUDO = ("sys/seal", "auth/token/accessors/", "auth/token/revoke-orphan")


def policy(state: State, method: str, name: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Read, write or delete a policy in Vault's JSON form, `{"path": {glob: {"capabilities": [...]}}}`."""
    policies = state.content["policies"]
    if method in {"POST", "PUT"}:
        try:
            for path, rule in json.loads(body["policy"])["path"].items():
                list[str](rule["capabilities"])
                if "+*" in path:
                    raise Refused(400, f'failed to parse policy: path "{path}": invalid use of wildcards')
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Refused(400, "failed to parse policy: the stand-in reads policies in JSON form only") from None
        policies[name] = body["policy"]
        return None
    if method == "DELETE":
        policies.pop(name, None)
        return None
    if name not in policies:
        raise Refused(404)
    return {"data": {"name": name, "policy": policies[name]}}


def _rules(state: State, names: list[str]) -> dict[str, set[str]]:
    rules: dict[str, set[str]] = {path: set(allowed) for path, allowed in _DEFAULT_POLICY.items()}
    for name in names:
        paths = json.loads(state.content["policies"].get(name, '{"path": {}}'))["path"]
        for path, rule in paths.items():
            rules.setdefault(path, set()).update(rule["capabilities"])
    return rules


def _matches(pattern: str, path: str) -> bool:
    """`+` stands for one segment, a `*` at the end for anything."""
    is_prefix = pattern.endswith("*")
    wanted, given = pattern.removesuffix("*").split("/"), path.split("/")
    if len(given) < len(wanted) or (not is_prefix and len(given) > len(wanted)):
        return False
    *firsts, last = wanted
    if any(want not in ("+", have) for want, have in zip(firsts, given, strict=False)):
        return False
    have = given[len(firsts)]
    return have.startswith(last) if is_prefix else last in ("+", have)


def _priority(pattern: str) -> tuple[int, bool, int, int, str]:
    """The rule of https://developer.hashicorp.com/vault/docs/concepts/policies#priority-matching, highest last."""
    wildcards = [position for position, character in enumerate(pattern) if character in "+*"]
    return (
        wildcards[0] if wildcards else len(pattern) + 1,
        not pattern.endswith("*"),
        -pattern.count("+"),
        len(pattern),
        pattern,
    )


def _rule_for(rules: dict[str, set[str]], path: str) -> set[str]:
    """The rule that decides: an exact one before globs; what lies below `folder/` may be ruled as `folder`."""
    bare = path.removesuffix("/")
    for spelling in (path, bare):
        if spelling in rules:
            return rules[spelling]
    for spelling in (bare, path):
        matching = [pattern for pattern in rules if _matches(pattern, spelling)]
        if matching:
            return rules[max(matching, key=_priority)]
    return {"deny"}


def _capabilities(state: State, token: dict[str, Any], path: str) -> set[str]:
    """What the token's policies allow at a path; `deny` alone when that is nothing."""
    if "root" in token["policies"]:
        return {"root"}
    allowed = _rule_for(_rules(state, token["policies"]), path)
    return {"deny"} if "deny" in allowed else allowed


def authorise(state: State, token: dict[str, Any], path: str, capability: str) -> None:
    """Refuse unless a policy of the token allows it."""
    needed = {capability, "sudo"} if path in _NEEDS_SUDO else {capability}
    allowed = _capabilities(state, token, path)
    if allowed != {"root"} and not needed <= allowed:
        raise Refused(403, _DENIED)


def capabilities(state: State, token: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """`sys/capabilities-self`: what the token may do at each of `paths`."""
    return {"data": {path: sorted(_capabilities(state, token, path)) for path in body.get("paths") or []}}
