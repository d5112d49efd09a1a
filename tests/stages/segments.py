"""SV6D segments written down in seconds, and Hypothesis strategies for sets of them.

Here: `segment` and the strategies. Not here: what is expected of their agreement.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hypothesis import strategies as st

from schemas.evidence import Evidence
from schemas.label import Label, SV6DSegment, SV6DValue
from schemas.provenance import Provenance
from schemas.taxonomy import sv6d_taxonomy
from schemas.time import Span, TimeBase

TAXONOMY = sv6d_taxonomy()
BASE = TimeBase(numerator=1, denominator=12800)
"""25 pictures a second, as most files have it."""
CLIP_S = 12.0
BY = Provenance(annotator="somebody", annotator_version="1", code_version="1.2.3")
Values = Mapping[str, str | Sequence[str]]
"""`dimension.attribute` to one or several values."""


def span_s(start_s: float, end_s: float, base: TimeBase = BASE) -> Span:
    return Span(start_pts=base.ticks(start_s), end_pts=base.ticks(end_s), time_base=base)


CLIP = span_s(0, CLIP_S)


def seen(span: Span, observation: str = "It is seen.") -> Evidence:
    return Evidence(span=span, modality="frame", observation=observation, claim=None, source="somebody")


def segment(
    start_s: float, end_s: float, values: Values, *, evidence: Evidence | None = None, base: TimeBase = BASE,
    clip_id: str = "the-clip", label_id: str = "the-label",
) -> Label:  # fmt: skip
    """A label; its evidence lies where the segment does unless told otherwise."""
    said = [
        SV6DValue(dimension=key.partition(".")[0], attribute=key.partition(".")[2], value=value, evidence=(0,))
        for key, given in values.items()
        for value in ([given] if isinstance(given, str) else given)
    ]
    span = span_s(start_s, end_s, base)
    return Label(
        label_id=label_id, clip_id=clip_id, kind="sv6d", span=span, sv6d=SV6DSegment(values=tuple(said)),
        evidence=(evidence or seen(span),), provenance=BY,
    )  # fmt: skip


def shifted(label: Label, seconds: float) -> Label:
    """The segment with its evidence, moved."""
    evidence = tuple(one.replace(span=one.span.shift(seconds)) for one in label.evidence)
    return label.replace(span=label.span.shift(seconds), evidence=evidence)


def with_values(label: Label, values: Sequence[SV6DValue]) -> Label:
    return label.replace(sv6d=SV6DSegment(values=tuple(values)))


def values_of(label: Label) -> tuple[SV6DValue, ...]:
    assert label.sv6d is not None
    return label.sv6d.values


_KEYS = [(d.name, a) for d in TAXONOMY.dimensions for a in d.attributes]


_SIGNS = "aAbc. \u00e9\u0301\u5c0f\u72d7\u202e\U0001f600\x00"


@st.composite
def said(draw: st.DrawFn) -> dict[str, str | list[str]]:
    """Values of one segment: any attributes, any of the taxonomy's values, any text where it lists none."""
    chosen = draw(st.lists(st.sampled_from(_KEYS), min_size=1, max_size=5, unique_by=lambda key: (key[0], key[1].name)))
    values: dict[str, str | list[str]] = {}
    for dimension, attribute in chosen:
        one = st.sampled_from(attribute.values) if attribute.values else st.text(_SIGNS, max_size=12)
        values[f"{dimension}.{attribute.name}"] = draw(st.lists(one, min_size=1, max_size=2))
    return values


@st.composite
def segments(draw: st.DrawFn, max_size: int = 6) -> list[Label]:
    """Any segments, sound or not: over each other, empty, outside the clip, with evidence that lies elsewhere."""
    found = []
    for _ in range(draw(st.integers(0, max_size))):
        start, length = draw(st.integers(-20, 160)) / 10, draw(st.integers(0, 100)) / 10
        elsewhere = seen(span_s(50, 51), draw(st.sampled_from(["It is seen.", " "])))
        evidence = draw(st.sampled_from([None, elsewhere]))
        found.append(segment(start, start + length, draw(said()), evidence=evidence))
    return found


@st.composite
def shots(draw: st.DrawFn, *, min_size: int = 1, unlike: bool = False) -> list[Label]:
    """Sound segments one after the other inside the clip; with `unlike`, no two have anything in common."""
    bounds = sorted(draw(st.sets(st.integers(0, int(CLIP_S * 5)), min_size=min_size + 1, max_size=7)))
    spans = [(start / 5, end / 5) for start, end in pairwise(bounds)]
    signs = "abcdefghij"
    return [
        segment(*span, {"subject.main_subject": signs[number] * 5} if unlike else draw(said()))
        for number, span in enumerate(spans)
    ]
