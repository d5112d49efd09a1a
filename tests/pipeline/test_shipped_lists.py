"""Lists that are shipped and stand in no configuration count as part of the steps that use them."""

from importlib.util import find_spec, module_from_spec

import pytest

from pipeline import plan
from pipeline.grid import settings_fingerprint
from schemas import word_lists
from schemas.config import RunConfig


def fingerprints_now() -> dict[str, str]:
    """What each step's cells are marked with, were the program started afresh."""
    spec = find_spec(plan.__name__)
    assert spec is not None
    assert spec.loader is not None
    afresh = module_from_spec(spec)
    spec.loader.exec_module(afresh)
    return {step.name: settings_fingerprint(step, RunConfig()) for step in afresh.STEPS}


@pytest.mark.parametrize(("changed", "step"), [("wording.yaml", "verify.wording"), ("contrasts.yaml", "survey")])
def test_a_changed_list_makes_the_step_that_uses_it_stale_and_no_other(
    changed: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprints_now()
    assert before == fingerprints_now()
    shipped = word_lists._content
    monkeypatch.setattr(word_lists, "_content", lambda name: shipped(name) + b"\n" * (name == changed))
    after = fingerprints_now()
    assert {name for name in before if before[name] != after[name]} == {step}
