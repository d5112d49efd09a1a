"""SV6D segments: the clip divided in time, each stretch with values in six dimensions and what shows them.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/sv6d.j2`), measured
values (`annotators.measured.sv6d`), or how well two annotators agree.

After Leum-VL's SV6D: six dimensions, each label tied to evidence on the timeline, and the weak units that nothing
measures: hooks, cut rationales, tension, packaging cues. The attributes with their values are the taxonomy's, and the
tolerances below are ours.
"""

from collections.abc import Iterator

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer, SeenEvidence
from annotators.cited import CitedEvidence
from annotators.facts import measured_facts
from annotators.pictures import pictures
from annotators.subject import ClipSubject, UnsoundError, sound_text
from schemas.asking import SV6DConfig
from schemas.label import Label, SV6DSegment, SV6DValue
from schemas.provenance import Provenance
from schemas.taxonomy import Attribute, SV6DTaxonomy
from schemas.time import Span

OVERLAP_TOLERANCE_S = 0.3
"""How far a segment may reach into the one before it: models round, and a slow transition belongs to both. Ours."""
MAX_VALUE_CHARS = 300
"""Longest value of an attribute that takes free text. Ours."""
EMPTY_WORDS = frozenset({"none", "n/a", "na", "null", "unknown", "unclear", "not visible", "not applicable", "-"})
"""What models write into an attribute that takes free text where they have nothing to say. Ours."""


MOST_EVIDENCE = 6
"""Pieces of evidence of one segment. Ours, like the other lengths below: a small model must come to an end."""


class ValueAnswer(Answer):
    """One value."""

    dimension: str = Field(description="name of the dimension, as listed")
    attribute: str = Field(description="name of the attribute within the dimension, as listed")
    value: str = Field(description="one of the attribute's listed values; free text only where none are listed")
    evidence: list[int] = Field(
        description="numbers of the segment's evidence that show it; the first is 1", max_length=MOST_EVIDENCE
    )


class SegmentAnswer(Answer):
    """One stretch of the clip."""

    start_s: float = Field(description="seconds from the clip's start")
    end_s: float = Field(description="seconds from the clip's start")
    evidence: list[SeenEvidence] = Field(min_length=1, max_length=MOST_EVIDENCE)
    values: list[ValueAnswer] = Field(min_length=1, max_length=40)


class SV6DAnswer(Answer):
    """What a model says of a clip."""

    segments: list[SegmentAnswer] = Field(min_length=1, max_length=64, description="in order of time")


def request(subject: ClipSubject, config: SV6DConfig) -> Request | Abstention:
    """The clip's pictures and facts, its shots as a first division, and the attributes that nothing measures."""
    asked = [
        {"name": dimension.name, "description": dimension.description, "attributes": open_ones}
        for dimension in config.taxonomy.dimensions
        if (open_ones := [attribute for attribute in dimension.attributes if not attribute.measured])
    ]
    if not asked:
        return Abstention("the taxonomy has no attribute that is left to a model")
    return Request(
        values={
            "duration_s": subject.duration_s,
            "max_segments": config.max_segments,
            "n_shots": len(subject.description.shots),
            "stretches": _first_division(subject, config.max_segments),
            "dimensions": asked,
            "measured": [f"{d.name}.{a.name}" for d in config.taxonomy.dimensions for a in d.attributes if a.measured],
        },
        pictures=pictures(subject, config),
        facts=measured_facts(subject) if config.facts else (),
    )


def read(subject: ClipSubject, answer: SV6DAnswer, config: SV6DConfig, provenance: Provenance) -> Reading:
    """One label a segment that can stand, with those of its values that can."""
    labels: list[Label] = []
    problems: list[str] = []
    if len(answer.segments) > config.max_segments:
        problems.append(f"{len(answer.segments)} segments; {config.max_segments} are the most")
    for number, segment in enumerate(answer.segments[: config.max_segments], 1):
        what = f"segment {number}"
        try:
            span = subject.span(segment.start_s, segment.end_s, what)
            _require_after(labels[-1].span if labels else None, span, what)
        except UnsoundError as error:
            problems.append(str(error))
            continue
        seen = CitedEvidence(subject, segment.evidence, provenance.model, what, near=span)
        problems += seen.problems
        found = list(_values(segment, seen, config.taxonomy, what))
        problems += [one for one in found if isinstance(one, str)]
        values = tuple(one for one in found if isinstance(one, SV6DValue))
        if values:
            labels.append(_label(subject, span, values, seen, provenance))
        else:
            problems.append(f"{what} has no value that can stand")
    return Reading(tuple(labels), tuple(problems))


def _first_division(subject: ClipSubject, max_segments: int) -> list[dict[str, float]]:
    """The measured shots, neighbours joined evenly where there are more than so many."""
    shots = subject.description.shots
    count = min(len(shots), max_segments)
    starts = [len(shots) * number // count for number in range(count)]
    ends = [*starts[1:], len(shots)]
    return [
        {"start_s": subject.seconds(shots[a].span.start_pts), "end_s": subject.seconds(shots[b - 1].span.end_pts)}
        for a, b in zip(starts, ends, strict=True)
    ]


def _require_after(before: Span | None, span: Span, what: str) -> None:
    """Raises UnsoundError where a segment starts before the last one that stands, or reaches far into it."""
    if before is None:
        return
    if span.start_pts < before.start_pts:
        raise UnsoundError(f"{what} starts before the segment ahead of it: list segments in order of time")
    overlap_s = before.overlap_s(span)
    # Half of a short segment would pass otherwise.
    if overlap_s > min(OVERLAP_TOLERANCE_S, before.duration_s / 2, span.duration_s / 2):
        raise UnsoundError(f"{what} overlaps the segment before it by {overlap_s:.2f} s: let it start where that ends")


def _values(
    segment: SegmentAnswer, seen: CitedEvidence, taxonomy: SV6DTaxonomy, what: str
) -> Iterator[SV6DValue | str]:
    """The values of a segment, or why they cannot stand."""
    said: set[tuple[str, str]] = set()
    for number, answer in enumerate(segment.values, 1):
        who = f"value {number} of {what}"
        try:
            dimension, attribute = _attribute(answer, taxonomy, who)
            if (dimension, attribute.name) in said:
                raise UnsoundError(f"{who} gives {dimension}.{attribute.name} a second time")
            value = _allowed(answer.value, attribute, f"{who} ({dimension}.{attribute.name})")
            cited = seen.cite(answer.evidence, who)
        except UnsoundError as error:
            yield str(error)
            continue
        said.add((dimension, attribute.name))
        yield SV6DValue(dimension=dimension, attribute=attribute.name, value=value, evidence=cited)


def _attribute(answer: ValueAnswer, taxonomy: SV6DTaxonomy, who: str) -> tuple[str, Attribute]:
    """The dimension's name and the attribute that are meant. Raises UnsoundError where the taxonomy has none such."""
    dimension = next((d for d in taxonomy.dimensions if _fold(d.name) == _fold(answer.dimension)), None)
    if dimension is None:
        known = ", ".join(d.name for d in taxonomy.dimensions)
        raise UnsoundError(f"{who} names a dimension that is not one of {known}")
    # Attributes are listed below their dimension, and some models write both into one name.
    name = _fold(answer.attribute).removeprefix(f"{_fold(dimension.name)}.")
    attribute = next((a for a in dimension.attributes if _fold(a.name) == name), None)
    if attribute is None:
        known = ", ".join(a.name for a in dimension.attributes)
        raise UnsoundError(f"{who} names an attribute that {dimension.name} does not have; it has {known}")
    return dimension.name, attribute


def _allowed(value: str, attribute: Attribute, what: str) -> str:
    """The value as the taxonomy writes it, or the free text. Raises UnsoundError where it is not allowed."""
    if attribute.values:
        known = next((allowed for allowed in attribute.values if _fold(allowed) == _fold(value)), None)
        if known is None:
            raise UnsoundError(f"{what} must be one of {', '.join(attribute.values)}")
        return known
    text = sound_text(value, what, MAX_VALUE_CHARS)
    if text.casefold().rstrip(".") in EMPTY_WORDS:
        raise UnsoundError(f"{what} says nothing: leave out what cannot be seen")
    return text


def _fold(name: str) -> str:
    """A name apart from case, and with one separator."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _label(
    subject: ClipSubject, span: Span, values: tuple[SV6DValue, ...], seen: CitedEvidence, provenance: Provenance
) -> Label:
    return Label(
        label_id="", clip_id=subject.clip.clip_id, kind="sv6d", span=span, sv6d=SV6DSegment(values=values),
        evidence=seen.evidence, provenance=provenance,
    )  # fmt: skip


ANNOTATOR = Annotator(
    name="sv6d",
    version="1",
    unit="clip",
    kind="sv6d",
    answer=SV6DAnswer,
    request=request,
    read=read,
    most=lambda config: {"segments": config.max_segments},
)
