"""The KV version 2 engine: records with versions, check-and-set, deletion in two steps."""

from typing import Any

from local.vault_standin.state import Refused, State, timestamp

_VERSIONS_KEPT = 10


def exists(state: State, kind: str, name: str) -> bool:
    """Whether a write would change something that is there, which decides between `create` and `update`."""
    return kind in {"data", "metadata"} and name in state.content["kv"]["records"]


def config(state: State, method: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """`<mount>/config`."""
    settings = state.content["kv"]["config"]
    if method == "GET":
        return {"data": {**settings, "delete_version_after": "0s"}}
    settings.update({key: body[key] for key in settings.keys() & body.keys()})
    return None


def request(
    state: State, method: str, kind: str, name: str, query: dict[str, str], body: dict[str, Any]
) -> dict[str, Any] | None:
    """`<mount>/<kind>/<name>`."""
    records = state.content["kv"]["records"]
    is_write = method in {"POST", "PUT"}
    if kind == "data":
        if method == "GET":
            return _read(records, name, query)
        return _write(state, name, body) if is_write else _delete_latest(records, name)
    if kind == "metadata":
        if method == "LIST":
            return _list(records, name)
        if method == "GET":
            return _metadata(records, name)
        return _change_metadata(state, name, body) if is_write else _remove(records, name)
    if kind in {"delete", "undelete", "destroy"} and is_write:
        return _mark(records, kind, name, body)
    raise Refused(404)


def _read(records: dict[str, Any], name: str, query: dict[str, str]) -> dict[str, Any]:
    record = records.get(name)
    number = str(int(query.get("version") or 0) or (record["current"] if record else 0))
    version = record["versions"].get(number) if record else None
    if record is None or version is None:
        raise Refused(404)
    found = {"data": version["data"], "metadata": _version(record, int(number))}
    if version["destroyed"] or version["deletion_time"]:
        raise Refused(404, document={"data": {**found, "data": None}})
    return {"data": found}


def _version(record: dict[str, Any], number: int) -> dict[str, Any]:
    version = record["versions"][str(number)]
    return {
        "created_time": version["created_time"],
        "custom_metadata": record["custom_metadata"],
        "deletion_time": version["deletion_time"],
        "destroyed": version["destroyed"],
        "version": number,
    }


def _new_record() -> dict[str, Any]:
    now = timestamp()
    return {
        "current": 0, "oldest": 0, "versions": {}, "custom_metadata": None, "max_versions": 0, "cas_required": False,
        "created_time": now, "updated_time": now,
    }  # fmt: skip


def _write(state: State, name: str, body: dict[str, Any]) -> dict[str, Any]:
    if "data" not in body:
        raise Refused(400, "no data provided")
    settings, records = state.content["kv"]["config"], state.content["kv"]["records"]
    record = records.get(name) or _new_record()
    cas = (body.get("options") or {}).get("cas")
    if cas is None and (settings["cas_required"] or record["cas_required"]):
        raise Refused(400, "check-and-set parameter required for this call")
    if cas is not None and cas != record["current"]:
        raise Refused(400, "check-and-set parameter did not match the current version")
    records[name] = record
    record["current"] += 1
    record["updated_time"] = timestamp()
    record["versions"][str(record["current"])] = {
        "data": body["data"], "created_time": record["updated_time"], "deletion_time": "", "destroyed": False,
    }  # fmt: skip
    kept = record["max_versions"] or settings["max_versions"] or _VERSIONS_KEPT
    for number in sorted(map(int, record["versions"]))[:-kept]:
        del record["versions"][str(number)]
        record["oldest"] = number + 1
    return {"data": _version(record, record["current"])}


def _delete_latest(records: dict[str, Any], name: str) -> None:
    if name in records:
        _mark(records, "delete", name, {"versions": [records[name]["current"]]})


def _mark(records: dict[str, Any], kind: str, name: str, body: dict[str, Any]) -> None:
    numbers = body.get("versions")
    if not numbers:
        raise Refused(400, "no version number provided")
    versions = records.get(name, {"versions": {}})["versions"]
    for version in (versions[str(number)] for number in numbers if str(number) in versions):
        if kind == "delete" and not version["destroyed"]:
            version["deletion_time"] = version["deletion_time"] or timestamp()
        elif kind == "undelete" and not version["destroyed"]:
            version["deletion_time"] = ""
        elif kind == "destroy":
            version.update(destroyed=True, data=None)


def _remove(records: dict[str, Any], name: str) -> None:
    records.pop(name, None)


def _list(records: dict[str, Any], name: str) -> dict[str, Any]:
    prefix = f"{name.rstrip('/')}/" if name.strip("/") else ""
    below = [path.removeprefix(prefix) for path in records if path.startswith(prefix)]
    names = sorted({first + slash for first, slash, _ in (path.partition("/") for path in below)})
    if not names:
        raise Refused(404)
    return {"data": {"keys": names}}


def _metadata(records: dict[str, Any], name: str) -> dict[str, Any]:
    record = records.get(name)
    if record is None:
        raise Refused(404)
    shown = ("cas_required", "created_time", "custom_metadata", "max_versions", "updated_time")
    versions = {
        number: {key: version[key] for key in ("created_time", "deletion_time", "destroyed")}
        for number, version in record["versions"].items()
    }
    return {
        "data": {
            **{key: record[key] for key in shown},
            "current_version": record["current"],
            "oldest_version": record["oldest"],
            "delete_version_after": "0s",
            "versions": versions,
        }
    }


def _change_metadata(state: State, name: str, body: dict[str, Any]) -> None:
    record = state.content["kv"]["records"].setdefault(name, _new_record())
    record.update({key: body[key] for key in ("custom_metadata", "max_versions", "cas_required") if key in body})
