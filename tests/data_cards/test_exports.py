"""Each published shape, from a sample that holds a label of every kind: fields and types are as published."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import pytest
from datasets import load_dataset

from data_cards.exports import FORMATS, ExportItem, Format, SampleError, Skipped, Tally, export_item
from data_cards.exports.item import by_kind
from data_cards.exports.qvhighlights import clip_scores
from pipeline.sample import sample_json
from schemas.dataset import ShardAssignment
from schemas.label import (
    Box,
    Caption,
    Checklist,
    ChecklistItem,
    KeyMoments,
    Label,
    LabelKind,
    Moment,
    QAItem,
    ReasoningStep,
    Route,
    ToolTrace,
    ToolTurn,
    VerifiedLabel,
)
from schemas.time import Span
from schemas.verdict import Opinion, Verdict
from tests.data_cards.builders import (
    MEASURED,
    TIME_BASE,
    evidence_of,
    kept,
    make_clip,
    make_description,
    qa_label,
    sv6d_label,
)
from tests.data_cards.builders import span as source_span

START_S = 60.0
CLIP = make_clip(start_s=START_S)
"""Twelve seconds of a source, from its sixtieth second on."""
VIDEO = f"videos/{CLIP.clip_id}.mp4"


def part(start_s: float, end_s: float) -> Span:
    return source_span(START_S + start_s, START_S + end_s)


def label(number: int, kind: str, where: Span = CLIP.span, **content: object) -> Label:
    seen = (evidence_of(where, "frame", "Something is seen.", None),)
    values = {"label_id": f"{CLIP.clip_id}-made-{number}", "clip_id": CLIP.clip_id, "kind": kind, "span": where}
    return Label.model_validate(values | {"evidence": seen, "provenance": MEASURED} | content)


def pointing(number: int) -> Label:
    """A question whose reasoning points at a box on the frame at 6 s."""
    frame_pts = TIME_BASE.ticks(START_S + 6)
    box = Box(left=0.25, top=0.5, right=0.75, bottom=1.0)
    look = ReasoningStep(
        role="observe", text="A cup stands there.", span=part(5, 7), evidence=(0,), frame_pts=frame_pts
    )
    steps = (look.replace(box=box), ReasoningStep(role="conclude", text="It is red.", span=part(5, 7), evidence=(0,)))
    item = QAItem(task="role_identification", question="What colour?", options=("blue", "red"), answer_index=1)
    return label(number, "qa", qa=item.replace(reasoning=steps))


def trace(number: int) -> Label:
    look = ToolTurn(thought="Look.", tool="overview", span=CLIP.span, frames_pts=(CLIP.span.start_pts,), evidence=(0,))
    end = look.replace(tool="answer", frames_pts=())
    return label(
        number, "trace", trace=ToolTrace(question="What?", options=("a", "b"), answer_index=0, turns=(look, end))
    )


MOMENTS = KeyMoments(
    query="{somebody} opens a door",
    moments=(
        Moment(span=part(8, 9.5), saliency=0.5, evidence=(0,)),
        Moment(span=part(1.5, 4), saliency=1.0, evidence=(0,)),
    ),
)
CHECKLIST = Checklist(
    task="rule_physics",
    prompt="What falls first?",
    items=(
        ChecklistItem(text="Says that the ball falls.", evidence=(0,)),
        ChecklistItem(text="Says why.", evidence=(0,)),
    ),
)
OPEN = QAItem(task="dense_text_content", question="What is written?", options=("“Open”",), answer_index=0)
LABELS = (
    qa_label(CLIP, 2),
    pointing(1),
    label(2, "qa", qa=OPEN),
    label(3, "caption", caption=Caption(text="A street in the evening.")),
    label(4, "caption", part(4, 7), caption=Caption(text="A woman waits.", level="event")),
    label(5, "caption", part(0, 4), caption=Caption(text="A man walks by.", level="event")),
    label(6, "caption", part(6.6, 7.4), caption=Caption(text="The street gives way to a room.", level="transition")),
    sv6d_label(CLIP, 0),
    label(7, "checklist", checklist=CHECKLIST),
    label(8, "moments", moments=MOMENTS),
    trace(9),
)
"""Every kind."""


ROUTES: tuple[Route, ...] = get_args(Route)


def item(labels: Iterable[Label] = LABELS, route: Route | None = None) -> ExportItem:
    """A sample of these labels; the critic routed all of them to one set, or never saw any."""
    description = make_description(CLIP)
    assignment = ShardAssignment(
        clip=CLIP, part=0, split="train", shard="train-000000", position=0, n_labels=len(LABELS)
    )
    judged = [routed(one, route) if route else kept(one) for one in labels]
    sample = json.loads(sample_json(assignment, description, judged, {}))
    return export_item("train", "train-000000", VIDEO, sample)


def routed(one: Label, route: Route, preferred_over: str | None = None) -> VerifiedLabel:
    """A label as the critic leaves it; of the route `dpo` with what it said before, if it has words that change."""
    verdict = Verdict(
        subject_id=one.label_id, decision="keep", rule="verify.critic", score=3.5, threshold=2.0, reason="fair",
        opinions=(
            Opinion(judge="one", about="importance", outcome="scored", score=4.0),
            Opinion(judge="other", about="importance", outcome="scored", score=7.0),
            Opinion(judge="other", about="visual_alignment", outcome="scored", score=3.5),
        ),
    )  # fmt: skip
    if route == "dpo" and preferred_over is None:
        preferred_over = old_words(one)
    return kept(one).judged(verdict, route=route, preferred_over=preferred_over)


def old_words(one: Label) -> str | None:
    if one.caption:
        return one.caption.replace(text="Something.").model_dump_json()
    if one.qa and one.qa.reasoning:
        steps = tuple(step.replace(text=f"Perhaps. {step.text}") for step in one.qa.reasoning)
        return one.qa.replace(reasoning=steps).model_dump_json(exclude_none=True)
    return one.qa.replace(options=("“Opened”",)).model_dump_json() if one.qa and len(one.qa.options) == 1 else None


def item_for(made: Format, labels: Iterable[Label] = LABELS) -> ExportItem:
    """A sample that the format takes labels from."""
    return item(labels, next((route for route in ROUTES if route == made.name), None))


def test_a_sample_s_timeline_has_a_row_for_each_span_of_speech() -> None:
    spoken = (part(1, 3), part(4, 4.5))
    description = make_description(CLIP).replace(speech=spoken, speech_is_measured=True)
    assignment = ShardAssignment(clip=CLIP, part=0, split="train", shard="train-000000", position=0, n_labels=0)
    sample = json.loads(sample_json(assignment, description, [], {}))
    told = [row for row in sample["timeline"] if row["kind"] == "speech"]
    assert [(row["start_in_clip_s"], row["end_in_clip_s"]) for row in told] == [(1.0, 3.0), (4.0, 4.5)]
    assert {row["value"] for row in told} == {"somebody speaks"}
    assert sample["signals"]["speech_is_measured"] is True


def rows(name: str, labels: Iterable[Label] = LABELS) -> list[dict[str, Any]]:
    made = FORMATS[name]
    return [row for row in made.rows(item_for(made, labels)) if not isinstance(row, Skipped)]


def loaded(name: str, tmp_path: Path) -> Any:
    """The rows as `datasets` reads them from the file that is written."""
    made = FORMATS[name]
    path = tmp_path / f"train.{made.file_kind}"
    values = rows(name)
    text = json.dumps(values) if made.file_kind == "json" else "\n".join(json.dumps(row) for row in values)
    path.write_text(text)
    return load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))


def test_the_sample_holds_every_kind_of_label() -> None:
    assert {one.kind for one in LABELS} == set(get_args(LabelKind))


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_every_label_is_in_a_row_or_skipped_for_a_reason(made: Format) -> None:
    tally = Tally()
    found = list(tally.of(made, item_for(made)))
    assert tally.rows == len(found) > 0
    assert tally.labels > 0
    assert tally.labels + tally.skipped.total() == len(LABELS)
    assert all(reason for _, reason in tally.skipped)
    alone = [not isinstance(next(iter(made.rows(item_for(made, [one])))), Skipped) for one in LABELS]
    assert sum(alone) == tally.labels


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_a_clip_without_labels_has_no_rows(made: Format) -> None:
    tally = Tally()
    assert list(tally.of(made, item_for(made, []))) == []
    assert (tally.samples, tally.labels, tally.skipped.total()) == (1, 0, 0)


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_a_kind_of_a_later_version_is_skipped(made: Format) -> None:
    sample = {**item().sample, "labels": [{"kind": "dance", "label_id": "x"}]}
    later = export_item("train", "train-000000", VIDEO, sample)
    assert [row.kind for row in made.rows(later) if isinstance(row, Skipped)] == ["dance"]


@pytest.mark.parametrize("name", FORMATS)
def test_datasets_loads_every_shape(name: str, tmp_path: Path) -> None:
    assert len(loaded(name, tmp_path)) == len(rows(name))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("llava", {"id": "string", "video": "string"}),
        (
            "videoespresso",
            {"video_path": "string", "question": "string", "correct_answer": "string", "evidence": "string",
             "task": "string"},
        ),
        ("mvbench", {"video": "string", "question": "string", "answer": "string"}),
        (
            "videomme",
            dict.fromkeys(
                ("video_id", "duration", "domain", "sub_category", "url", "videoID", "question_id", "task_type",
                 "question", "answer"),
                "string",
            ),
        ),
        ("etbench", {"task": "string", "source": "string", "video": "string", "duration": "float64"}),
        ("vcgplus", {"video_name": "string", "Q": "string", "A": "string"}),
        ("videorefer", {"id": "int64", "video": "string"}),
        ("ruler", {"category": "string", "task_name": "string", "prompt": "string", "video": "string"}),
        ("qvhighlights", {"qid": "int64", "query": "string", "duration": "int64", "vid": "string"}),
        ("sft", {"id": "string", "video": "string"}),
        (
            "grpo",
            {"id": "string", "video": "string", "question": "string", "critic_score": "float64",
             "importance": "float64", "answer": "string", "answer_text": "string", "reward": "string"},
        ),
        ("dpo", dict.fromkeys(("id", "video", "prompt", "chosen", "rejected"), "string")),
    ],
)  # fmt: skip
def test_fields_are_named_and_typed_as_published(name: str, fields: dict[str, str], tmp_path: Path) -> None:
    nested = {
        "llava": {"conversations"},
        "videoespresso": {"options"},
        "mvbench": {"candidates"},
        "videomme": {"options"},
        "etbench": {"conversations", "tgt"},
        "videorefer": {"conversations", "annotation"},
        "ruler": {"checklist"},
        "qvhighlights": {"relevant_windows", "relevant_clip_ids", "saliency_scores"},
        "sft": {"conversations"},
        "grpo": {"options", "answer_spans"},
    }
    features = loaded(name, tmp_path).features
    assert set(features) == set(fields) | nested.get(name, set())
    assert {field: features[field].dtype for field in fields} == fields


def test_llava_begins_with_the_video_and_ends_with_the_answer() -> None:
    found = rows("llava")
    assert all(row["video"] == VIDEO for row in found)
    assert all([turn["from"] for turn in row["conversations"]] == ["human", "gpt"] for row in found)
    assert all(row["conversations"][0]["value"].startswith("<video>\n") for row in found)
    question, answer = (turn["value"] for turn in found[1]["conversations"])
    assert question.splitlines()[1:4] == ["What colour?", "(A) blue", "(B) red"]
    assert answer.splitlines() == [
        "A cup stands there. (frame at 6.00 s, box [0.250, 0.500, 0.750, 1.000])",
        "It is red.",
        "The answer is (B) red",
    ]


def test_llava_says_where_a_caption_belongs_and_when_moments_are() -> None:
    said = [[turn["value"] for turn in row["conversations"]] for row in rows("llava")]
    event = next(asked for asked, told in said if told == "A woman waits.")
    assert "4.00 s" in event
    assert "7.00 s" in event
    whole = next(asked for asked, told in said if told == "A street in the evening.")
    assert not any(character.isdigit() for character in whole)
    spans = next(told for asked, told in said if "{somebody} opens a door" in asked)
    assert spans == "1.50 s to 4.00 s, 8.00 s to 9.50 s"
    assert "camera / motion: pan_left" in next(told for asked, told in said if "How is this video made" in asked)


def test_videoespresso_has_options_in_brackets_and_evidence_with_times() -> None:
    row = rows("videoespresso")[1]
    assert row["options"] == ["(A): blue", "(B): red"]
    assert row["correct_answer"] == "(B)"
    assert row["evidence"].startswith("0.00 s to 12.00 s: Something is seen.")
    assert "box [0.250, 0.500, 0.750, 1.000]" in row["evidence"]
    assert row["task"] == "role_identification"


def test_mvbench_answers_with_the_text_of_a_candidate() -> None:
    for row in rows("mvbench"):
        assert set(row) == {"video", "question", "candidates", "answer"}
        assert row["answer"] in row["candidates"]


def test_videomme_answers_with_a_letter() -> None:
    found = rows("videomme")
    assert [row["answer"] for row in found] == ["C", "B"]
    assert found[1]["options"] == ["A. blue", "B. red"]
    assert {row["duration"] for row in found} == {"short"}
    assert {row["videoID"] for row in found} == {CLIP.clip_id}


def test_etbench_tells_all_events_of_a_clip_in_order_of_time() -> None:
    (row,) = [row for row in rows("etbench") if row["task"] == "dvc"]
    assert row["tgt"] == [0.0, 4.0, 4.0, 7.0]
    assert row["conversations"][1]["value"] == "0.0 - 4.0 seconds, A man walks by. 4.0 - 7.0 seconds, A woman waits."
    assert (row["source"], row["duration"]) == ("street.mp4", 12.0)
    assert row["conversations"][0]["value"].startswith("<image>\n")


def test_every_token_of_etbench_has_its_time() -> None:
    for text, token in zip(rows("etbench"), rows("etbench_vid"), strict=True):
        assert text.get("tgt") == token.get("tgt")
        said = [turn["value"] for turn in token["conversations"]]
        assert said[1].count("<vid>") == len(token.get("tgt", ()))
        assert said[0].count("<vid>") == len(token.get("src", ()))
        assert "<vid>" not in "".join(turn["value"] for turn in text["conversations"])


def test_vcgplus_asks_only_what_can_be_answered_without_options() -> None:
    told = {row["Q"]: row["A"] for row in rows("vcgplus")}
    assert told["What is written?"] == "“Open”"
    item_ = QAItem(task="x", question="Which of these comes first?", options=("a", "b"), answer_index=0)
    assert rows("vcgplus", [label(1, "qa", qa=item_)]) == []


def test_videorefer_has_a_polygon_in_pixels_for_every_region_in_the_text() -> None:
    (row,) = rows("videorefer")
    signals = item().sample["signals"]
    width, height = signals["display_width"], signals["display_height"]
    ((frame, region),) = row["annotation"][0].items()
    assert int(frame) == CLIP.n_frames // 2
    ((*corners,),) = region["segmentation"]
    assert corners[:4] == [width / 4, height / 2, width * 3 / 4, height / 2]
    assert row["conversations"][0]["value"].count("<region>") == len(row["annotation"]) == 1


def test_ruler_lists_what_an_answer_is_marked_by() -> None:
    (row,) = rows("ruler")
    assert row["checklist"] == ["Says that the ball falls.", "Says why."]
    assert (row["category"], row["task_name"]) == ("physics", "rule_physics")


def test_qvhighlights_scores_the_two_second_clips_that_windows_cover() -> None:
    (row,) = rows("qvhighlights")
    assert row["relevant_windows"] == [[1.5, 4.0], [8.0, 9.5]]
    assert row["relevant_clip_ids"] == [1, 4]
    assert row["saliency_scores"] == [[4, 4, 4], [2, 2, 2]]
    assert row["duration"] == 12


def test_sft_has_the_conversations_of_llava() -> None:
    assert rows("sft") == rows("llava")


@pytest.mark.parametrize("name", ROUTES)
@pytest.mark.parametrize("route", [None, *ROUTES])
def test_a_set_holds_the_labels_that_were_routed_to_it_and_no_others(name: str, route: Route | None) -> None:
    made = FORMATS[name]
    found = list(made.rows(item(route=route)))
    if name == route:
        assert any(not isinstance(row, Skipped) for row in found)
        return
    assert {row.reason for row in found if isinstance(row, Skipped)} == {
        f"it is routed to {route}"
        if route
        else "no critic routed it: only labels that verify.critic saw are in one of the sets sft, grpo and dpo"
    }
    assert len(found) == len(LABELS)


def test_labels_of_a_sample_go_to_their_own_sets() -> None:
    sample = {**item().sample}
    for one, route in zip(sample["labels"], ("sft", "grpo", "dpo", None) * 3, strict=False):
        one["route"] = route
    mixed = export_item("train", "train-000000", VIDEO, sample)
    found = {name: [row for row in FORMATS[name].rows(mixed) if not isinstance(row, Skipped)] for name in ROUTES}
    ids = [row["id"] for of in found.values() for row in of]
    assert len(ids) == len(set(ids)) > 2


def test_grpo_has_an_answer_that_a_program_can_reward() -> None:
    by_reward: dict[str, list[dict[str, Any]]] = {}
    for row in rows("grpo"):
        by_reward.setdefault(row["reward"], []).append(row)
        assert (row["critic_score"], row["importance"]) == (3.5, 5.5)
    choice, (text,), (spans,) = by_reward["choice"], by_reward["text"], by_reward["spans"]
    assert [row["answer"] for row in choice] == ["C", "B"]
    assert all(row["options"]["ABCD".index(row["answer"])] == row["answer_text"] for row in choice)
    assert (text["answer"], text["options"]) == ("“Open”", [])
    assert spans["answer_spans"] == [[1.5, 4.0], [8.0, 9.5]]


def test_dpo_has_the_same_question_answered_in_two_ways() -> None:
    found = {row["id"].rpartition("-")[2]: row for row in rows("dpo")}
    caption, asked, answered = found["3"], found["1"], found["2"]
    assert (caption["chosen"], caption["rejected"]) == ("A street in the evening.", "Something.")
    assert caption["prompt"].startswith("<video>\n")
    assert asked["chosen"].splitlines()[1:] == ["It is red.", "The answer is (B) red"]
    assert asked["rejected"].splitlines()[1:] == ["Perhaps. It is red.", "The answer is (B) red"]
    assert (answered["chosen"], answered["rejected"]) == ("“Open”", "“Opened”")


@pytest.mark.parametrize(
    ("preferred_over", "reason"),
    [
        (None, "what it is preferred over is not recorded"),
        ("", "what it is preferred over is not recorded"),
        ("[1]", "what it is preferred over is not recorded"),
        ("{}", "what it is preferred over is not recorded"),
        ('{"text": "A street in the evening."}', "both of its versions read the same"),
    ],
)
def test_a_pair_without_another_side_is_none(preferred_over: str | None, reason: str) -> None:
    sample = {**item([LABELS[3]], "dpo").sample}
    sample["labels"][0]["preferred_over"] = preferred_over
    (found,) = FORMATS["dpo"].rows(export_item("train", "train-000000", VIDEO, sample))
    assert found == Skipped("caption", reason)


@pytest.mark.parametrize(
    ("windows", "scores"),
    [
        ([(0.0, 12.0, 0.25)], dict.fromkeys(range(6), 1)),
        ([(3.0, 3.2, 1.0)], {1: 4}),
        ([(3.9, 4.3, 1.0)], {2: 4}),
        ([(10.0, 10.5, 1.0), (10.0, 12.0, 0.5)], {5: 4}),
        ([(2.0, 2.0, 1.0)], {}),
        ([], {}),
    ],
)
def test_a_short_window_counts_for_the_clip_that_it_meets_most(
    windows: list[tuple[float, float, float]], scores: dict[int, int]
) -> None:
    assert clip_scores(windows, 12.0) == scores


def test_numbers_of_queries_are_told_apart_and_fit_into_json_exactly() -> None:
    asked = [label(number, "moments", moments=MOMENTS) for number in range(50)]
    numbers = {row["qid"] for row in rows("qvhighlights", asked)}
    assert len(numbers) == 50
    assert max(numbers) < 2**53


OURS = {"schema": "reelproof-sample/1"}


@pytest.mark.parametrize("sample", [None, [], {}, {"schema": "other/1"}, OURS, {**OURS, "span": 3}])
def test_what_is_no_sample_is_refused(sample: object) -> None:
    with pytest.raises(SampleError, match="train-000000"):
        export_item("train", "train-000000", VIDEO, sample)


def test_a_format_says_something_of_every_kind() -> None:
    with pytest.raises(ValueError, match="nothing is said of labels of kind"):
        by_kind({"qa": "no"})
