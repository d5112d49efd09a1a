"""Names: one name for each person, object or place that recurs in the captions of a slice, written everywhere.

Here: the request, the answer's form, and checking it. Not here: putting names in the place of phrases
(`annotators.renaming`), or the words of the prompt (`prompts/names.j2`).

After MR.Video's reduce step: one name per person or object, rewritten in every caption. That names describe what is
seen, that only quoted phrases change, each within its caption, and all limits are ours.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer
from annotators.facts import MAX_TEXT_CHARS, MAX_TEXTS, stretch
from annotators.prompts import fenced
from annotators.renaming import Naming, left_over, occurrences, places, renamed
from annotators.subject import ClipSubject, SliceSubject, UnsoundError, latest, sound_text
from annotators.told import CHARS_PER_TOKEN
from schemas.asking import NamesConfig
from schemas.label import Caption, Label
from schemas.provenance import Provenance

MAX_NAME_CHARS = 80
MAX_PHRASE_WORDS = 12
"""Longer phrases tell what happens, and would be lost."""
MIN_CAPTIONS = 2
"""Captions that somebody must be mentioned in, for there to be anything to unify."""

_LEVELS = ("clip", "event", "transition")
"""Most important first: where the budget is short, the last ones are not shown, and stay as they are."""
_PRONOUNS = frozenset({
    "he", "she", "it", "they", "him", "her", "them", "his", "hers", "its", "their", "theirs", "who", "whose", "this",
    "that", "these", "those", "one", "someone", "something", "everyone", "everything", "another", "other", "others",
})  # fmt: skip
_PLAIN = frozenset({"a", "an", "the", "of", "in", "on", "at", "with", "and", "by", "from", "for", "to"})
"""Words that make no name a descriptive one."""
_WORD = re.compile(r"\w+")


class MentionAnswer(Answer):
    """One phrase of one caption."""

    caption: int = Field(description="number of the caption")
    phrase: str = Field(description="copied exactly from the caption, with its article and all that describes it")


class EntityAnswer(Answer):
    """Somebody or something with all its mentions. Says who is meant before it names them."""

    kind: Literal["person", "object", "place"]
    description: str = Field(description="what it looks like and how it is told from others, one sentence")
    name: str = Field(description="short and descriptive, such as: the man in the red coat")
    mentions: list[MentionAnswer]


class NamesAnswer(Answer):
    """Who and what recurs in a slice."""

    entities: list[EntityAnswer]


@dataclass(frozen=True)
class _Told:
    """A caption as the model is told it; its number is its place in the list, from 1."""

    label: Label
    caption: Caption
    clip: ClipSubject
    clip_number: int
    """Of its clip in the slice, from 1."""


def request(subject: SliceSubject, config: NamesConfig) -> Request | Abstention:
    """All captions of the slice, numbered, with their times and what is written on the screen.

    They are passed as facts, so that the budget decides how many of them are shown; what is sure to be too much for it
    is left out here.
    """
    captions = _captions(subject)
    if len(captions) < MIN_CAPTIONS:
        return Abstention(f"the slice has {len(captions)} captions; a name is for what recurs in several")
    told = [
        f"Caption {number} is of {_place(one)}:\n{fenced(one.caption.text)}" for number, one in enumerate(captions, 1)
    ]
    written = _written(subject) if config.facts else []
    told += [f"On the screen this is written:\n{fenced(text, MAX_TEXT_CHARS)}" for text in written]
    lengths = accumulate(map(len, told))
    room = config.token_budget * CHARS_PER_TOKEN
    facts = tuple(fact for fact, length in zip(told, lengths, strict=True) if length <= room)
    return Request(values={"n_clips": len(subject.clips)}, facts=facts)


def read(subject: SliceSubject, answer: NamesAnswer, _config: NamesConfig, provenance: Provenance) -> Reading:
    """The captions in which somebody got a name, revised; those in which nothing changed are left out."""
    captions = _captions(subject)
    namings: list[tuple[int, Naming]] = []
    problems: list[str] = []
    names: set[str] = set()
    screen = {word.casefold() for text in _written(subject) for word in _WORD.findall(text)}
    for entity, said in enumerate(answer.entities, 1):
        try:
            name = _name(said, entity, screen, names)
        except UnsoundError as error:
            problems.append(str(error))
            continue
        names.add(name.casefold())
        for found in _mentions(said, entity, name, captions):
            (problems if isinstance(found, str) else namings).append(found)  # type: ignore[arg-type]
    namings, disputes = _undisputed(namings)
    recurring = _recurring(namings, captions)
    revised = (_revised(one, recurring.get(number, ()), provenance) for number, one in enumerate(captions, 1))
    return Reading(tuple(label for label in revised if label is not None), (*problems, *disputes))


def _captions(subject: SliceSubject) -> list[_Told]:
    """Captions of all clips in their latest state: whole clips, then events, then transitions, each in order."""
    told = [
        _Told(label, label.caption, clip, number)
        for number, clip in enumerate(subject.clips, 1)
        for label in latest(clip.labels.get("caption", ()))
        if label.caption
    ]
    return sorted(told, key=lambda one: _LEVELS.index(one.caption.level))


def _place(told: _Told) -> str:
    """What a caption is of, in words."""
    clip, span = f"clip {told.clip_number}", told.label.span
    if told.caption.level == "clip":
        return f"{clip}, which runs from {span.start_s:.2f} s to {span.end_s:.2f} s of the video"
    if told.caption.level == "event":
        return f"an event in {clip}, {stretch(told.clip, span)}"
    return f"the transition at {told.clip.seconds(span.start_pts):.2f} s in {clip}"


def _written(subject: SliceSubject) -> list[str]:
    """Different texts read on the screen, in order."""
    texts = (" ".join(found.text.split()) for clip in subject.clips for found in clip.description.text)
    return list(dict.fromkeys(texts))[:MAX_TEXTS]


def _name(said: EntityAnswer, entity: int, screen: set[str], taken: set[str]) -> str:
    """A name that can stand. Raises UnsoundError where it is no name, another's, or a guess."""
    name = sound_text(said.name, f"the name of entity {entity}", MAX_NAME_CHARS)
    sound_text(said.description, f"the description of entity {entity}")
    first, *rest = name.split(" ")
    if first.casefold() in _PLAIN:
        name = " ".join((first.casefold(), *rest))
    words = [word for word in _WORD.findall(name) if word.casefold() not in _PLAIN]
    if not words or name.casefold() in _PRONOUNS:
        raise UnsoundError(f"the name {name!r} of entity {entity} describes nothing")
    if name.casefold() in taken:
        raise UnsoundError(f"entity {entity} has the name {name!r} of another entity; each needs its own")
    # A proper name is told by its capitals; short words of nothing else are abbreviations, such as TV.
    proper = [word for word in words if word[0].isupper() and not (len(word) <= 3 and word.isupper())]
    if len(proper) == len(words) and not all(word.casefold() in screen for word in proper):
        raise UnsoundError(
            f"the name {name!r} of entity {entity} is a proper name that was not read on the screen; "
            "describe what is seen instead"
        )
    return name


def _mentions(
    said: EntityAnswer, entity: int, name: str, captions: Sequence[_Told]
) -> Iterator[tuple[int, Naming] | str]:
    """The mentions that can stand, with the number of their caption; of the others why not."""
    for mention in dict.fromkeys((mention.caption, " ".join(mention.phrase.split())) for mention in said.mentions):
        number, phrase = mention
        what = f"the mention {phrase[:MAX_NAME_CHARS]!r} of entity {entity} in caption {number}"
        if not 1 <= number <= len(captions):
            yield f"{what}: there is no such caption"
            continue
        wrong = _wrong(phrase, name, captions[number - 1].caption.text)
        yield f"{what}: {wrong}" if wrong else (number, Naming(entity, phrase, name))


def _wrong(phrase: str, name: str, text: str) -> str:
    """Why a phrase cannot give way to a name; empty where it can."""
    words = _WORD.findall(phrase)
    if not words or phrase.casefold() in _PRONOUNS:
        return "a phrase that describes somebody or something is needed, no pronoun"
    if len(words) > MAX_PHRASE_WORDS or len(words) == len(_WORD.findall(text)):
        return "it is more than the words that stand for one person, object or place"
    if next(occurrences(phrase, text), None) is None:
        return "the caption does not hold these words outside quotation marks"
    if rest := left_over(phrase, name, text):
        return f"the words {rest!r} beside it belong to it as well, for the name says them again"
    return ""


def _undisputed(namings: Sequence[tuple[int, Naming]]) -> tuple[list[tuple[int, Naming]], list[str]]:
    """Without phrases that an earlier entity has in the same caption, and what is wrong with those."""
    holders: dict[tuple[int, str], int] = {}
    kept: list[tuple[int, Naming]] = []
    disputes: list[str] = []
    for number, naming in namings:
        holder = holders.setdefault((number, naming.phrase.casefold()), naming.entity)
        if holder == naming.entity:
            kept.append((number, naming))
        else:
            disputes.append(f"{naming.phrase!r} in caption {number} is given to entities {holder} and {naming.entity}")
    return kept, disputes


def _recurring(namings: Sequence[tuple[int, Naming]], captions: Sequence[_Told]) -> Mapping[int, tuple[Naming, ...]]:
    """By caption, the namings of everybody who has a place in several captions once longer phrases had theirs."""
    while True:
        by_caption: dict[int, tuple[Naming, ...]] = {}
        for number, naming in namings:
            by_caption[number] = (*by_caption.get(number, ()), naming)
        has_place = {
            (number, place.entity)
            for number, here in by_caption.items()
            for place in places(captions[number - 1].caption.text, here)
        }
        seen_in = [entity for _, entity in has_place]
        left = [(number, naming) for number, naming in namings if seen_in.count(naming.entity) >= MIN_CAPTIONS]
        if len(left) == len(namings):
            return by_caption
        namings = left


def _revised(told: _Told, namings: Sequence[Naming], provenance: Provenance) -> Label | None:
    """The label with names in its caption and in what was observed for it; None where nothing changes."""
    label = told.label
    text = renamed(told.caption.text, namings)
    evidence = tuple(e.replace(observation=_renamed_observation(e.observation, namings)) for e in label.evidence)
    if text == told.caption.text and evidence == label.evidence:
        return None
    return label.replace(
        caption=told.caption.replace(text=text), evidence=evidence, revisions=(*label.revisions, provenance)
    )


def _renamed_observation(text: str, namings: Sequence[Naming]) -> str:
    """The observation with names, but for phrases that were quoted from the caption and stand otherwise here."""
    return renamed(text, [naming for naming in namings if not left_over(naming.phrase, naming.name, text)])


ANNOTATOR = Annotator(
    name="names", version="1", unit="slice", kind="caption", answer=NamesAnswer, request=request, read=read,
    after=("caption",), revises=True,
)  # fmt: skip
