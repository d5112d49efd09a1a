"""Whatever a model says is read: into labels that can stand, or into sentences that say why not."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from annotators import distractors, qa, reasoning
from annotators.annotator import Annotator, Reading
from schemas.asking import AskConfig, DistractorsConfig, QAConfig, ReasoningConfig
from schemas.label import Label
from tests.annotators.questions import PROVENANCE, evidence, qa_label, subject

TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["", "  ", "(B)", "opens it slowly", "from 1.0 s to 1e9 s", "causal_inference", "tvg", "Why?", "x" * 5000,
         "When is it, 2.0 s or 3 seconds?", "\x00\u202e", "None of the above"]
    ),
)  # fmt: skip
TIMES = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1, 10), st.sampled_from([0.0, 4.0, 9.0]))
WHOLE = st.one_of(st.integers(), st.integers(-1, 4))
CLAIMS = st.fixed_dictionaries(
    {
        "quantity": st.sampled_from(["transition", "transition_count", "camera_motion", "text", "colour", "frozen"]),
        "text": TEXTS,
        "value": st.none() | TIMES,
    }
)
SEEN = st.fixed_dictionaries(
    {
        "start_s": TIMES,
        "end_s": TIMES,
        "modality": st.sampled_from(["cut", "motion", "text", "frame"]),
        "observation": TEXTS,
        "claim": st.none() | CLAIMS,
    }
)
BOXES = st.fixed_dictionaries({edge: TIMES | st.floats(0, 1) for edge in ("left", "top", "right", "bottom")})
QUESTIONS = st.fixed_dictionaries(
    {
        "task": TEXTS,
        "question": TEXTS,
        "answer": TEXTS,
        "start_s": TIMES,
        "end_s": TIMES,
        "evidence": st.lists(SEEN, min_size=1, max_size=qa.MOST_EVIDENCE),
    }
)
STEPS = st.fixed_dictionaries(
    {
        "role": st.sampled_from(reasoning.ROLES),
        "text": TEXTS,
        "start_s": TIMES,
        "end_s": TIMES,
        "frame": st.none() | WHOLE,
        "box": st.none() | BOXES,
        "known_evidence": st.lists(WHOLE, max_size=8),
        "new_evidence": st.lists(SEEN, max_size=3),
    }
)
OPEN = qa_label()
CHOICE = qa_label(options=("closes it quickly", "opens it slowly"), answer_index=1)


def read(annotator: Annotator[Any], values: dict[str, Any], config: AskConfig, about: Label | None) -> Reading:
    answer = annotator.answer.model_validate(values)
    reading = annotator.read(subject(about=about), answer, config, PROVENANCE)
    assert reading.labels or reading.problems
    assert all(told.strip() for told in reading.problems)
    clip = subject().clip.span
    for label in reading.labels:
        assert clip.covers(label.span)
        assert all(clip.covers(piece.span) for piece in label.evidence)
    return reading


@given(st.lists(QUESTIONS, min_size=1, max_size=4))
def test_any_questions_are_read(items: list[dict[str, Any]]) -> None:
    for config in (QAConfig(), QAConfig(families=("etbench", "videoespresso"), min_evidence=2)):
        for label in read(qa.ANNOTATOR, {"items": items}, config, None).labels:
            assert label.qa is not None
            assert len(label.evidence) >= config.min_evidence


@given(st.lists(TEXTS, min_size=1, max_size=distractors.MOST_OPTIONS))
def test_any_options_are_read(options: list[str]) -> None:
    for label in read(distractors.ANNOTATOR, {"options": options}, DistractorsConfig(n_options=3), OPEN).labels:
        assert label.qa is not None
        assert label.qa.answer == "opens it slowly"
        assert len(label.qa.options) == 3


@given(st.lists(STEPS, min_size=1, max_size=4))
def test_any_steps_are_read(steps: list[dict[str, Any]]) -> None:
    for about in (OPEN, CHOICE.replace(evidence=(evidence(),))):
        for label in read(reasoning.ANNOTATOR, {"steps": steps}, ReasoningConfig(), about).labels:
            assert label.evidence[: len(about.evidence)] == about.evidence
