"""Counterfactual captions: one is true, the others differ in the action, and nothing else gives it away."""

from collections import Counter
from typing import Any

import pytest

from annotators.annotator import Abstention, Reading, Request
from annotators.counterfactual import ANNOTATOR, MAX_LENGTH_RATIO, QUESTION, TASK, CounterfactualAnswer
from annotators.facts import measured_facts
from annotators.prompts import fenced, render, shipped
from annotators.subject import ClipSubject
from schemas.asking import CounterfactualConfig
from schemas.evidence import Claim, Evidence
from schemas.judging import EvidenceConfig
from schemas.label import Caption, Label, QAItem, VerifiedLabel
from schemas.provenance import Provenance
from schemas.taxonomy import qa_tasks
from stages.evidence.check import verify_label
from tests.annotators.builders import DESCRIBE, ShotSpec, build_clip

CONFIG = CounterfactualConfig(n_captions=4)
MAKER = Provenance(annotator="caption", annotator_version="1", code_version="1.2.3", model="some-vlm")
WRITER = Provenance(annotator="counterfactual", annotator_version="1", code_version="1.2.3", model="some-llm")
TRUE = "A man in a red coat opens the wooden door of a small house."
CLOSES = {"text": TRUE.replace("opens", "closes"), "action": "closes"}
PAINTS = {"text": TRUE.replace("opens", "paints"), "action": "paints"}
KICKS = {"text": TRUE.replace("opens", "kicks at"), "action": "kicks at"}
KNOCKS = {"text": TRUE.replace("opens", "knocks on"), "action": "knocks on"}
DESCRIPTION, SCAN = build_clip((ShotSpec(camera=("pan_left",)),))


def caption(text: str, level: str = "clip", number: int = 0) -> Label:
    clip = DESCRIPTION.clip
    claim = Claim(quantity="camera_motion", text="pan_left")
    seen = Evidence(span=clip.span, modality="motion", observation="The camera pans.", claim=claim, source="some-vlm")
    return Label(
        label_id=f"{clip.clip_id}-caption-{number:03d}", clip_id=clip.clip_id, kind="caption", span=clip.span,
        caption=Caption.model_validate({"text": text, "level": level}), evidence=(seen,), provenance=MAKER,
    )  # fmt: skip


def subject(*labels: Label, **others: tuple[Label, ...]) -> ClipSubject:
    return ClipSubject(DESCRIPTION, (), {"caption": labels, **others})


SUBJECT = subject(caption(TRUE))


def read(*items: dict[str, Any], about: ClipSubject = SUBJECT, config: CounterfactualConfig = CONFIG) -> Reading:
    return ANNOTATOR.read(about, CounterfactualAnswer.model_validate({"captions": items}), config, WRITER)


def made(reading: Reading) -> tuple[Label, QAItem]:
    assert reading.problems == ()
    (label,) = reading.labels
    assert label.qa is not None
    return label, label.qa


def test_the_clip_s_own_caption_is_the_one_right_option_among_as_many_as_asked_for() -> None:
    label, item = made(read(CLOSES, PAINTS, KICKS))
    assert item.answer == TRUE
    assert sorted(item.options) == sorted((TRUE, CLOSES["text"], PAINTS["text"], KICKS["text"]))
    assert (item.task, item.question, item.reasoning) == (TASK, QUESTION, ())
    assert (label.label_id, label.kind, label.span, label.provenance) == ("", "qa", DESCRIPTION.clip.span, WRITER)


def test_the_label_rests_on_the_evidence_of_its_caption() -> None:
    label, _ = made(read(CLOSES, PAINTS, KICKS))
    assert label.evidence == caption(TRUE).evidence
    checked = verify_label(label.replace(label_id="1"), DESCRIPTION, SCAN, DESCRIBE, EvidenceConfig())
    assert isinstance(checked, VerifiedLabel)
    assert [check.outcome for check in checked.checks] == ["confirmed"]


def test_the_task_is_in_the_task_list() -> None:
    assert TASK in qa_tasks().names("feint6k")


def test_captions_beyond_those_asked_for_are_left_out() -> None:
    _, item = made(read(CLOSES, PAINTS, KICKS, KNOCKS))
    assert KNOCKS["text"] not in item.options
    assert len(item.options) == 4


def test_one_wrong_caption_is_no_loss_where_there_are_enough() -> None:
    _, item = made(read(CLOSES, {"text": TRUE, "action": "opens"}, PAINTS, KICKS))
    assert len(item.options) == 4


def test_the_order_depends_on_the_seed_and_the_clip_alone_and_favours_no_place() -> None:
    places = Counter(
        made(read(CLOSES, PAINTS, KICKS, config=CONFIG.replace(seed=seed)))[1].answer_index for seed in range(400)
    )
    assert made(read(CLOSES, PAINTS, KICKS)) == made(read(CLOSES, PAINTS, KICKS))
    assert set(places) == {0, 1, 2, 3}
    assert all(60 <= count <= 140 for count in places.values())
    other = DESCRIPTION.replace(clip=DESCRIPTION.clip.replace(clip_id="another"))
    orders = {
        made(read(CLOSES, PAINTS, KICKS, about=ClipSubject(description, (), SUBJECT.labels), config=config))[1].options
        for description in (DESCRIPTION, other)
        for config in (CONFIG, CONFIG.replace(seed=None), CONFIG.replace(seed=5))
    }
    assert len(orders) > 2


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({"text": " ", "action": "x"}, "caption 3 is empty"),
        ({"text": TRUE.upper(), "action": "opens"}, "caption 3 says the same as the true caption"),
        ({"text": CLOSES["text"].replace(".", "!"), "action": "closes"}, "caption 3 says the same as caption 1"),
        ({"text": KICKS["text"], "action": "hits"}, "the action 'hits' of caption 3 does not stand in its text"),
        ({"text": KICKS["text"], "action": ""}, "the action '' of caption 3 does not stand in its text"),
        ({"text": TRUE.replace("red", "blue"), "action": "opens"}, "the action 'opens' of caption 3 is in the true"),
        ({"text": "A dog sleeps on the grass by the sea.", "action": "sleeps"}, "caption 3 changes more than the"),
        ({"text": TRUE.replace("opens", "does not open"), "action": "does not open"}, "caption 3 denies the action"),
        ({"text": TRUE.replace("opens", "kicks at and then very slowly and carefully walks away from"),
          "action": "kicks at"}, "characters and the true one 59: that gives it away"),
        ({"text": "x" * 2001, "action": "x"}, "caption 3 has 2001 characters; 2000 are the most"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_named_and_leaves_too_few(item: dict[str, Any], problem: str) -> None:
    reading = read(CLOSES, PAINTS, item)
    assert reading.labels == ()
    assert problem in reading.problems[0]
    assert reading.problems[1:] == ("2 captions can stand; 3 are needed",)


def test_no_captions_at_all_are_too_few() -> None:
    assert read().problems == ("0 captions can stand; 3 are needed",)


def test_a_short_caption_has_room_for_a_change_but_not_for_another_caption() -> None:
    short = subject(caption("Birds sit."))
    reading = read(
        {"text": "Birds fly around.", "action": "fly around"}, about=short, config=CONFIG.replace(n_captions=2)
    )
    assert "changes more" in reading.problems[0]
    _, item = made(
        read(
            {"text": "Two birds fly past a tree.", "action": "fly past"},
            about=subject(caption("Two birds sit in a tree.")),
            config=CONFIG.replace(n_captions=2),
        )
    )
    assert len(item.options) == 2


def test_the_caption_in_its_latest_state_is_the_true_one() -> None:
    first = caption("A man waits.")
    renamed = first.replace(caption=Caption(text=TRUE), revisions=(WRITER,))
    for about in (subject(renamed), subject(first, names=(renamed,))):
        request = ANNOTATOR.request(about, CONFIG)
        assert isinstance(request, Request)
        assert request.values["caption"] == TRUE
        assert made(read(CLOSES, PAINTS, KICKS, about=about))[1].answer == TRUE


@pytest.mark.parametrize("about", [subject(), subject(caption("A man waits.", "event")), ClipSubject(DESCRIPTION)])
def test_a_clip_without_a_caption_of_its_own_is_not_asked_about(about: ClipSubject) -> None:
    assert ANNOTATOR.request(about, CONFIG) == Abstention("the clip has no caption to change")
    assert read(CLOSES, about=about).labels == ()


def test_the_prompt_shows_the_caption_as_data_and_says_what_is_asked_for() -> None:
    request = ANNOTATOR.request(SUBJECT, CONFIG)
    assert isinstance(request, Request)
    assert request.facts == measured_facts(SUBJECT)
    _, user = render(shipped("counterfactual"), {**request.values, "facts": request.facts, "pictures": ()})
    assert fenced(TRUE) in user
    assert "3 captions, each with" in user
    assert f"at most {MAX_LENGTH_RATIO} times" in user
    without = ANNOTATOR.request(SUBJECT, CounterfactualConfig(facts=False))
    assert isinstance(without, Request)
    assert without.facts == ()
