"""Every rule that a judge can give is told to people in words of its own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from data_cards.rules import RULE_WORDS, rule_words
from schemas.label import REVIEW_RULE
from stages.blind.leakage import Shown
from tests.product import ROOT

JUDGES = sorted([*(ROOT / "stages").rglob("*.py"), *(ROOT / "annotators" / "judges").glob("*.py")])
MADE_WHILE_JUDGING = {"stages/blind/leakage.py", "stages/wording/judge.py"}
"""Where the end of a rule's name is a value: `produced` knows which values there are."""


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def constants(path: Path) -> dict[str, str]:
    """`RULE = "verify.critic"`, `SPAN_RULE = "verify.span"`."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.endswith("RULE")
        and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }  # fmt: skip


def ends(path: Path) -> Iterator[str | None]:
    """`min_score` of `f"{RULE}.min_score"`; None where it is a value."""
    for node in nodes(path):
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.FormattedValue):
            named = node.values[0].value
            end = node.values[1] if len(node.values) > 1 else None
            if not (isinstance(named, ast.Name) and named.id == "RULE" and isinstance(end, ast.Constant)):
                continue
            if len(node.values) == 2 and re.fullmatch(r"\.[a-z_]+", str(end.value)):
                yield str(end.value)[1:]
            elif end.value == ".":
                yield None


def faults() -> Iterator[str]:
    """Names of the faults that `verify.wording` finds: named where they are made, or in a table of name and finder."""
    for path in (ROOT / "stages" / "wording").glob("*.py"):
        for node in nodes(path):
            is_fault = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fault"
            is_table_row = isinstance(node, ast.Tuple) and path.name == "words.py" and len(node.elts) == 2
            first = node.args[:1] if isinstance(node, ast.Call) and is_fault else []
            first = node.elts[:1] if isinstance(node, ast.Tuple) and is_table_row else first
            yield from (one.value for one in first if isinstance(one, ast.Constant) and isinstance(one.value, str))


def produced() -> set[str]:
    """Every rule of a verdict on a label that the code can give."""
    found = {f"verify.leakage.{shown}" for shown in get_args(Shown) if shown != "nothing"}
    found |= {f"verify.wording.{fault}" for fault in faults()}
    for path in JUDGES:
        named = constants(path)
        found |= set(named.values())
        found |= {f"{named['RULE']}.{end}" for end in ends(path) if end is not None}
    return found


def test_the_rules_are_found_in_the_code() -> None:
    rules = produced()
    assert {"verify.span", "verify.evidence.words", "verify.critic.min_score", "verify.leakage.caption"} <= rules
    assert {"verify.wording.control", "verify.wording.option_form", "verify.wording.language"} <= rules
    assert {str(path.relative_to(ROOT)) for path in JUDGES if None in list(ends(path))} == MADE_WHILE_JUDGING


def test_every_rule_of_a_judge_has_words_of_its_own_and_no_words_are_of_a_rule_that_is_gone() -> None:
    assert {rule for rule in RULE_WORDS if rule.startswith("verify.")} == produced()


def test_no_two_rules_are_told_alike() -> None:
    told = [rule_words(rule) for rule in (*sorted(produced()), REVIEW_RULE)]
    assert all(told)
    assert len(set(told)) == len(told)
