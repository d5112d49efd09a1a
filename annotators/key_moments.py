"""Key moments: queries about a clip, each with every stretch that answers it.

Here: the request, the answer's form, and checking it. Not here: the words of the prompt (`prompts/key_moments.j2`).

After PeakClips: a query leads to highlights, in rows like QVHighlights'. The scale of saliency, the checks, and that a
query is left out as a whole where one of its moments cannot stand, since it promises all of them, are ours.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from pydantic import Field

from annotators.annotator import Annotator, Reading, Request
from annotators.answers import Answer, SeenEvidence
from annotators.facts import measured_facts
from annotators.likeness import words
from annotators.pictures import pictures
from annotators.subject import ClipSubject, UnsoundError, sound_text
from schemas.asking import KeyMomentsConfig
from schemas.evidence import Evidence
from schemas.label import KeyMoments, Label, Moment
from schemas.provenance import Provenance
from schemas.time import Span

MAX_SHARE = 0.95
"""Share of the clip that a query's moments may cover: one that is answered always says nothing about when. Ours."""
MAX_QUERY_CHARS = 300
_BEST = 5


class MomentAnswer(Answer):
    """One stretch that answers the query."""

    start_s: float = Field(description="seconds from the clip's start")
    end_s: float = Field(description="seconds from the clip's start, after start_s")
    saliency: Literal[1, 2, 3, 4, 5] = Field(description="how well it answers the query: 1 barely, 5 perfectly")
    evidence: list[SeenEvidence] = Field(min_length=1, description="what is seen within this stretch")


class QueryAnswer(Answer):
    """A query with its moments."""

    query: str = Field(description="what somebody who looks for these moments would type")
    moments: list[MomentAnswer]


class KeyMomentsAnswer(Answer):
    """What a model finds in a clip."""

    queries: list[QueryAnswer]


def request(subject: ClipSubject, config: KeyMomentsConfig) -> Request:
    """The clip's pictures and facts."""
    return Request(
        values={"duration_s": subject.duration_s, "queries_per_clip": config.queries_per_clip},
        pictures=pictures(subject, config),
        facts=measured_facts(subject) if config.facts else (),
    )


def read(subject: ClipSubject, answer: KeyMomentsAnswer, config: KeyMomentsConfig, provenance: Provenance) -> Reading:
    """One label a query that can stand. Of saliency, 1 to 5 become 0 to 1 in equal steps."""
    labels: list[Label] = []
    problems = list(_too_many(answer, config))
    taken: dict[tuple[str, ...], int] = {}
    for number, said in enumerate(answer.queries[: config.queries_per_clip], 1):
        try:
            query = sound_text(said.query, f"query {number}", MAX_QUERY_CHARS)
            if not words(query):
                raise UnsoundError(f"query {number} holds no word")
            earlier = taken.setdefault(words(query), number)
            if earlier != number:
                raise UnsoundError(f"query {number} asks the same as query {earlier}")
            labels.append(_label(subject, query, said.moments, f"query {number}", provenance))
        except UnsoundError as error:
            problems.append(str(error))
    return Reading(tuple(labels), tuple(problems))


def _too_many(answer: KeyMomentsAnswer, config: KeyMomentsConfig) -> Iterator[str]:
    if not answer.queries:
        yield "there is no query"
    if len(answer.queries) > config.queries_per_clip:
        yield f"{len(answer.queries)} queries; {config.queries_per_clip} are the most"


def _label(subject: ClipSubject, query: str, said: list[MomentAnswer], what: str, provenance: Provenance) -> Label:
    """A query with its moments in order of time. Raises UnsoundError where any of them cannot stand."""
    evidence: list[Evidence] = []
    moments: list[Moment] = []
    spans = _spans(subject, said, what)
    for number, span in sorted(spans.items(), key=lambda found: found[1].start_pts):
        moment, seen = (
            said[number - 1],
            _seen(subject, said[number - 1], span, f"moment {number} of {what}", provenance),
        )
        cited = tuple(range(len(evidence), len(evidence) + len(seen)))
        moments.append(Moment(span=span, saliency=(moment.saliency - 1) / (_BEST - 1), evidence=cited))
        evidence += seen
    return Label(
        label_id="", clip_id=subject.clip.clip_id, kind="moments", span=subject.clip.span,
        moments=KeyMoments(query=query, moments=tuple(moments)), evidence=tuple(evidence), provenance=provenance,
    )  # fmt: skip


def _spans(subject: ClipSubject, said: list[MomentAnswer], what: str) -> dict[int, Span]:
    """Spans by the moment's number: apart from each other, and not the whole clip. Raises UnsoundError."""
    if not said:
        raise UnsoundError(f"{what} has no moment that answers it")
    spans = {n: subject.span(m.start_s, m.end_s, f"moment {n} of {what}") for n, m in enumerate(said, 1)}
    ordered = sorted(spans.items(), key=lambda found: found[1].start_pts)
    for (first, before), (second, after) in pairwise(ordered):
        if after.start_pts < before.end_pts:
            raise UnsoundError(f"moments {first} and {second} of {what} overlap: make them one, or set them apart")
    share = sum(span.duration_s for span in spans.values()) / subject.duration_s
    if share > MAX_SHARE:
        raise UnsoundError(f"{what} is answered by {share:.0%} of the clip: it says nothing about when")
    return spans


def _seen(subject: ClipSubject, moment: MomentAnswer, span: Span, what: str, provenance: Provenance) -> list[Evidence]:
    """The evidence of a moment, all of which is seen in it at least in part. Raises UnsoundError."""
    found = []
    for number, seen in enumerate(moment.evidence, 1):
        evidence = subject.evidence(seen, provenance.model, f"evidence {number} of {what}")
        if not _meets(evidence.span, span):
            raise UnsoundError(f"evidence {number} of {what} lies outside the moment")
        found.append(evidence)
    return found


def _meets(seen: Span, moment: Span) -> bool:
    """Whether they share some time; an instant may lie on the moment's edge."""
    if seen.start_pts == seen.end_pts:
        return moment.start_pts <= seen.start_pts <= moment.end_pts
    return seen.start_pts < moment.end_pts and moment.start_pts < seen.end_pts


ANNOTATOR = Annotator(
    name="key_moments",
    version="1",
    unit="clip",
    kind="moments",
    answer=KeyMomentsAnswer,
    request=request,
    read=read,
    most=lambda config: {"queries": config.queries_per_clip},
)
