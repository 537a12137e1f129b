"""Texts with variables: what people may write, what they are told, and what they cannot reach."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penguinmails.domain.rendering import (
    MissingVariable,
    TemplateFault,
    UnusableVariables,
    check_variables,
    compile_template,
)

CONTACT = {"contact": {"first_name": "Zoë", "company": None}, "items": [{"name": "Tea", "price": 3}, {"name": "Ink"}]}


def render(source: str, variables: dict[str, Any] | None = None, *, is_html: bool = False) -> str:
    return compile_template(source, is_html=is_html).render(CONTACT if variables is None else variables)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello {{ contact.first_name }}", "Hello Zoë"),
        ("Hello {{ contact['first_name']|upper }}", "Hello ZOË"),
        ("at {{ contact.company }}.", "at ."),
        ("{{ contact.title|default('friend') }}", "friend"),
        ("{{ nickname|default(contact.first_name) }}", "Zoë"),
        ("{% if contact.company %}at {{ contact.company }}{% else %}alone{% endif %}", "alone"),
        ("{% if nickname is defined %}x{% endif %}", ""),
        (
            "{% for i in items %}{{ loop.index }}:{{ i.name }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "1:Tea, 2:Ink",
        ),
        ("{{ items[0].name }} {{ items|length }}", "Tea 2"),
        ("{{ 'a' if contact.company else 'b' }}", "b"),
        ("{{ items|first == items[0] }}", "True"),
    ],
)
def test_a_text_is_filled_in(source: str, text: str) -> None:
    assert render(source) == text


def test_values_are_escaped_in_html_and_left_alone_in_text() -> None:
    values = {"name": "<b>&"}

    assert render("{{ name }}", values, is_html=True) == "&lt;b&gt;&amp;"
    assert render("{{ name }}", values) == "<b>&"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("Hi {{ nickname }}", "nickname"),
        ("Hi {{ contact.nickname }}", "nickname"),
        ("{% if nickname %}x{% endif %}", "nickname"),
        ("{% for x in nicknames %}{% endfor %}", "nicknames"),
        ("{{ items[1].price }}", "price"),
        ("{{ items[7] }}", "7"),
        ("{{ nickname|upper }}", "nickname"),
    ],
)
def test_what_is_not_given_is_named(source: str, name: str) -> None:
    with pytest.raises(MissingVariable) as refusal:
        render(source)

    assert refusal.value.name == name


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("a\n{{ name", 2, "end of"),
        ("{% if x %}", 1, "endif"),
        ("a\nb\n{{ name() }}", 3, "a call"),
        ("{% include 'x' %}", 1, "include"),
        ("{% import 'x' as y %}", 1, "import"),
        ("{% macro f() %}{% endmacro %}", 1, "macro"),
        ("{% set x = 1 %}", 1, "Assign"),
        ("{{ 'a' * 1000000000 }}", 1, "Mul"),
        ("{{ 10 ** 10000000 }}", 1, "Pow"),
        ("{{ x|attr('y') }}", 1, "no filter attr"),
        ("{{ x|pprint }}", 1, "no filter pprint"),
        ("{{ x is callable }}", 1, "no test callable"),
        ("{{ range }}{{ range(10) }}", 1, "a call"),
        ("{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}", 1, "2 deep"),
        ("x" * 500_001, 1, "longer"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(source: str, line: int, words: str) -> None:
    with pytest.raises(TemplateFault) as refusal:
        compile_template(source, is_html=False)

    assert refusal.value.line == line
    assert words in refusal.value.message


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ contact.__class__ }}",
        "{{ contact.items }}",
        "{{ contact.first_name.upper }}",
        "{{ contact['__class__'] }}",
        "{{ loop }}",
        "{{ self }}",
        "{{ items.append }}",
        "{% for i in items %}{{ loop.__class__ }}{% endfor %}",
        "{% for i in items %}{{ loop.changed }}{% endfor %}",
    ],
)
def test_nothing_but_what_was_given_can_be_reached(source: str) -> None:
    with pytest.raises((MissingVariable, TemplateFault)):
        render(source)


def test_a_text_that_grows_too_long_is_stopped() -> None:
    text = compile_template("{% for a in x %}{% for b in x %}{{ s }}{% endfor %}{% endfor %}", is_html=False)

    with pytest.raises(TemplateFault, match="longer"):
        text.render({"x": list(range(1000)), "s": "x" * 1000})


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'LONG'|replace('a', 'LONG') }}",
        "{{ 'a'" + "|replace('a', 'aaaaaaaaaa')" * 10 + " }}",
        "{{ x|join('LONG') }}",
        "{{ 1.5|round(99999999, 'ceil') }}",
        "{{ 'LONG'|replace('a', '<>')|striptags }}",
        "{% for a in 'LONG' %}{% for b in 'LONG' %}{% endfor %}{% endfor %}",
        "{% for a in x %}{% for b in x %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}",
        "{% for a in x %}{{ 'LONG'|upper|first }}{% endfor %}",
    ],
)
def test_what_would_take_long_or_much_memory_is_not_begun(source: str) -> None:
    with pytest.raises(TemplateFault, match="more than a mail needs"):
        render(source.replace("LONG", "a" * 100_000), {"x": list(range(1000))})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ x }}" * 5_000, "holds more than"),
        ("{{ [" + "1," * 6_000 + "] }}", "holds more than"),
        ("{{ x" + "|upper" * 50 + " }}", "nested"),
        ("{% if x %}" * 110 + "{% endif %}" * 110, "nested"),
        ("{{ " + "1" * 5_000 + " }}", "too large"),
        ("{{ 1e999 }}", "too large"),
    ],
)
def test_a_text_that_would_take_long_to_read_is_refused(source: str, words: str) -> None:
    with pytest.raises(TemplateFault, match=words):
        compile_template(source, is_html=True)


def test_a_long_list_with_filters_is_well_within_what_a_text_may_do() -> None:
    rows = [{"name": f"Item {n}", "price": n} for n in range(1000)]
    source = "{% for r in rows %}<td>{{ r.name|upper|truncate(20) }}</td><td>{{ r.price|round(2) }}</td>{% endfor %}"

    assert render(source, {"rows": rows}, is_html=True).count("<td>") == 2000


def test_a_filter_that_does_not_fit_is_an_error_of_the_text() -> None:
    with pytest.raises(TemplateFault, match="filter"):
        render("{{ contact|round }}")


@pytest.mark.parametrize("variables", [{"x": "y" * 70_000}, {"x": list(range(1001))}, {"x": {"y": [[0] * 1001]}}])
def test_variables_have_limits(variables: dict[str, Any]) -> None:
    with pytest.raises(UnusableVariables):
        check_variables(variables)


def test_the_variables_of_a_text_are_listed() -> None:
    found = compile_template("{{ b }}{% for x in a %}{{ x }}{% endfor %}{{ c.d }}", is_html=True)

    assert found.variables == ("a", "b", "c")


@settings(max_examples=300)
@given(st.text(alphabet="{}%# |.ab'\"[]()=loopif endfor*+-_0\n", max_size=80))
def test_any_text_renders_or_is_refused_in_our_words(source: str) -> None:
    with contextlib.suppress(TemplateFault, MissingVariable):
        render(source)
