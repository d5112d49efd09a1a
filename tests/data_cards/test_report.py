"""The report is one page that needs nothing else, shows every record, and runs nothing but its own script."""

import base64
import itertools
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_cards import label_view, timeline
from data_cards.report import MAX_POINTS, ReportClip, Series, render_report
from data_cards.rules import rule_words
from data_cards.scale import Scale
from data_cards.statistics import DatasetStatistics
from schemas.config import CardConfig, RunConfig, SplitConfig
from schemas.media import Clip, FrameSample
from schemas.priors import PriorsReport
from schemas.review import LabelFate, LabelOutcome
from schemas.summary import Problem
from schemas.verdict import Opinion, Verdict
from tests.data_cards import builders

HOSTILE = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>{{ 7*7 }}"
VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """What a browser would make of the page: elements with attributes, visible text, and whether all are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text += " " + data

    def having(self, name: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(name)) is not None]

    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]


def page(clips: Sequence[ReportClip], config: RunConfig | None = None, problems: Sequence[Problem] = ()) -> str:
    summary, statistics = builders.make_summary(clips), builders.make_statistics(clips)
    return render_report(summary, statistics, config or RunConfig(), clips, problems)


def test_the_page_is_well_formed() -> None:
    parsed = Page(page([builders.make_report_clip()], problems=builders.make_problems()))
    assert parsed.open == []
    assert len(set(parsed.having("id"))) == len(parsed.having("id"))


def test_the_page_refers_to_nothing_outside_itself() -> None:
    parsed = Page(page([builders.make_report_clip()]))
    links = parsed.having("src") + parsed.having("href")
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "default-src 'none'" in "".join(parsed.having("content"))


def hostile_fate(clip: Clip, text: str, outcome: LabelOutcome = "rejected") -> LabelFate:
    """A label that was not kept, whose judges said `text` wherever they may say something."""
    label = builders.qa_label(clip, 8 if outcome == "failed" else 7)
    opinion = Opinion(judge=text, about=text, outcome=text, reason=text)
    verdict = Verdict(
        subject_id=label.label_id, decision="reject", rule=text, score=0.5, threshold=0.1, reason=text,
        looked_at=text, judges=(text,), opinions=(opinion,),
    )  # fmt: skip
    return LabelFate(
        label=label, made="", outcome=outcome, step=text, verdicts=(verdict,), failure=text, preferred_over=text
    )


def test_hostile_text_adds_no_element_and_is_shown_as_it_is() -> None:
    def variant(text: str) -> Page:
        clip = builders.make_clip("a.mp4").replace(name=text)
        labels = tuple(
            builders.kept(kept.label.replace(caption=kept.label.caption.replace(text=text)))
            if kept.label.caption
            else kept
            for kept in builders.make_labels(clip)
        )
        shown = ReportClip(
            description=builders.make_description(clip, texts=[text]),
            labels=labels,
            turned_down=(hostile_fate(clip, text), hostile_fate(clip, text, "failed")),
            series=(Series(name=text, unit=text, times_s=(60.0, 61.0), values=(0.0, 1.0)),),
        )
        problems = [Problem(outcome="failure", step="scan", subject=text, kind=text, message=text)]
        return Page(page([shown], RunConfig(card=CardConfig(title=text)), problems))

    hostile, harmless = variant(HOSTILE), variant("harmless")
    assert hostile.tags() == harmless.tags()
    assert [set(attributes) for _, attributes in hostile.elements] == [set(a) for _, a in harmless.elements]
    assert hostile.text.count(HOSTILE) >= 10


def test_every_check_is_told_with_claim_number_threshold_and_outcome() -> None:
    clip = builders.make_report_clip()
    text = " ".join(Page(page([clip])).text.split())
    assert "Claim transition: cut Measured cut (0) Threshold 2 Outcome confirmed" in text
    assert "Claim — Measured — Threshold — Outcome unchecked No signal measures this." in text
    assert "A hard cut" not in text
    assert "B By a dissolve" in text


def test_every_statement_is_told_with_number_threshold_outcome_and_reason() -> None:
    clip = builders.make_clip()
    label = builders.made_of_words(builders.kept(builders.qa_label(clip)))
    view = label_view.label_view(label, Scale.of(clip.span))
    assert view.counts == (("confirmed", 3),)
    assert view.word_counts == (("confirmed", 1), ("contradicted", 1))
    assert view.outcome == "contradicted"
    parsed = Page(page([builders.make_report_clip().replace(labels=(label,), turned_down=())]))
    text = " ".join(parsed.text.split())
    assert "3 confirmed words: 1 confirmed words: 1 contradicted" in text
    assert (
        "It lasts 9 s. reasoning step 2 Measured 12 Threshold 0.5 Outcome contradicted 12 s are measured, 9 are said"
    ) in text
    assert "Measured cut (1) Threshold — Outcome confirmed a cut is said to be there" in text
    assert "confirmed contradicted" in parsed.having("data-outcomes")


def test_what_words_give_away_is_on_the_page() -> None:
    clips = [builders.make_report_clip()]
    summary, statistics = builders.make_summary(clips), builders.make_statistics(clips)

    def shown(priors: PriorsReport | None) -> Page:
        return Page(render_report(summary.replace(priors=priors), statistics, RunConfig(), clips, []))

    text = " ".join(shown(builders.make_priors()).text.split())
    assert "qa/why 180 25.0 % 50.0 % (42.8 to 57.2 %) 60 60 120 25.0 % (18.1 to 33.5 %)" in text
    assert "by its length the right option is the longest in 90 of 180 questions of qa/why" in text
    assert "nothing can be said of fewer than 30." in shown(builders.no_priors()).text
    assert "guessed from the words" not in shown(None).text
    hostile = shown(builders.make_priors(group=HOSTILE, rule=HOSTILE).replace(notes=(HOSTILE,)))
    assert hostile.tags() == shown(builders.make_priors()).tags()


def test_every_verdict_is_told_with_rule_number_trials_judge_and_cost() -> None:
    clip = builders.make_report_clip()
    label = builders.judged(builders.qa_label(clip.description.clip, 3))
    text = " ".join(Page(page([clip.replace(labels=(label,))])).text.split())
    for told in (
        "kept verify.leakage 1 of 4 blind answers was right, which guessing explains score 0.25 against 0.4 4 trials "
        "95 % interval 0.0063 to 0.806 looked at question and options alone asked blind-7b $0.0004",
        "blind-7b options rotated by 1 wrong",
        "other-vlm The first shot gives way by a hard cut. supported, frame at 4.00 s The picture changes",
        "critic-vlm temporal accuracy scored, 4.5",
        "kept review Ada decided so: fine as it is looked at the label and its clip",
        "accepted by a person transition kind class temporal route sft",
        "rejected by verify.leakage",
        "rejected verify.leakage models answer it without the video more often than guessing explains 11 of 12",
    ):
        assert told in text


def test_a_label_that_was_turned_down_is_shown_with_what_it_says_and_can_be_filtered_by_rule() -> None:
    clip = builders.make_report_clip()
    parsed = Page(page([clip]))
    (label_id,) = [fate.label.label_id for fate in clip.turned_down]
    assert label_id in parsed.having("id")
    assert "rejected|verify.leakage" in parsed.having("data-verdicts")
    assert len(parsed.having("data-version")) == len(clip.labels) + 1


def test_the_checks_of_a_label_that_has_none_are_not_called_unchecked() -> None:
    clip = builders.make_clip()
    fate = builders.turned_down(clip).replace(checks=(), verdicts=builders.turned_down(clip).verdicts[-1:])
    view = label_view.label_view(fate, Scale.of(clip.span))
    assert view.counts == ()
    assert {item.outcome for item in view.evidence} == {""}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("review", "a person decided so"),
        ("verify.wording.max_length_ratio", "its words or its options may not stand as they are (max length ratio)"),
        ("verify.evidence.words", "a measurement contradicts what its words say"),
        ("split.min_clip_s", "the stretch of video did not make a clip (min clip s)"),
        ("of.nobody", ""),
    ],
)
def test_rules_are_told_in_plain_words(rule: str, words: str) -> None:
    assert rule_words(rule) == words


def test_the_funnel_and_the_reasons_are_on_the_page() -> None:
    config = RunConfig(split=SplitConfig(min_clip_s=3.25))
    text = " ".join(Page(page([builders.make_report_clip()], config, builders.make_problems())).text.split())
    assert "verify.evidence label 20 6 14 0" in text
    assert "split.min_clip_s 3.25 9" in text
    assert "damaged.avi: no frame could be decoded" in text


def test_a_run_without_a_clip_still_has_a_report() -> None:
    text = render_report(builders.make_summary([]), DatasetStatistics(), RunConfig(), [], builders.make_problems())
    assert "No clip came through." in text


def test_the_same_run_gives_the_same_page() -> None:
    assert page([builders.make_report_clip()]) == page([builders.make_report_clip()])


def test_times_are_relative_to_the_clip() -> None:
    clip = builders.make_clip("a.mp4", start_s=3600.0)
    scale = Scale.of(clip.span)
    assert scale.text(clip.transitions[0].span) == "at 4.00 s"
    assert scale.band(clip.transitions[0].span) == (33.333, 0.0)
    assert scale.text(clip.transitions[1].span) == "6.60 to 7.40 s"
    assert scale.places([clip.span, clip.transitions[0].span]) == "0,100;33.333,0"


def test_a_label_points_at_all_its_evidence() -> None:
    clip = builders.make_clip()
    view = label_view.label_view(builders.kept(builders.qa_label(clip)), Scale.of(clip.span))
    assert view.places == "0,100;33.333,0;55,6.667"
    assert view.answer == "A  By a hard cut"
    assert [step.role for step in view.steps] == ["observe", "locate", "relate", "infer", "conclude"]


def test_a_contradiction_is_what_a_label_is_known_by() -> None:
    clip = builders.make_clip()
    kept = builders.kept(builders.sv6d_label(clip, 0), "contradicted")
    view = label_view.label_view(kept, Scale.of(clip.span))
    assert view.outcome == "contradicted"
    assert view.counts == (("unchecked", 1), ("contradicted", 2))


def test_text_is_shown_from_its_first_to_its_last_sighting_in_a_shot() -> None:
    description = builders.make_description(builders.make_clip(), texts=["OPEN", "open "])
    (lane,) = [lane for lane in timeline.timeline_of(description, ()).lanes if lane.kind == "text"]
    assert [(mark.label, mark.title) for mark in lane.marks] == [
        ("OPEN", "“OPEN” 2.00 to 2.50 s, read on 2 frames"),
        ("open", "“open” 5.30 to 5.80 s, read on 2 frames"),
    ]


def test_text_that_was_not_looked_for_is_not_said_to_be_absent() -> None:
    description = builders.make_description(builders.make_clip()).replace(text_is_measured=False)
    notes = [lane.note for lane in timeline.timeline_of(description, ()).lanes if lane.kind == "text"]
    assert notes == ["not read"]


def test_speech_has_a_lane_where_somebody_listened() -> None:
    description = builders.make_description(builders.make_clip())
    assert not [lane for lane in timeline.timeline_of(description, ()).lanes if lane.kind == "speech"]
    start = description.clip.span.start_pts
    spoken = description.clip.span.replace(start_pts=start, end_pts=start + builders.TIME_BASE.ticks(2.0))
    for speech, note, titles in (((), "none found", []), ((spoken,), "", ["speech 0.00 to 2.00 s"])):
        heard = description.replace(speech_is_measured=True, speech=speech)
        (lane,) = [lane for lane in timeline.timeline_of(heard, ()).lanes if lane.kind == "speech"]
        assert (lane.note, [mark.title for mark in lane.marks]) == (note, titles)


@given(st.lists(st.floats(0, 12), min_size=1, max_size=8))
def test_thumbnails_never_cover_each_other_or_leave_the_clip(times_s: list[float]) -> None:
    clip = builders.make_clip()
    description = builders.make_description(clip)
    frames = [description.keyframes[0].sample.replace(pts=builders.TIME_BASE.ticks(60 + time_s)) for time_s in times_s]
    shown = description.replace(keyframes=tuple(description.keyframes[0].replace(sample=frame) for frame in frames))
    thumbnails = timeline.timeline_of(shown, ()).thumbnails
    edges = [(thumbnail.left, thumbnail.left + thumbnail.width) for thumbnail in thumbnails]
    assert edges[0][0] >= 0
    assert edges[-1][1] <= 100.01
    assert all(left[1] <= right[0] + 0.01 for left, right in itertools.pairwise(edges))
    assert [thumbnail.at for thumbnail in thumbnails] == sorted(thumbnail.at for thumbnail in thumbnails)


def test_keyframes_are_made_as_small_as_they_are_shown() -> None:
    clip = builders.make_clip()
    keyframe = builders.make_description(clip).keyframes[0]
    large = FrameSample(pts=keyframe.sample.pts, width=512, height=288, jpeg=builders.jpeg(0, 512, 288))
    description = builders.make_description(clip).replace(keyframes=(keyframe.replace(sample=large),))
    (thumbnail,) = timeline.timeline_of(description, ()).thumbnails
    data = base64.b64decode(thumbnail.source.partition(",")[2])
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (135, 240, 3)


def test_a_series_is_drawn_between_its_extremes() -> None:
    scale = Scale(start_s=10.0, duration_s=4.0)
    lane = timeline.series_lane("luma", "", (10.0, 12.0, 14.0), (0.25, 0.75, 0.5), scale)
    assert lane.points == "0.0,96.0 500.0,4.0 1000.0,50.0"
    assert lane.note == "0.25 to 0.75"


def test_noise_on_a_steady_series_does_not_look_like_an_event() -> None:
    scale = Scale(start_s=0.0, duration_s=2.0)
    points = timeline.series_lane("luma", "", (0.0, 1.0, 2.0), (0.50, 0.51, 0.50), scale).points
    heights = [float(point.partition(",")[2]) for point in points.split()]
    assert max(heights) - min(heights) < 10


@pytest.mark.parametrize(
    ("unit", "values", "note"),
    [
        ("0 to 255", (0.058, 67.4), "0 to 67"),
        ("widths per s", (0.00019, 0.2431), "0.00 to 0.24 widths per s"),
        ("", (0.5, 0.5), "0.50 to 0.50"),
        ("SSIM", (), "not measured"),
    ],
)
def test_the_extremes_of_a_series_are_told_in_few_digits(unit: str, values: tuple[float, ...], note: str) -> None:
    times_s = tuple(float(index) for index in range(len(values)))
    assert timeline.series_lane("x", unit, times_s, values, Scale(start_s=0.0, duration_s=4.0)).note == note


def test_a_series_needs_a_value_for_each_time_and_no_more_points_than_are_drawn() -> None:
    with pytest.raises(ValueError, match="has 1 times and 2 values"):
        Series(name="luma", unit="", times_s=(0.0,), values=(0.0, 1.0))
    with pytest.raises(ValueError, match="at most 240"):
        Series(name="luma", unit="", times_s=(0.0,) * (MAX_POINTS + 1), values=(0.0,) * (MAX_POINTS + 1))


@pytest.mark.parametrize("duration_s", [0.04, 0.5, 2.0, 12.0, 30.0, 95.0, 1200.0])
def test_ticks_are_round_and_few(duration_s: float) -> None:
    clip = builders.make_clip(shot_lengths_s=[duration_s], kinds=[])
    ticks = timeline.timeline_of(builders.make_description(clip), ()).ticks
    assert 1 <= len(ticks) <= 9
    assert ticks[0] == (0.0, "0 s")
    assert all(re.fullmatch(r"\d+(\.\d)?", text) for _, text in ticks[1:])
