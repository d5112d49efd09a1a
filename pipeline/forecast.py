"""What asking would take: requests, tokens and money of each annotator, before anything is sent.

Here: `forecast`. Not here: how tokens and prices are counted (`endpoint.tokens`, `endpoint.prices`), or showing it
(`jobs.dry_run`).

Where an annotator goes on from labels that are not there yet, they are made up: as many as the settings ask for, of a
usual length. An answer is counted at its full length for the most that a run may cost; for what is likely, at the mean
of the annotator's kept replies, or at a third of its full length where there are none. Repairs are not counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotators.annotator import Abstention, Annotator
from annotators.ask import Asker
from annotators.endpoint.chat import ChatRequest
from annotators.endpoint.prices import Tariff, Usage, tariff
from annotators.endpoint.replies import Replies
from annotators.endpoint.tokens import estimate
from annotators.inquiry import AnswerError
from annotators.judges.judge import JudgeSubject
from annotators.subject import ClipSubject, SliceSubject, Subject
from annotators.table import ASKING
from pipeline.annotated_units import Said, clip_subjects, takes
from pipeline.grid import CODE_VERSION, Inputs, Run
from pipeline.judging import Judging
from schemas.asking import AskConfig, EndpointConfig
from schemas.config import RunConfig
from schemas.evidence import Evidence
from schemas.judging import JudgeConfig
from schemas.label import Caption, Label, QAItem, SV6DSegment, SV6DValue, VerifiedLabel
from schemas.provenance import Provenance
from schemas.signals import ClipDescription
from schemas.verdict import Verdict

LIKELY_SHARE = 1 / 3
"""Of the longest answer, where no reply was kept. Ours."""
MIN_REPLIES = 5
"""Fewer kept replies say nothing about the length of others. Ours."""
USUAL_TEXT = "Somebody walks through the picture from left to right while the camera follows. " * 2
"""A caption or a question that is not written yet. Ours."""


@dataclass(frozen=True)
class Forecast:
    """What one annotator or judge would take."""

    annotator: str
    model: str
    units: int
    """Clips, labels or slices; made up ones counted."""
    unit: str
    requests: int
    kept: int
    """Requests whose reply is there already: they cost nothing."""
    pictures: int
    input_tokens: int
    most_output_tokens: int
    likely_output_tokens: int
    most_usd: float | None
    """None where the price is unknown."""
    likely_usd: float | None
    is_made_up: bool
    """Whether labels that are not there yet were counted."""


def forecast(run: Run) -> Iterator[Forecast]:
    """One forecast for each annotator and judge that asks, in the grid's order, once clips are described."""
    replies = Replies(run.store)
    written = {
        name: tally.output_tokens / tally.requests
        for name, tally in replies.tallies().items()
        if tally.requests >= MIN_REPLIES
    }
    for name, section in run.config.asking().items():
        counted = _Counted(replies, written.get(_ledger_name(name), section.max_tokens * LIKELY_SHARE))
        step = run.step(name)
        is_made_up = False
        for row in run.rows(step):
            inputs = Inputs(run, step, row)
            is_made_up |= inputs.identities() is None
            for requests in _asked(inputs, section):
                counted.add(requests, run.config.endpoints)
        models = dict.fromkeys(run.config.endpoints[endpoint].model for endpoint in run.config.asked_by(name))
        yield counted.forecast(_ledger_name(name), ", ".join(models), step.unit, is_made_up=is_made_up)


def _ledger_name(step: str) -> str:
    return step.removeprefix("annotate.")


Requests = Sequence[tuple[ChatRequest, float]]
"""What a unit takes: requests, each with how often one like it is likely to be sent."""


def _asked(inputs: Inputs, section: AskConfig) -> Iterator[Requests]:
    """What each unit of a cell takes; labels that are not there yet are made up."""
    config, is_complete = inputs.run.config, inputs.identities() is not None
    if isinstance(section, JudgeConfig):
        judging = _judging(inputs)
        found = (unit.payload for unit in inputs.step.units(inputs)) if is_complete else _made_up_judged(inputs)
        for subject in found:
            yield list(judging.likely(subject))
        return
    annotator = next(one for one in ASKING if f"annotate.{one.name}" == inputs.step.name)
    asker = Asker(annotator, section, config.endpoints[section.endpoint], CODE_VERSION)
    subjects = (unit.payload for unit in inputs.step.units(inputs)) if is_complete else _made_up(inputs, annotator)
    for subject in subjects:
        try:
            request = asker.first_request(subject)
        except AnswerError:
            request = Abstention("becomes a failure without being sent")
        yield [] if isinstance(request, Abstention) else [(request, 1.0)]


def _judging(inputs: Inputs) -> Judging:
    judging = inputs.step.asker(inputs.run.config) if inputs.step.asker else None
    if not isinstance(judging, Judging):
        raise TypeError(f"{inputs.step.name} is no judge that asks")
    return judging


@dataclass
class _Counted:
    """What was counted so far for one step."""

    replies: Replies
    written: float
    """Output tokens of a likely answer."""
    units: int = 0
    requests: float = 0.0
    kept: float = 0.0
    pictures: float = 0.0
    input_tokens: float = 0.0
    most_output_tokens: float = 0.0
    most_usd: float | None = 0.0
    likely_usd: float | None = 0.0

    def add(self, requests: Requests, endpoints: Mapping[str, EndpointConfig]) -> None:
        """Count a unit."""
        self.units += 1
        for request, times in requests:
            self.requests += times
            if self.replies.get(request.key) is not None:
                self.kept += times
                continue
            prices = tariff(endpoints[request.endpoint])
            taken = estimate(request, prices)
            self.pictures += request.n_pictures * times
            self.input_tokens += taken.input_tokens * times
            self.most_output_tokens += taken.output_tokens * times
            likely = min(taken.output_tokens, round(self.written))
            self.most_usd = _plus(self.most_usd, _price(prices, taken.input_tokens, taken.output_tokens), times)
            self.likely_usd = _plus(self.likely_usd, _price(prices, taken.input_tokens, likely), times)

    def forecast(self, name: str, model: str, unit: str, *, is_made_up: bool) -> Forecast:
        """What it amounts to."""
        likely_tokens = min(self.most_output_tokens, self.written * (self.requests - self.kept))
        return Forecast(
            annotator=name, model=model, units=self.units, unit=unit, requests=round(self.requests),
            kept=round(self.kept), pictures=round(self.pictures), input_tokens=round(self.input_tokens),
            most_output_tokens=round(self.most_output_tokens), likely_output_tokens=round(likely_tokens),
            most_usd=self.most_usd, likely_usd=self.likely_usd, is_made_up=is_made_up,
        )  # fmt: skip


def _price(prices: Tariff, input_tokens: int, output_tokens: int) -> float | None:
    return prices.cost_usd(Usage(input_tokens=input_tokens, output_tokens=output_tokens))


def _plus(total: float | None, cost_usd: float | None, times: float) -> float | None:
    return None if total is None or cost_usd is None else total + cost_usd * times


def _made_up_judged(inputs: Inputs) -> Iterator[JudgeSubject]:
    """The labels that a judge would see, had the annotators that are on said as much as they may.

    What measurements say is no guess: those labels are made as they will be.
    """
    from annotators.measured import annotate_clip

    config = inputs.run.config
    enabled = config.annotate.enabled()
    for clip in clip_subjects(inputs, said=lambda _: {}):
        labels: list[Label] = []
        if "measured" in enabled:
            labels += annotate_clip(clip.description, config.annotate.measured, CODE_VERSION).labels
        said: dict[str, tuple[Label, ...]] = {}
        for one in (one for one in ASKING if one.name in enabled and not one.revises):
            count = next((int(v) for f in _COUNTS if (v := getattr(enabled[one.name], f, None)) is not None), 1)
            made = {"qa": _question, "sv6d": _segment}.get(one.kind, _caption)(clip.description)
            said[one.name] = (made,) * count
            labels += said[one.name]
        for label in labels:
            verdict = Verdict(
                subject_id=label.label_id, decision="keep", rule="forecast", score=None, threshold=None, reason=""
            )
            kept = VerifiedLabel(label=label, checks=(), verdicts=(verdict,))
            yield JudgeSubject(kept, replace(clip, about=label, labels=said))


_COUNTS = ("items_per_clip", "max_segments", "queries_per_clip", "max_events")
"""Settings that say how many labels an annotator makes of a clip."""


def _made_up(inputs: Inputs, annotator: Annotator[Any]) -> Iterator[Subject]:
    """The units of an annotator, with labels that are not there yet."""
    config = inputs.run.config

    def said(description: ClipDescription) -> Said:
        made: dict[str, tuple[Label, ...]] = {}
        enabled = config.annotate.enabled()
        if "caption" in annotator.after and "caption" in enabled:
            made["caption"] = (_caption(description),) * (1 + config.annotate.caption.max_events)
        for name in ("qa", "dense_text"):
            if name in annotator.after and name in enabled:
                question = _question(description) if _has_options(annotator, config) else _open_question(description)
                made[name] = (question,) * int(getattr(enabled[name], "items_per_clip", 1))
        return made

    subjects = clip_subjects(inputs, with_pictures=annotator.unit != "slice", said=said)
    if annotator.unit == "clip":
        yield from subjects
    elif annotator.unit == "slice":
        by_slice: dict[str, list[ClipSubject]] = {}
        for subject in subjects:
            by_slice.setdefault(subject.clip.slice_id, []).append(subject)
        yield from (SliceSubject(slice_id, tuple(clips)) for slice_id, clips in by_slice.items())
    else:
        makers = [name.removeprefix("annotate.") for name in takes(annotator)]
        for subject in subjects:
            for label in (label for name in makers for label in subject.labels.get(name, ())):
                yield ClipSubject(subject.description, subject.samples, subject.labels, label)


def _has_options(annotator: Annotator[Any], config: RunConfig) -> bool:
    """Whether questions have wrong options when they come to an annotator."""
    return "distractors" in annotator.after and "distractors" in config.annotate.enabled()


def _caption(description: ClipDescription) -> Label:
    return _label(description).replace(kind="caption", qa=None, caption=Caption(text=USUAL_TEXT))


def _question(description: ClipDescription) -> Label:
    return _label(description)


def _open_question(description: ClipDescription) -> Label:
    item = QAItem(task="unknown", question=f"{USUAL_TEXT}?", options=(USUAL_TEXT,), answer_index=0)
    return _label(description).replace(qa=item)


def _segment(description: ClipDescription) -> Label:
    value = SV6DValue(dimension="subject", attribute="main_subject", value=USUAL_TEXT, evidence=(0,))
    label = _label(description).replace(kind="sv6d", qa=None, sv6d=SV6DSegment(values=(value,)))
    return label.replace(provenance=label.provenance.replace(annotator="sv6d"))


def _label(description: ClipDescription) -> Label:
    clip = description.clip
    item = QAItem(task="unknown", question=f"{USUAL_TEXT}?", options=(USUAL_TEXT, "another"), answer_index=0)
    evidence = Evidence(span=clip.span, modality="frame", observation=USUAL_TEXT, claim=None, source="forecast")
    provenance = Provenance(annotator="forecast", annotator_version="1", code_version=CODE_VERSION)
    return Label(
        label_id=f"{clip.clip_id}-forecast-000", clip_id=clip.clip_id, kind="qa", span=clip.span, qa=item,
        evidence=(evidence,), provenance=provenance,
    )  # fmt: skip
