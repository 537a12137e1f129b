"""Steps as a graph: every step leads further down, so that a journey ends, and every step can be reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penguinmails.domain import campaign_texts
from penguinmails.domain.rendering import TemplateFault
from penguinmails.errors import FieldError, ValidationFailed

MAX_EMAILS = 7
_PARTS = {"email": "subject", "wait": "wait", "condition": "condition", "action": "action"}
_BELONG_TO = {
    "template_id": "email", "subject": "email", "html_body": "email", "text_body": "email", "variant_b": "email", "wait": "wait",
    "condition": "condition", "action": "action", "on_true": "condition", "on_false": "condition",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderedStep:
    """A step with its number and those of the steps that come after it; None ends the journey."""

    order: int
    values: dict[str, Any]
    place: int
    """Where it stood in the request, for the path of an error."""
    next: int | None
    on_false: int | None


def ordered(steps: Sequence[dict[str, Any]]) -> list[OrderedStep]:
    """The steps in their order. Raises ValidationFailed that names every fault by its path, `steps.0.subject`."""
    faults = [fault for place, step in enumerate(steps) for fault in _faults_of(step, place)]
    numbers = [step["order"] or place for place, step in enumerate(steps, 1)]
    faults += _faults_of_numbers(numbers)
    if len([step for step in steps if step["type"] == "email"]) > MAX_EMAILS:
        faults.append(FieldError("steps", f"holds more than {MAX_EMAILS} emails", "too_many"))
    if faults:
        raise _refused(faults)
    by_number = sorted(zip(numbers, range(len(steps)), strict=True))
    found = [_linked(number, place, steps[place], len(steps)) for number, place in by_number]
    faults = [*_faults_of_links(found), *_faults_of_conditions(found)]
    if faults:
        raise _refused(faults)
    unreached = _unreached(found)
    if unreached:
        raise _refused(
            [FieldError(f"steps.{s.place}", "is reached from no other step", "unreached") for s in unreached]
        )
    return found


def _refused(faults: list[FieldError]) -> ValidationFailed:
    return ValidationFailed(f"{faults[0].field}: {faults[0].message}", errors=faults)


def _faults_of(step: dict[str, Any], place: int) -> list[FieldError]:
    path, kind = f"steps.{place}", step["type"]
    faults = [
        FieldError(f"{path}.{name}", f"belongs to a step of type {owner}, not {kind}", "misplaced")
        for name, owner in _BELONG_TO.items()
        if step[name] is not None and owner != kind
    ]
    if step[_PARTS[kind]] is None:
        faults.append(FieldError(f"{path}.{_PARTS[kind]}", f"is required for a step of type {kind}", "missing"))
    if kind == "email" and step["html_body"] is None and step["text_body"] is None:
        faults.append(FieldError(f"{path}.html_body", "is required, unless text_body is there", "missing"))
    if kind == "condition" and step["next"] is not None:
        faults.append(FieldError(f"{path}.next", "is on_true and on_false for a condition", "misplaced"))
    return [*faults, *_faults_of_texts(step, path), *_faults_of_action(step, path)]


def _faults_of_texts(step: dict[str, Any], path: str) -> list[FieldError]:
    texts = {name: step[name] for name in ("subject", "html_body", "text_body")}
    for name, text in (step["variant_b"] or {}).items():
        texts[f"variant_b.{name}"] = text
    faults: list[FieldError] = []
    for name, text in texts.items():
        try:
            campaign_texts.check(text or "", is_html=name.endswith("html_body"))
        except TemplateFault as fault:
            faults.append(FieldError(f"{path}.{name}", f"line {fault.line}: {fault.message}", "template"))
    if step["variant_b"] is not None and not any(step["variant_b"].values()):
        faults.append(FieldError(f"{path}.variant_b", "must differ in subject or body", "missing"))
    return faults


def _faults_of_action(step: dict[str, Any], path: str) -> list[FieldError]:
    action = step["action"]
    if action is None:
        return []
    needs = {"add_tag": "tag", "remove_tag": "tag", "add_to_list": "list_id"}.get(action["type"])
    return [
        FieldError(f"{path}.action.{name}", "is required" if name == needs else "does not belong to this action")
        for name in ("tag", "list_id")
        if (action[name] is None) == (name == needs)
    ]


def _faults_of_numbers(numbers: list[int]) -> list[FieldError]:
    if sorted(numbers) == list(range(1, len(numbers) + 1)):
        return []
    return [
        FieldError(f"steps.{place}.order", f"must be a number from 1 to {len(numbers)} that no other step has")
        for place, number in enumerate(numbers)
        if numbers.count(number) > 1 or number > len(numbers)
    ]


def _linked(number: int, place: int, step: dict[str, Any], last: int) -> OrderedStep:
    following = number + 1 if number < last else None
    if step["type"] == "condition":
        return OrderedStep(number, step, place, step["on_true"] or following, step["on_false"] or following)
    ends = step["type"] == "action" and step["action"]["type"] == "exit"
    return OrderedStep(number, step, place, None if ends else step["next"] or following, None)


def _faults_of_links(steps: list[OrderedStep]) -> list[FieldError]:
    return [
        FieldError(f"steps.{step.place}.{name}", "must be the order of a step further down", "not_further_down")
        for step in steps
        for name in ("next", "on_true", "on_false")
        if step.values[name] is not None and not step.order < step.values[name] <= len(steps)
    ]


def _faults_of_conditions(steps: list[OrderedStep]) -> list[FieldError]:
    emails = {step.order for step in steps if step.values["type"] == "email"}
    faults: list[FieldError] = []
    for step in steps:
        condition = step.values["condition"]
        if condition is None:
            continue
        meant = [condition["of"]] if condition["of"] else [number for number in emails if number < step.order]
        if not meant or meant[0] not in emails or meant[0] >= step.order:
            faults.append(FieldError(f"steps.{step.place}.condition.of", "must be an email step before this one"))
    return faults


def _unreached(steps: list[OrderedStep]) -> list[OrderedStep]:
    reached = {1}
    for step in steps:  # in order, and links lead down, so one pass is enough
        if step.order in reached:
            reached |= {number for number in (step.next, step.on_false) if number is not None}
    return [step for step in steps if step.order not in reached]
