"""Made-up records with known figures for the tests of the cards.

Here: clips, descriptions, labels, shards and a whole run. Nothing is measured: `stages` has its own tests.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from data_cards.report import ReportClip, Series
from data_cards.statistics import DatasetStatistics, statistics_of
from schemas.dataset import DatasetSplit, PackagedSample
from schemas.evidence import Claim, Evidence, EvidenceCheck, Modality
from schemas.label import Caption, Label, QAItem, ReasoningRole, ReasoningStep, SV6DSegment, SV6DValue, VerifiedLabel
from schemas.media import Clip, EdgeKind, FrameSample, Shot, Transition, TransitionKind
from schemas.priors import EVERYTHING, Artefact, GroupPriors, GuessRate, PriorsReport
from schemas.provenance import Provenance
from schemas.review import LabelFate, label_version
from schemas.signals import (
    CameraSegment,
    CameraTerm,
    ClipDescription,
    Keyframe,
    PaletteColour,
    ShotFigures,
    TextDetection,
)
from schemas.summary import Count, JudgeSummary, Problem, ReviewSummary, RunSummary, StepSummary
from schemas.time import Span, TimeBase
from schemas.verdict import Opinion, Verdict

TIME_BASE = TimeBase(numerator=1, denominator=24000)
FPS = 24.0
MEASURED = Provenance(annotator="measured", annotator_version="1", code_version="0.1.0")
CAMERA_TERMS: tuple[CameraTerm, ...] = ("static", "pan_left", "zoom_in", "handheld", "tilt_up", "unclear")


def span(start_s: float, end_s: float) -> Span:
    return Span(start_pts=TIME_BASE.ticks(start_s), end_pts=TIME_BASE.ticks(end_s), time_base=TIME_BASE)


def jpeg(number: int, width: int = 96, height: int = 54) -> bytes:
    """A gradient whose hue tells the pictures apart."""
    ramp = np.linspace(40, 220, width, dtype=np.float32)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = (number * 29) % 180
    picture[..., 1] = 150
    picture[..., 2] = ramp[None, :]
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_HSV2BGR))
    assert ok
    return data.tobytes()


def make_clip(
    name: str = "street.mp4",
    start_s: float = 60.0,
    shot_lengths_s: Sequence[float] = (4.0, 3.0, 5.0),
    kinds: Sequence[TransitionKind] = ("cut", "dissolve"),
) -> Clip:
    """Shots one after the other; gradual transitions last 0.8 s around the joint."""
    edges_s = [start_s]
    for length_s in shot_lengths_s:
        edges_s.append(edges_s[-1] + length_s)
    halves_s = [0.0 if kind == "cut" else 0.4 for kind in kinds]
    transitions = tuple(
        Transition(
            kind=kind, span=span(edge_s - half_s, edge_s + half_s), score=5.1, similarity=0.4, detector="adaptive"
        )
        for kind, edge_s, half_s in zip(kinds, edges_s[1:-1], halves_s, strict=True)
    )
    joints: list[EdgeKind] = ["source_start", *kinds, "source_end"]
    padded_s = [0.0, *halves_s, 0.0]
    shots = tuple(
        Shot(
            index=index,
            span=span(edges_s[index] + padded_s[index], edges_s[index + 1] - padded_s[index + 1]),
            n_frames=round(length_s * FPS),
            starts_with=joints[index],
            ends_with=joints[index + 1],
        )
        for index, length_s in enumerate(shot_lengths_s)
    )
    source_id = f"source-{abs(hash_of(name)):08x}"
    return Clip(
        clip_id=f"{source_id}-00-{round(start_s * 1000)}-{round(edges_s[-1] * 1000)}",
        source_id=source_id,
        slice_id=f"{source_id}-00",
        uri=f"/videos/{name}",
        name=name,
        span=span(start_s, edges_s[-1]),
        n_frames=round((edges_s[-1] - start_s) * FPS),
        shots=shots,
        transitions=transitions,
    )


def hash_of(text: str) -> int:
    """The same on every run, unlike `hash`."""
    return sum((index + 1) * ord(character) for index, character in enumerate(text))


def camera_segment(where: Span, term: CameraTerm) -> CameraSegment:
    return CameraSegment(
        span=where,
        term=term,
        pan_widths_per_s=-0.12 if term == "pan_left" else 0.0,
        tilt_heights_per_s=0.1 if term == "tilt_up" else 0.0,
        zoom_per_s=0.08 if term == "zoom_in" else 0.0,
        roll_degrees_per_s=0.0,
        shake=0.1 if term == "handheld" else 0.004,
        subject_ratio=0.1,
        subject_motion_widths_per_s=0.02,
        inlier_ratio=0.9,
    )


def make_description(
    clip: Clip, pictures: Sequence[bytes] = (), texts: Sequence[str] = (), width: int = 1920, height: int = 1080
) -> ClipDescription:
    """One camera segment a shot, one keyframe a shot, a freeze at the end, each text in the middle of a shot."""
    shots = tuple(
        ShotFigures(
            index=shot.index,
            span=shot.span,
            luma_mean=0.3 + 0.1 * shot.index,
            luma_spread=0.2,
            saturation_mean=0.4,
            sharpness=300.0,
            palette=(
                PaletteColour(name="blue", red=40, green=70, blue=160, share=0.5),
                PaletteColour(name="white", red=235, green=232, blue=225, share=0.2),
            ),
            camera=(camera_segment(shot.span, CAMERA_TERMS[(shot.index + clip.n_frames) % len(CAMERA_TERMS)]),),
        )
        for shot in clip.shots
    )
    middles = [(shot.span.start_pts + shot.span.end_pts) // 2 for shot in clip.shots]
    drawn = list(pictures) or [jpeg(index) for index in range(len(clip.shots))]
    keyframes = tuple(
        Keyframe(
            sample=FrameSample(pts=pts, width=96, height=54, jpeg=drawn[index % len(drawn)]),
            strategy="middle_sharpest",
            sharpness=300.0,
        )
        for index, pts in enumerate(middles)
    )
    return ClipDescription(
        clip=clip,
        display_width=width,
        display_height=height,
        luma_mean=0.4,
        luma_spread=0.2,
        saturation_mean=0.4,
        sharpness=300.0,
        shots=shots,
        frozen_spans=(span(clip.span.end_s - 0.75, clip.span.end_s),),
        black_spans=(),
        text_is_measured=True,
        text=tuple(
            TextDetection(
                text=text,
                score=0.95,
                pts=middles[index % len(middles)] + step * 12000,
                left=0.1, top=0.8, right=0.6, bottom=0.9,
            )
            for index, text in enumerate(texts)
            for step in (0, 1)
        ),
        keyframes=keyframes,
    )  # fmt: skip


def evidence_of(where: Span, modality: Modality, observation: str, claim: Claim | None) -> Evidence:
    return Evidence(span=where, modality=modality, observation=observation, claim=claim, source="measured")


def kept(label: Label, outcome: str = "confirmed") -> VerifiedLabel:
    checks = tuple(
        EvidenceCheck.model_validate(
            {
                "evidence_index": index,
                "outcome": outcome if evidence.claim else "unchecked",
                "measured": 0.0 if evidence.claim else None,
                "measured_text": evidence.claim.text if evidence.claim else None,
                "threshold": 2.0 if evidence.claim else None,
                "reason": "The cut lies 0 frames from the claim." if evidence.claim else "No signal measures this.",
            }
        )
        for index, evidence in enumerate(label.evidence)
    )
    verdict = Verdict(
        subject_id=label.label_id,
        decision="keep",
        rule="verify.evidence",
        score=1.0,
        threshold=None,
        reason="It holds.",
    )
    return VerifiedLabel(label=label, checks=checks, verdicts=(verdict,))


def qa_label(clip: Clip, number: int = 0, task: str = "transition_kind", provenance: Provenance = MEASURED) -> Label:
    """A question about the clip's transitions, with reasoning in five steps."""
    evidence = (
        *tuple(
            evidence_of(
                transition.span,
                "cut",
                f"A {transition.kind} at {transition.span.start_s - clip.span.start_s:.2f} s.",
                Claim(quantity="transition", text=transition.kind),
            )
            for transition in clip.transitions
        ),
        evidence_of(clip.span, "frame", "The whole clip.", Claim(quantity="duration", value=clip.span.duration_s)),
    )
    roles: tuple[ReasoningRole, ...] = ("observe", "locate", "relate", "infer", "conclude")
    steps = tuple(
        ReasoningStep(
            role=role,
            text=f"Step {index + 1}: what the picture shows here leads on to the next thought.",
            span=evidence[index % len(evidence)].span,
            evidence=(index % len(evidence),),
        )
        for index, role in enumerate(roles)
    )
    item = QAItem(
        task=task,
        question="How does the first shot give way to the second?",
        options=("By a hard cut", "By a dissolve", "By a fade through black", "By a wipe"),
        answer_index=number % 4,
        reasoning=steps,
    )
    return Label(
        label_id=f"{clip.clip_id}-measured-{number}",
        clip_id=clip.clip_id,
        kind="qa",
        span=clip.span,
        qa=item,
        evidence=evidence,
        provenance=provenance,
    )


def sv6d_label(clip: Clip, index: int) -> Label:
    """The structure of one shot."""
    where = clip.shots[index].span
    evidence = (
        evidence_of(
            where, "motion", "The picture moves to the right.", Claim(quantity="camera_motion", text="pan_left")
        ),
        evidence_of(
            where, "colour", "Blue covers half of the picture.", Claim(quantity="colour", text="blue", value=0.5)
        ),
        evidence_of(where, "caption", "A person walks past.", None),
    )
    values = (
        SV6DValue(dimension="camera", attribute="motion", value="pan_left", evidence=(0,)),
        SV6DValue(dimension="camera", attribute="stability", value="steady", evidence=(0,)),
        SV6DValue(dimension="aesthetics", attribute="palette", value="blue", evidence=(1,)),
        SV6DValue(dimension="aesthetics", attribute="brightness", value="medium", evidence=(1,)),
        SV6DValue(dimension="editing", attribute="shot_length", value="medium", evidence=(0,)),
        SV6DValue(dimension="subject", attribute="action", value="A person walks past.", evidence=(2,)),
    )
    return Label(
        label_id=f"{clip.clip_id}-sv6d-{index}",
        clip_id=clip.clip_id,
        kind="sv6d",
        span=where,
        sv6d=SV6DSegment(values=values),
        evidence=evidence,
        provenance=MEASURED,
    )


def caption_label(clip: Clip, text: str = "A street with people who walk past shop windows in the evening.") -> Label:
    provenance = Provenance(
        annotator="caption", annotator_version="1", code_version="0.1.0", model="some-vlm", model_revision="2",
        prompt_name="caption", prompt_sha256="ab" * 32, temperature=0.2, input_tokens=900, output_tokens=60,
        cost_usd=0.0007,
    )  # fmt: skip
    return Label(
        label_id=f"{clip.clip_id}-caption-0",
        clip_id=clip.clip_id,
        kind="caption",
        span=clip.span,
        caption=Caption(text=text),
        evidence=(evidence_of(clip.span, "caption", text, None),),
        provenance=provenance,
    )


def made_of_words(found: VerifiedLabel) -> VerifiedLabel:
    """The same label with two of its own statements checked."""
    said = EvidenceCheck(
        statement="answer: Question: How does it give way? Answer: By a hard cut", outcome="confirmed", measured=1.0,
        measured_text="cut", threshold=None, reason="a cut is said to be there, and cut is measured",
    )  # fmt: skip
    denied = said.replace(
        statement="reasoning step 2: It lasts 9 s.", outcome="contradicted", measured=12.0, measured_text=None,
        threshold=0.5, reason="12 s are measured, 9 are said",
    )  # fmt: skip
    return found.replace(checks=(*found.checks, said, denied))


def make_priors(group: str = "qa/why", rule: str = "the right option is the longest") -> PriorsReport:
    """Of 200 questions, 60 are given away by their length and go; a small group is not tested."""
    before = GuessRate(n_items=180, chance=0.25, accuracy=0.5, interval_low=0.4277, interval_high=0.5723)
    after = GuessRate(n_items=120, chance=0.25, accuracy=0.25, interval_low=0.181, interval_high=0.3345)
    few = GuessRate(n_items=20, chance=0.5, accuracy=0.45, interval_low=0.2582, interval_high=0.6579)
    told = GroupPriors(group=group, before=before, after=after, n_flagged=60, n_rejected=60, is_tested=True)
    everything = told.replace(group=EVERYTHING, before=before.replace(n_items=200))
    small = GroupPriors(group="a/small", before=few, after=None, n_flagged=0, n_rejected=0, is_tested=False)
    found = Artefact(
        kind="length", stratum=group, rule=rule, n_items=180, n_right=90, expected=45.0, statistic=7.75,
        p_value=1e-9, n_flagged=60,
    )  # fmt: skip
    return PriorsReport(
        n_items=200, n_open_ended=7, n_fitted=200, held_out_by="source", action="reject", significance=0.01,
        n_tests=12, overall=everything, groups=(small, told), artefacts=(found,),
        notes=("1 groups have fewer than 30 questions, and are tested only with the others",),
    )  # fmt: skip


def no_priors() -> PriorsReport:
    """Of too few questions for anything to be said."""
    return make_priors().replace(
        n_items=9, n_open_ended=0, n_fitted=0, held_out_by="nothing", overall=None, groups=(), artefacts=(),
        notes=("9 questions with options: nothing can be said of fewer than 30",),
    )  # fmt: skip


def make_labels(clip: Clip) -> tuple[VerifiedLabel, ...]:
    """Two questions, the structure of each shot, a caption."""
    tasks = ("transition_kind", "camera_motion")
    questions = [kept(qa_label(clip, number, task)) for number, task in enumerate(tasks)]
    return (*questions, *(kept(sv6d_label(clip, shot.index)) for shot in clip.shots), kept(caption_label(clip)))


def make_series(clip: Clip, count: int = 120) -> tuple[Series, ...]:
    step_s = clip.span.duration_s / count
    times_s = tuple(clip.span.start_s + index * step_s for index in range(count))
    luma = tuple(0.4 + 0.2 * math.sin(index / 9) for index in range(count))
    motion = tuple(abs(0.1 * math.sin(index / 5)) for index in range(count))
    return (
        Series(name="luma", unit="", times_s=times_s, values=luma),
        Series(name="motion", unit="widths/s", times_s=times_s, values=motion),
    )


def make_report_clip(
    name: str = "street.mp4", start_s: float = 60.0, texts: Sequence[str] = ("OPEN LATE",)
) -> ReportClip:
    clip = make_clip(name, start_s)
    return ReportClip(
        description=make_description(clip, texts=texts),
        labels=make_labels(clip),
        turned_down=(turned_down(clip),),
        series=make_series(clip),
    )


def judged(label: Label) -> VerifiedLabel:
    """A label that came through judges that ask models, and that a person accepted."""
    trials = tuple(
        Opinion(judge="blind-7b", about=f"options rotated by {turn}", outcome="wrong" if turn else "right")
        for turn in range(4)
    )
    claim = Opinion(
        judge="other-vlm", about="The first shot gives way by a hard cut.", outcome="supported",
        pts=label.span.start_pts + 96_000, reason="The picture changes from one frame to the next.",
    )  # fmt: skip
    marked = Opinion(judge="critic-vlm", about="temporal accuracy", outcome="scored", score=4.5)
    leakage = Verdict(
        subject_id=label.label_id, decision="keep", rule="verify.leakage", score=0.25, threshold=0.4,
        reason="1 of 4 blind answers was right, which guessing explains", looked_at="question and options alone",
        judges=("blind-7b",), trials=4, interval_low=0.0063, interval_high=0.8059, opinions=trials, cost_usd=0.0004,
    )  # fmt: skip
    veracity = leakage.replace(
        rule="verify.veracity", score=1.0, threshold=1.0, reason="1 of 1 claims is supported", trials=None,
        interval_low=None, interval_high=None, opinions=(claim,), judges=("other-vlm",), looked_at="6 keyframes",
    )  # fmt: skip
    critic = veracity.replace(
        rule="verify.critic", score=4.5, threshold=2.0, reason="marked 4.5 of 5 on the mean of five axes",
        opinions=(marked,), judges=("critic-vlm",),
    )  # fmt: skip
    review = Verdict(
        subject_id=label.label_id, decision="keep", rule="review", score=None, threshold=None,
        reason="Ada decided so: fine as it is", looked_at="the label and its clip", judges=("Ada",),
    )  # fmt: skip
    found = kept(label).judged(veracity).judged(leakage, question_class="temporal").judged(critic, route="sft")
    return found.judged(review)


def turned_down(clip: Clip, number: int = 7) -> LabelFate:
    """A question that could be answered without the video."""
    label = qa_label(clip, number)
    verdict = Verdict(
        subject_id=label.label_id, decision="reject", rule="verify.leakage", score=0.92, threshold=0.4,
        reason="11 of 12 blind answers were right", looked_at="question and options alone", judges=("blind-7b",),
        trials=12, interval_low=0.6152, interval_high=0.9979, cost_usd=0.0011,
    )  # fmt: skip
    judged = kept(label).judged(verdict)
    return LabelFate(
        label=label, made=label_version(label), outcome="rejected", step="verify.leakage", checks=judged.checks,
        verdicts=judged.verdicts,
    )  # fmt: skip


def make_sample(clip: Clip, split: DatasetSplit = "train", n_labels: int = 6) -> PackagedSample:
    return PackagedSample(
        sample_key=clip.clip_id, clip_id=clip.clip_id, source_id=clip.source_id, source_name=clip.name, split=split,
        shard=f"{split}-000000", span=clip.span, n_frames=clip.n_frames, n_labels=n_labels, n_bytes=250_000,
        video_offset=512, video_size_bytes=240_000, video_sha256="0" * 64, json_offset=241_152, json_size_bytes=10_000,
        json_sha256="1" * 64, is_stream_copy=True,
    )  # fmt: skip


def make_statistics(clips: Sequence[ReportClip], split: DatasetSplit = "train") -> DatasetStatistics:
    parts = [statistics_of(make_sample(c.description.clip, split), c.description, c.labels) for c in clips]
    return sum(parts, start=DatasetStatistics())


def make_summary(clips: Sequence[ReportClip]) -> RunSummary:
    """A run over 40 sources of which one fails."""
    labels = sum(len(clip.labels) for clip in clips)
    n = len(clips)
    steps = (
        ("probe", "source", 40, 38, 1, 1),
        ("scan", "slice", 41, 40, 0, 1),
        ("split", "slice", 40, 40, 0, 0),
        ("describe", "clip", n + 9, n + 9, 0, 0),
        ("dedup", "clip", n + 9, n + 9, 0, 0),
        ("annotate.measured", "clip", n + 9, n + 9, 0, 0),
        ("verify.evidence", "label", labels + 14, labels, 14, 0),
        ("package", "clip", n + 9, n, 9, 0),
    )
    return RunSummary(
        sources=40,
        slices=41,
        shots=3 * n,
        clips=n + 9,
        labels=labels,
        samples=n,
        duration_s=12.0 * n,
        labels_by_kind=(Count(name="qa", count=2 * n), Count(name="sv6d", count=3 * n)),
        labels_by_task=(Count(name="transition_kind", count=n), Count(name="camera_motion", count=n)),
        rejections=(Count(name="split.min_clip_s", count=9), Count(name="verify.evidence", count=14)),
        failures=(Count(name="MediaError", count=2),),
        damaged=1,
        steps=tuple(
            StepSummary(
                step=step, unit=unit, units=units, results=results, rejections=rejections, failures=failures,
                cells_done=4, cells_stale=0, cells_missing=0,
            )
            for step, unit, units, results, rejections, failures in steps
        ),
        judges=(
            JudgeSummary(step="verify.evidence", units=labels + 14, kept=labels + 3, rejected=11, failed=0),
            JudgeSummary(
                step="verify.leakage", units=labels + 3, kept=labels, rejected=2, failed=1, models=("blind-7b",),
                replies=120, cost_usd=0.02,
            ),
        ),
        priors=make_priors(),
        reviews=ReviewSummary(accepted=2, rejected=1, without_effect=1),
        tokens=960 * n,
        cost_usd=0.0007 * n,
    )  # fmt: skip


def make_problems(name: str = "damaged.avi") -> tuple[Problem, ...]:
    return (
        Problem(
            outcome="failure",
            step="scan",
            subject=name,
            kind="MediaError",
            message=f"{name}: no frame could be decoded",
        ),
        Problem(
            outcome="rejection",
            step="split",
            subject="street.mp4 1.2 s to 2.0 s",
            kind="split.min_clip_s",
            message="It lasts 0.8 s.",
        ),
        Problem(
            outcome="rejection",
            step="verify.evidence",
            subject="street.mp4 QA 7",
            kind="verify.evidence",
            message="No pan was measured.",
        ),
        Problem(
            outcome="damage", step="scan", subject="old.avi", kind="damage", message="old.avi: 3 packets are missing"
        ),
    )
