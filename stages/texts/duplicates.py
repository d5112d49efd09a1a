"""Near-duplicate questions: of several that ask the same, the first stays.

Here: `QuestionText`, read from a label, and `find_duplicates`. Not here: how alike texts are
(`stages.texts.embedding`), or what tells them apart however alike they are (`stages.texts.contrasts`).

Two questions repeat each other where question and answer together have a cosine above the threshold, the answers share
words, and no number, negation, name, quotation, direction, colour, time or order tells them apart. Wrong options count
where the question points at its options (*which of these*): it is another question then with other options. Ours.
"""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.judging import DuplicatesConfig
from schemas.label import Label, LabelKind
from schemas.verdict import Verdict
from stages.texts.contrasts import Telling, counted, is_reworded, may_repeat, plain, same_answer, telling
from stages.texts.embedding import LETTERS, MINILM, TFIDF, TextEmbedder, cosines

RULE = "verify.duplicates"

BLOCK_ROWS = 1024
"""Questions that are compared at once with those before them, so many of these at a time: what is held in memory."""
BLOCK_COLUMNS = 8192
MAX_SIMILARITY = {TFIDF: 0.75, LETTERS: 0.75, MINILM: 0.9}
"""Cosine above which questions with their answers repeat each other, by embedder, if nothing in particular tells them
apart: set on the pairs of `tests/data/question_pairs.csv` so that hardly any is wrongly said to. Ours."""
OTHER_MAX_SIMILARITY = 0.95
"""The same for other embedders, of which nothing is known."""
MOST_CANDIDATES = 64
"""Nearest ones that are looked at closely, for a question that has more than that above the threshold."""

_SCOPES = {"clip": "of the clip", "source": "of the video", "corpus": "of the data set"}
_POINTS_AT_OPTIONS = re.compile(
    r"\b(?:of|among|from|which) (?:these|those|the (?:following|options|choices|given|listed))\b|\bthe following\b"
    r"|\b(?:these|following) (?:options|choices|moments|events|frames|sequences|statements|descriptions|captions)\b"
)


@dataclass(frozen=True)
class QuestionText:
    """A question as it is compared."""

    label_id: str
    clip_id: str
    source_id: str
    kind: LabelKind
    """Questions of one kind are compared: a tool trace answers a question that is there already."""
    question: str
    answer: str
    options: tuple[str, ...] = ()
    """All options, the right one among them; their order does not matter."""
    is_settled: bool = False
    """Whether a person accepted it: it stays, and comes first."""


def question_text(label: Label, source_id: str, *, is_settled: bool = False) -> QuestionText | None:
    """What a label asks: a question, the prompt of a checklist, a query; None for labels that ask nothing."""
    if asked := label.qa or label.trace:
        question, options = asked.question, asked.options
        answer = options[asked.answer_index]
    elif label.checklist:
        question, options = label.checklist.prompt, ()
        answer = " ".join(item.text for item in label.checklist.items)
    elif label.moments:
        question, answer, options = label.moments.query, "", ()
    else:
        return None
    return QuestionText(
        label_id=label.label_id, clip_id=label.clip_id, source_id=source_id, kind=label.kind, question=question,
        answer=answer, options=options, is_settled=is_settled,
    )  # fmt: skip


@dataclass(frozen=True)
class _Threshold:
    """Cosine above which a question repeats another one."""

    plain: float
    """Where one has no more than words besides those of the other."""
    reworded: float | None
    """Where each has words in place of the other's, which may be a synonym or another thing; None where the embedder
    cannot tell these apart."""


@dataclass(frozen=True)
class _Asked:
    """A question with what tells it apart."""

    item: QuestionText
    question: Telling
    answer: Telling
    group: Hashable
    """Equal for questions of which one may repeat the other, as far as that can be said of each alone."""

    @property
    def text(self) -> str:
        """What is embedded: numbers in figures, question and answer together."""
        return counted(f"{plain(self.item.question)} {plain(self.item.answer)}")

    def repeats(self, other: "_Asked", cosine: float, threshold: "_Threshold") -> bool:
        """Whether it is near enough to another one of its group, and nothing tells it from that."""
        needed = threshold.reworded if is_reworded(self.question, other.question) else threshold.plain
        return (
            needed is not None
            and cosine > needed
            and may_repeat(self.question, other.question, in_order=False)
            and may_repeat(self.answer, other.answer, in_order=True)
            and same_answer(self.answer, other.answer)
        )


@dataclass(frozen=True)
class _Nearest:
    """The question that one is nearest to among those of its group that stay."""

    asked: _Asked
    cosine: float
    is_repeated: bool


def find_duplicates(
    items: Sequence[QuestionText], embedder: TextEmbedder, config: DuplicatesConfig
) -> dict[str, Verdict]:
    """A verdict on each question, by the label's id: reject where it repeats one that stays.

    The order of `items` does not matter: those that a person accepted come first and always stay, the others follow in
    the order of source, clip and label. Which one a question repeats, or is nearest to, stands in the reason; the score
    is their cosine, None where nothing could be the same. Only what could be the same is embedded, in one call.
    Memory grows with the number of questions, by one row of the embedder's for each, and never with its square.
    """
    usual = MAX_SIMILARITY.get(embedder.name, OTHER_MAX_SIMILARITY)
    highest = usual if config.max_similarity is None else config.max_similarity
    threshold = _Threshold(highest, (1 + highest) / 2 if embedder.knows_synonyms else None)
    ordered = sorted(items, key=lambda item: (not item.is_settled, item.source_id, item.clip_id, item.label_id))
    groups: dict[Hashable, list[_Asked]] = {}
    n_compared: dict[str, int] = {}
    for item in ordered:
        asked = _asked(item, config.scope)
        groups.setdefault(asked.group, []).append(asked)
        scope = _scope(item, config.scope)
        n_compared[scope] = n_compared.get(scope, 0) + 1
    several = [group for group in groups.values() if len(group) > 1]
    rows, vectors = _embedded(several, embedder)
    nearest: dict[str, _Nearest] = {}
    for group in several:
        places = np.array([rows[asked.text] for asked in group])
        nearest.update(_nearest(group, vectors, places, threshold))
    verdicts = {}
    for item in ordered:
        looked_at = f"{n_compared[_scope(item, config.scope)]} questions {_SCOPES[config.scope]}, by {embedder.name}"
        verdicts[item.label_id] = _verdict(item, nearest.get(item.label_id), highest, looked_at)
    return verdicts


def _scope(item: QuestionText, scope: str) -> str:
    return {"clip": item.clip_id, "source": item.source_id}.get(scope, "")


def _asked(item: QuestionText, scope: str) -> _Asked:
    question, answer = telling(item.question), telling(item.answer)
    points = _POINTS_AT_OPTIONS.search(item.question.casefold())
    options = frozenset(counted(plain(option)).casefold().rstrip(".") for option in item.options) if points else None
    group = (_scope(item, scope), item.kind, question.strict, answer.strict, options)
    return _Asked(item, question, answer, group)


def _embedded(groups: Sequence[Sequence[_Asked]], embedder: TextEmbedder) -> tuple[Mapping[str, int], Any]:
    """The row of each text, and the rows: each text once."""
    texts = dict.fromkeys(asked.text for group in groups for asked in group)
    return {text: row for row, text in enumerate(texts)}, embedder.embed(list(texts))


def _nearest(
    group: Sequence[_Asked], vectors: Any, rows: NDArray[np.int64], threshold: _Threshold
) -> Iterator[tuple[str, _Nearest]]:
    """For each question of a group but the first, the nearest of those before it that stay.

    Goes through the group in blocks: each is held against what stays of the earlier ones, then against itself.
    """
    kept: list[int] = []
    for start in range(0, len(group), BLOCK_ROWS):
        block = np.arange(start, min(start + BLOCK_ROWS, len(group)))
        mine = vectors[rows[block]]
        earlier = _close_to(mine, vectors, rows, np.array(kept, np.int64), threshold.plain)
        among = cosines(mine, mine)
        stays = np.zeros(len(block), bool)
        for place in range(len(block)):
            before = np.flatnonzero(stays[:place])
            found = [*earlier[place], *_closest(among[place, before], block[before], threshold.plain)]
            best = _best(group, start + place, found, threshold)
            if best:
                yield group[start + place].item.label_id, best
            stays[place] = best is None or not best.is_repeated or group[start + place].item.is_settled
        kept += block[stays].tolist()


def _close_to(
    mine: Any, vectors: Any, rows: NDArray[np.int64], kept: NDArray[np.int64], threshold: float
) -> list[list[tuple[float, int]]]:
    """For each row of `mine`, what is close to it among the kept ones, block by block."""
    found: list[list[tuple[float, int]]] = [[] for _ in range(mine.shape[0])]
    for start in range(0, len(kept), BLOCK_COLUMNS):
        places = kept[start : start + BLOCK_COLUMNS]
        nearness = cosines(mine, vectors[rows[places]])
        for row, close in enumerate(found):
            close += _closest(nearness[row], places, threshold)
    return found


def _closest(nearness: NDArray[Any], places: NDArray[np.int64], threshold: float) -> Iterator[tuple[float, int]]:
    """Cosine and place of those above the threshold, or the nearest where they are too many, or the nearest of all."""
    if not len(nearness):
        return
    above = np.flatnonzero(nearness > threshold)
    if len(above) > MOST_CANDIDATES:
        above = above[np.argsort(-nearness[above], kind="stable")[:MOST_CANDIDATES]]
    for index in above if len(above) else (int(nearness.argmax()),):
        yield float(nearness[index]), int(places[index])


def _best(
    group: Sequence[_Asked], place: int, found: Sequence[tuple[float, int]], threshold: _Threshold
) -> _Nearest | None:
    """The nearest one that is repeated, or the nearest one where none is."""
    by_nearness = sorted(found, key=lambda close: (-close[0], close[1]))
    for cosine, other in by_nearness:
        if group[place].repeats(group[other], cosine, threshold):
            return _Nearest(group[other], cosine, is_repeated=True)
    return _Nearest(group[by_nearness[0][1]], by_nearness[0][0], is_repeated=False) if by_nearness else None


def _verdict(item: QuestionText, nearest: _Nearest | None, threshold: float, looked_at: str) -> Verdict:
    repeats = nearest is not None and nearest.is_repeated and not item.is_settled
    return Verdict(
        subject_id=item.label_id,
        decision="reject" if repeats else "keep",
        rule=RULE,
        score=round(min(1.0, nearest.cosine), 4) if nearest else None,
        threshold=threshold,
        reason=_reason(item, nearest, threshold),
        looked_at=looked_at,
    )


def _reason(item: QuestionText, nearest: _Nearest | None, threshold: float) -> str:
    if nearest is None:
        return "no question before it could be the same: numbers, names, directions or the like differ in all"
    told = f"{nearest.asked.item.label_id} (cosine {min(1.0, nearest.cosine):.2f})"
    if nearest.is_repeated:
        return f"asks the same as {told}" + (", but a person accepted it" if item.is_settled else "")
    if nearest.cosine > threshold:
        return f"sounds like {told}, but what they ask about differs"
    return f"asks something else than the nearest before it, {told}"
