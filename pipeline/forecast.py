"""What asking would take: requests, tokens and money of each annotator, before anything is sent.

Here: `forecast`. Not here: how tokens and prices are counted (`endpoint.tokens`, `endpoint.prices`), or showing it
(`jobs.dry_run`).

Where an annotator goes on from labels that are not there yet, they are made up: as many as the settings ask for, of a
usual length. An answer is counted at its full length for the most that a run may cost; for what is likely, at the mean
of the annotator's kept replies, or at a third of its full length where there are none. Repairs are not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from annotators.annotator import Abstention, Annotator
from annotators.ask import Asker
from annotators.endpoint.prices import Usage, tariff
from annotators.endpoint.replies import Replies
from annotators.endpoint.tokens import estimate
from annotators.inquiry import AnswerError
from annotators.subject import ClipSubject, SliceSubject, Subject
from annotators.table import ASKING
from pipeline.annotated_units import Said, clip_subjects, takes
from pipeline.grid import CODE_VERSION, Inputs, Run
from schemas.asking import AskConfig
from schemas.evidence import Evidence
from schemas.label import Caption, Label, QAItem
from schemas.provenance import Provenance
from schemas.signals import ClipDescription

LIKELY_SHARE = 1 / 3
"""Of the longest answer, where no reply was kept. Ours."""
MIN_REPLIES = 5
"""Fewer kept replies say nothing about the length of others. Ours."""
USUAL_TEXT = "Somebody walks through the picture from left to right while the camera follows. " * 2
"""A caption or a question that is not written yet. Ours."""


@dataclass(frozen=True)
class Forecast:
    """What one annotator would take."""

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
    """One forecast an annotator, in the grid's order. Clips must be described up to `dedup`."""
    replies = Replies(run.store)
    written = {
        name: tally.output_tokens / tally.requests
        for name, tally in replies.tallies().items()
        if tally.requests >= MIN_REPLIES
    }
    for name, section in run.config.annotate.asking().items():
        annotator = next(one for one in ASKING if one.name == name)
        likely = written.get(name, section.max_tokens * LIKELY_SHARE)
        yield _forecast(run, annotator, section, replies, round(likely))


def _forecast(run: Run, annotator: Annotator[Any], section: AskConfig, replies: Replies, likely: int) -> Forecast:
    endpoint = run.config.endpoints[section.endpoint]
    prices = tariff(endpoint)
    asker = Asker(annotator, section, endpoint, CODE_VERSION)
    units = requests = kept = pictures = input_tokens = output_tokens = 0
    step = run.step(f"annotate.{annotator.name}")
    is_made_up = False
    for row in run.rows(step):
        inputs = Inputs(run, step, row)
        is_complete = inputs.identities() is not None
        is_made_up |= not is_complete
        found = (unit.payload for unit in step.units(inputs)) if is_complete else _made_up(inputs, annotator)
        for subject in found:
            units += 1
            try:
                request = asker.first_request(subject)
            except AnswerError:
                continue  # becomes a failure without being sent
            if isinstance(request, Abstention):
                continue
            requests += 1
            if replies.get(request.key) is not None:
                kept += 1
                continue
            taken = estimate(request, prices)
            pictures += request.n_pictures
            input_tokens += taken.input_tokens
            output_tokens += taken.output_tokens
    likely_tokens = min(output_tokens, likely * (requests - kept))
    return Forecast(
        annotator=annotator.name, model=endpoint.model, units=units, unit=annotator.unit, requests=requests, kept=kept,
        pictures=pictures, input_tokens=input_tokens, most_output_tokens=output_tokens,
        likely_output_tokens=likely_tokens,
        most_usd=prices.cost_usd(Usage(input_tokens=input_tokens, output_tokens=output_tokens)),
        likely_usd=prices.cost_usd(Usage(input_tokens=input_tokens, output_tokens=likely_tokens)),
        is_made_up=is_made_up,
    )  # fmt: skip


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
                made[name] = (_question(description),) * int(getattr(enabled[name], "items_per_clip", 1))
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


def _caption(description: ClipDescription) -> Label:
    return _label(description).replace(kind="caption", qa=None, caption=Caption(text=USUAL_TEXT))


def _question(description: ClipDescription) -> Label:
    return _label(description)


def _label(description: ClipDescription) -> Label:
    clip = description.clip
    item = QAItem(task="unknown", question=f"{USUAL_TEXT}?", options=(USUAL_TEXT, "another"), answer_index=0)
    evidence = Evidence(span=clip.span, modality="frame", observation=USUAL_TEXT, claim=None, source="forecast")
    provenance = Provenance(annotator="forecast", annotator_version="1", code_version=CODE_VERSION)
    return Label(
        label_id=f"{clip.clip_id}-forecast-000", clip_id=clip.clip_id, kind="qa", span=clip.span, qa=item,
        evidence=(evidence,), provenance=provenance,
    )  # fmt: skip
