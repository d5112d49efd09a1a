"""Who may judge whom."""

import pytest

from annotators.judges.panel import bare_model


@pytest.mark.parametrize(
    ("asked", "called"),
    [
        ("gpt-5-mini", "gpt-5-mini-2026-08-07"),
        ("Qwen/Qwen3-VL-8B", "qwen3-vl-8b"),
        ("claude-x", "claude-x-20260501"),
        ("gemma3:latest", "gemma3"),
    ],
)
def test_a_model_is_the_same_by_whatever_name_its_server_has_for_it(asked: str, called: str) -> None:
    assert bare_model(asked) == bare_model(called)


@pytest.mark.parametrize(("one", "other"), [("gpt-5-mini", "gpt-5"), ("qwen3-vl-8b", "qwen3-vl-32b"), ("a-7b", "a-8b")])
def test_sizes_and_variants_are_other_models(one: str, other: str) -> None:
    assert bare_model(one) != bare_model(other)
