"""Labels as the report shows them: words, places on the timeline, and what became of them.

Here: plain values for the templates. Not here: those of checks (`data_cards.check_view`) and of verdicts
(`data_cards.verdict_view`), or their look (`templates/label.html.j2`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from data_cards import wording
from data_cards.check_view import EvidenceView, StatementView, evidence_views, statement_views
from data_cards.scale import Scale
from data_cards.verdict_view import VerdictView, verdict_view
from schemas.evidence import Evidence
from schemas.label import Label, LabelKind, QAItem, ReasoningStep, ToolTrace, VerifiedLabel
from schemas.provenance import Provenance
from schemas.review import LabelFate, LabelOutcome, label_version

_OUTCOMES = ("contradicted", "unchecked", "confirmed")
"""From the one that matters most."""


@dataclass(frozen=True)
class StepView:
    """One step of a reasoning chain."""

    role: str
    text: str
    time: str
    places: str
    cites: str


@dataclass(frozen=True)
class ValueView:
    """One SV6D value."""

    attribute: str
    value: str
    places: str


@dataclass(frozen=True)
class PartView:
    """One point of a checklist, one moment, or one turn of a tool trace."""

    name: str
    text: str
    note: str
    places: str


@dataclass(frozen=True)
class LabelView:
    """One label."""

    label_id: str
    kind: LabelKind
    task: str
    title: str
    answer: str
    """Letter and text of the right option; empty where there is none."""
    time: str
    places: str
    bands: tuple[tuple[float, float], ...]
    options: tuple[tuple[str, str, bool], ...]
    """Letter, text, whether it is the right one."""
    steps: tuple[StepView, ...]
    dimensions: tuple[tuple[str, tuple[ValueView, ...]], ...]
    parts_title: str
    parts: tuple[PartView, ...]
    evidence: tuple[EvidenceView, ...]
    statements: tuple[StatementView, ...]
    """What it says in its own words, where a signal decided it."""
    outcome: str
    """The outcome among all its checks that matters most; empty where none are kept."""
    counts: tuple[tuple[str, int], ...]
    """How often each outcome occurs among its evidence, those that occur."""
    word_counts: tuple[tuple[str, int], ...]
    """How often each outcome occurs among its statements, those that occur."""
    origin: str
    verdicts: tuple[VerdictView, ...]
    fate: LabelOutcome
    rule: str
    """The rule that turned it down, or the judge at which it failed or waits; empty where it was kept."""
    cause: str
    """Why it was turned down or failed, in one sentence."""
    traits: tuple[str, ...]
    """The class of the question, and the training set that the label suits."""
    preferred_over: str
    """What it said before a critic had it bettered."""
    version: str
    """Tells a decision about it from one about what it said before."""
    decided: str
    """`accept` or `reject` where a person decided."""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that occur, of evidence and statements."""
        return tuple(dict.fromkeys(outcome for outcome, _ in (*self.counts, *self.word_counts)))

    @property
    def tokens(self) -> tuple[str, ...]:
        """What a reader can filter by: its fate, the rule that turned it down, its traits, whether a person decided."""
        named = (self.rule, *self.traits, "decided by a person" if self.decided else "")
        return (self.fate, *(name for name in named if name))


def label_view(judged: VerifiedLabel | LabelFate, scale: Scale) -> LabelView:
    """The label in words, whatever became of it; times are relative to the clip, whose scale it is shown on."""
    label, qa = judged.label, judged.label.qa
    evidence, statements = evidence_views(judged, scale), statement_views(judged)
    found = {item.outcome for item in evidence} | {item.outcome for item in statements}
    spans = [item.span for item in label.evidence]
    asked = qa or label.trace
    verdicts = tuple(verdict_view(verdict, label, scale) for verdict in judged.verdicts)
    fate, rule, cause = _fate(judged)
    return LabelView(
        label_id=label.label_id,
        kind=label.kind,
        task=qa.task if qa else label.checklist.task if label.checklist else "",
        title=_title(label),
        answer=_answer(asked) if asked else "",
        time=scale.text(label.span),
        places=scale.places(spans),
        bands=tuple(sorted({scale.band(span) for span in spans})),
        options=_options(asked) if asked else (),
        steps=tuple(_step(step, label.evidence, scale) for step in qa.reasoning) if qa else (),
        dimensions=_dimensions(label, scale),
        parts_title=_PARTS_TITLES.get(label.kind, ""),
        parts=tuple(_parts(label, scale)),
        evidence=evidence,
        statements=statements,
        outcome=next((outcome for outcome in _OUTCOMES if outcome in found), ""),
        counts=_counted(evidence),
        word_counts=_counted(statements),
        origin="; then ".join(origin_text(origin) for origin in (label.provenance, *label.revisions)),
        verdicts=verdicts,
        fate=fate,
        rule=rule,
        cause=cause,
        traits=tuple(_traits(judged)),
        preferred_over=judged.preferred_over or "",
        version=label_version(label),
        decided=next((_DECISIONS[verdict.decision] for verdict in verdicts if verdict.is_review), ""),
    )


def _counted(checks: Sequence[EvidenceView | StatementView]) -> tuple[tuple[str, int], ...]:
    found = [check.outcome for check in checks]
    return tuple((outcome, found.count(outcome)) for outcome in reversed(_OUTCOMES) if outcome in found)


_DECISIONS = {"kept": "accept", "rejected": "reject"}


def _fate(judged: VerifiedLabel | LabelFate) -> tuple[LabelOutcome, str, str]:
    """What became of the label, where, and why."""
    if isinstance(judged, VerifiedLabel) or judged.outcome == "kept":
        return "kept", "", ""
    if judged.outcome == "rejected" and judged.verdicts:
        return "rejected", judged.verdicts[-1].rule, judged.verdicts[-1].reason
    return judged.outcome, judged.step, judged.failure or "not every judge has seen it yet"


def _traits(judged: VerifiedLabel | LabelFate) -> Iterator[str]:
    if judged.question_class:
        yield f"class {wording.term(judged.question_class)}"
    if judged.route:
        yield f"route {judged.route}"


_PARTS_TITLES = {"checklist": "Checklist", "moments": "Moments", "trace": "Turns"}


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _answer(asked: QAItem | ToolTrace) -> str:
    """The right option, with its letter where there are others."""
    text = asked.options[asked.answer_index]
    return f"{_letter(asked.answer_index)}  {text}" if len(asked.options) > 1 else text


def _options(asked: QAItem | ToolTrace) -> tuple[tuple[str, str, bool], ...]:
    if len(asked.options) == 1:
        return ()
    return tuple((_letter(i), text, i == asked.answer_index) for i, text in enumerate(asked.options))


def _parts(label: Label, scale: Scale) -> Iterator[PartView]:
    evidence = label.evidence
    for number, item in enumerate(label.checklist.items if label.checklist else (), 1):
        places = scale.places(evidence[index].span for index in item.evidence)
        yield PartView(str(number), item.text, _cites(item.evidence), places)
    for number, moment in enumerate(label.moments.moments if label.moments else (), 1):
        note = f"saliency {wording.figure(moment.saliency)}, {_cites(moment.evidence)}"
        yield PartView(str(number), scale.text(moment.span), note, scale.places([moment.span]))
    for turn in label.trace.turns if label.trace else ():
        frames = len(turn.frames_pts)
        note = f"{scale.text(turn.span)}, {frames} frame{'' if frames == 1 else 's'}, {_cites(turn.evidence)}"
        yield PartView(wording.term(turn.tool), turn.thought, note, scale.places([turn.span]))


def _cites(evidence: Sequence[int]) -> str:
    return f"evidence {', '.join(str(index + 1) for index in evidence)}"


def origin_text(origin: Provenance) -> str:
    """Who made a label, in one line."""
    words = [f"{origin.annotator} {origin.annotator_version}"]
    if origin.model != "none":
        words.append(" ".join(part for part in (origin.model, origin.model_revision) if part))
        words.append(f"prompt {origin.prompt_name} {origin.prompt_sha256[:8]}".rstrip())
        words += [f"temperature {origin.temperature:g}"] if origin.temperature is not None else []
        words.append(f"{wording.grouped(origin.input_tokens + origin.output_tokens)} tokens")
        words.append(wording.money(origin.cost_usd))
    return " · ".join(words)


def _title(label: Label) -> str:
    if label.qa:
        return label.qa.question
    if label.caption:
        return label.caption.text
    if label.checklist:
        return label.checklist.prompt
    if label.moments:
        return label.moments.query
    if label.trace:
        return label.trace.question
    dimensions = dict.fromkeys(value.dimension for value in label.sv6d.values) if label.sv6d else {}
    return ", ".join(dimensions).capitalize()


def _step(step: ReasoningStep, evidence: Sequence[Evidence], scale: Scale) -> StepView:
    return StepView(
        role=step.role,
        text=step.text,
        time=scale.text(step.span),
        places=scale.places([step.span, *(evidence[index].span for index in step.evidence)]),
        cites=_cites(step.evidence) + _frame(step, scale),
    )


def _frame(step: ReasoningStep, scale: Scale) -> str:
    """The frame that a step rests on, and where on it to look."""
    if step.frame_pts is None:
        return ""
    at = step.span.replace(start_pts=step.frame_pts, end_pts=step.frame_pts)
    box = step.box
    edges = f", box {box.left:.2f} {box.top:.2f} {box.right:.2f} {box.bottom:.2f}" if box else ""
    return f", frame {scale.text(at)}{edges}"


def _dimensions(label: Label, scale: Scale) -> tuple[tuple[str, tuple[ValueView, ...]], ...]:
    groups: dict[str, list[ValueView]] = {}
    for value in label.sv6d.values if label.sv6d else ():
        places = scale.places(label.evidence[index].span for index in value.evidence)
        view = ValueView(wording.term(value.attribute), wording.term(value.value), places)
        groups.setdefault(value.dimension, []).append(view)
    return tuple((dimension, tuple(values)) for dimension, values in groups.items())


def grouped_by_kind(labels: Sequence[LabelView]) -> Mapping[str, Sequence[LabelView]]:
    """Labels by the heading they are shown under; headings without a label are left out."""
    headings: tuple[tuple[str, LabelKind], ...] = (
        ("Questions", "qa"),
        ("Structure (SV6D)", "sv6d"),
        ("Captions", "caption"),
        ("Key moments", "moments"),
        ("Checklists", "checklist"),
        ("Tool traces", "trace"),
    )
    grouped = {heading: [label for label in labels if label.kind == kind] for heading, kind in headings}
    return {heading: members for heading, members in grouped.items() if members}
