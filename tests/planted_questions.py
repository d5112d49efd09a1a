"""Questions of which it is known whether the video is needed: half can be answered without it, for a known reason.

Here: `planted` and the words that it draws from. Not here: what is found of it (`tests.benchmarks.priors_planted`).

A question that needs the video has options drawn alike, and any of them is as likely right. The others are made the
same way and then given away: by the place of the right option, its length, its wording, by one answer that is always
right, or because everybody knows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.priors.probe import ProbeItem

PlantKind = Literal["world", "wording", "position", "length", "majority"]
KINDS: tuple[PlantKind, ...] = ("world", "wording", "position", "length", "majority")
STATISTICAL: tuple[PlantKind, ...] = ("wording", "position", "length", "majority")
"""Kinds that show in many questions together, and that no knowledge is needed for."""

N_EACH = 20
"""Questions of each kind; and in each group of sound ones."""
_N_VIDEOS = 24


@dataclass(frozen=True)
class PlantedQuestion:
    """A question, and why it needs no video; None where it does."""

    item: ProbeItem
    kind: PlantKind | None
    fits: bool
    """Whether its right option fits the habit of its task, which that of a sound question does by chance. Whoever reads
    words alone cannot tell a sound one that fits from one that was given away."""


@dataclass(frozen=True)
class Asked:
    """A question before it has an id."""

    question: str
    options: tuple[str, ...]
    answer_index: int


class Chance:
    """Everything that is drawn, from one seed."""

    def __init__(self, *seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def below(self, n: int) -> int:
        return int(self._random.integers(n))

    def one(self, values: Sequence[str]) -> str:
        return values[self.below(len(values))]

    def some(self, values: Sequence[str], n: int) -> list[str]:
        return [values[int(place)] for place in self._random.permutation(len(values))[:n]]

    def different(self, make: Callable[[], str], n: int) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < n:
            found[make()] = None
        return list(found)

    def shuffled(self, asked: Asked) -> Asked:
        order = self._random.permutation(len(asked.options)).tolist()
        options = tuple(asked.options[place] for place in order)
        return Asked(asked.question, options, order.index(asked.answer_index))

    def facts(self, n: int) -> list[Asked]:
        """So many questions that everybody can answer; they repeat where there are not enough."""
        order = [int(place) for place in self._random.permutation(len(_FACTS))]
        chosen = [_FACTS[order[number % len(order)]] for number in range(n)]
        return [self.shuffled(Asked(question, tuple(options), 0)) for question, *options in chosen]


_PEOPLE = (
    "the cook", "the woman in the red coat", "the older man", "the boy", "the cyclist", "the waiter", "the presenter",
    "the girl with the dog", "the mechanic", "the tall dancer", "the driver", "the nurse", "the referee",
    "the gardener",
)  # fmt: skip
_OBJECTS = (
    "a basket", "the blue bucket", "an umbrella", "the ladder", "a paper bag", "the guitar", "a tray of cups",
    "the toolbox", "a bicycle wheel", "the rope", "a bunch of keys", "the lamp", "a wooden crate", "the phone",
    "a folded map", "the kettle", "a stack of books", "the ball",
)  # fmt: skip
_VERBS = (
    "picks up", "puts down", "pushes away", "looks at", "carries", "points to", "drops", "hands over", "opens", "turns",
    "wipes", "throws", "covers", "lifts", "hides", "shakes",
)  # fmt: skip
_PLACES = (
    "near the window", "by the door", "under the table", "on the stairs", "behind the counter", "at the crossing",
    "next to the fountain", "in the corner", "beside the van", "in front of the mirror", "on the bench",
    "at the edge of the pool", "between the shelves", "along the fence", "beneath the bridge",
)  # fmt: skip
_WHEN = (
    "at the start of the clip", "right after the cut", "when the music stops", "in the second shot", "before the end",
    "while the camera pans", "after the bell rings", "when the crowd turns round", "in the last seconds",
    "as the light goes on", "during the close-up", "once the rain begins", "after the train has passed",
)  # fmt: skip
_COLOURS = ("red", "dark green", "yellow", "light blue", "black", "white", "orange", "purple", "grey", "brown", "pink")
_GARMENTS = ("jacket", "scarf", "hat", "apron", "backpack", "shirt", "gloves", "boots")
_THINGS = ("people", "cars", "birds", "plates", "boats", "candles", "windows", "bottles", "children", "signs")
_AIMS = (
    "to reach", "to show somebody", "to make room for", "to get hold of", "to move", "to protect", "to look for",
    "to repair", "to hide", "to hand over", "to clean", "to measure",
)  # fmt: skip
_ADVERBS = (
    "slowly", "quickly", "calmly", "gently", "briskly", "carefully", "casually", "firmly", "quietly", "eagerly",
    "awkwardly", "gradually", "hastily", "smoothly", "nervously", "patiently", "suddenly", "deliberately",
)  # fmt: skip
_HEDGED = ("apparently", "probably", "seemingly", "most likely", "it seems", "presumably", "perhaps", "possibly")
_ABSOLUTE = ("always", "only", "never again", "completely", "immediately", "constantly", "entirely", "at once")
_SEEN = ("as can be seen", "in full view", "in the frame", "on screen", "in the foreground", "in plain sight")
_ASIDES = ("for a while", "at that moment", "by then", "without a word", "with one hand", "in passing", "once more")
_CLAUSES = (
    "while the others watch from a distance", "and then turns back towards the camera", "after waiting for a moment",
    "as the people around start to leave", "so that the next person can get past", "with the left hand held up high",
    "before anybody else in the room notices", "which had been standing there from the start",
    "and keeps hold of it until the shot ends", "because the way ahead is still blocked",
)  # fmt: skip
_FACTS = (
    ("What do bees make in a hive?", "honey", "butter", "bread", "salt"),
    ("Which season follows winter?", "spring", "autumn", "summer", "the rainy season"),
    ("What does a red traffic light tell drivers to do?", "stop", "speed up", "turn left", "sound the horn"),
    ("What is a thermometer in a kitchen used to measure?", "temperature", "weight", "sweetness", "time"),
    ("What does water turn into when it freezes?", "ice", "steam", "sand", "oil"),
    ("Which animal is usually ridden in a horse race?", "a horse", "a camel", "an ostrich", "a donkey"),
    ("How many wheels does an ordinary bicycle have?", "2", "3", "4", "6"),
    ("What do fire fighters most often put fires out with?", "water", "petrol", "milk", "sawdust"),
    ("In which direction does the sun rise?", "in the east", "in the west", "in the north", "in the south"),
    ("What does a goalkeeper guard?", "the goal", "the bench", "the whistle", "the scoreboard"),
    ("What is bread mainly baked from?", "flour", "gravel", "cotton", "leaves"),
    ("Which instrument has black and white keys?", "a piano", "a drum", "a flute", "a violin"),
    ("What do people open when it rains?", "an umbrella", "a fridge", "a letter", "a tin"),
    ("How many players of one football team start on the pitch?", "11", "5", "15", "20"),
    ("What does a dentist look after?", "teeth", "shoes", "roofs", "engines"),
    ("Which organ pumps blood?", "the heart", "the liver", "the skin", "the lung"),
    ("What do caterpillars turn into?", "butterflies", "spiders", "worms", "snails"),
    ("What is the frozen sweet sold in cones?", "ice cream", "soup", "mustard", "cheese"),
    ("What is at the top of a lighthouse?", "a light", "a pool", "a garden", "a bell"),
    ("Where do trains stop to let people in?", "at a station", "on a bridge", "in a tunnel", "at a harbour"),
    ("What do penguins eat most?", "fish", "grass", "bamboo", "nuts"),
    ("Which tool drives nails into wood?", "a hammer", "a sponge", "a spoon", "a broom"),
    ("What covers most of a bird's body?", "feathers", "scales", "wool", "shells"),
    ("What do surfers ride on?", "waves", "rails", "clouds", "branches"),
    ("What does a conductor lead?", "an orchestra", "a kitchen", "a court", "a ship"),
    ("Which drink is made from roasted beans?", "coffee", "lemonade", "cider", "milk"),
    ("What is stretched across a tennis court?", "a net", "a carpet", "a hose", "a curtain"),
    ("What do cows eat in a meadow?", "grass", "fish", "stones", "eggs"),
    ("What falls from trees in autumn?", "leaves", "feathers", "coins", "icicles"),
    ("Which room is a bath usually in?", "the bathroom", "the garage", "the attic", "the hall"),
)  # fmt: skip


def _action(chance: Chance) -> Asked:
    options = chance.different(lambda: f"{chance.one(_VERBS)} {chance.one(_OBJECTS)} {chance.one(_PLACES)}", 4)
    return Asked(f"What does {chance.one(_PEOPLE)} do {chance.one(_WHEN)}?", tuple(options), chance.below(4))


def _order(chance: Chance) -> Asked:
    options = chance.different(lambda: f"{chance.one(_PEOPLE)} {chance.one(_VERBS)} {chance.one(_OBJECTS)}", 3)
    question = chance.one(("Which of these happens first", "Which of these comes last", "What happens"))
    return Asked(f"{question} {chance.one(_WHEN)}?", tuple(options), chance.below(3))


def _why(chance: Chance) -> Asked:
    options = chance.different(lambda: f"{chance.one(_AIMS)} {chance.one(_OBJECTS)} {chance.one(_PLACES)}", 4)
    return Asked(f"Why does {chance.one(_PEOPLE)} move {chance.one(_WHEN)}?", tuple(options), chance.below(4))


def _place(chance: Chance) -> Asked:
    question = f"Where is {chance.one(_OBJECTS)} {chance.one(_WHEN)}?"
    return Asked(question, tuple(chance.some(_PLACES, 4)), chance.below(4))


def _count(chance: Chance) -> Asked:
    options = chance.different(lambda: str(1 + chance.below(12)), 4)
    return Asked(f"How many {chance.one(_THINGS)} are to be seen {chance.one(_WHEN)}?", tuple(options), chance.below(4))


def _colour(chance: Chance) -> Asked:
    question = f"What colour is the {chance.one(_GARMENTS)} of {chance.one(_PEOPLE)} {chance.one(_WHEN)}?"
    return Asked(question, tuple(chance.some(_COLOURS, 5)), chance.below(5))


def _whether(chance: Chance) -> Asked:
    question = f"Is it {chance.one(_OBJECTS)} that {chance.one(_PEOPLE)} {chance.one(_VERBS)} {chance.one(_WHEN)}?"
    return Asked(question, ("yes", "no"), chance.below(2))


def _change(chance: Chance) -> Asked:
    question = f"How does the number of {chance.one(_THINGS)} change {chance.one(_WHEN)}?"
    return Asked(question, ("it grows", "it falls", "it stays the same"), chance.below(3))


Form = Callable[[Chance], Asked]
_FORMS: dict[str, Form] = {
    "action": _action, "order": _order, "why": _why, "place": _place, "count": _count, "colour": _colour,
    "whether": _whether, "change": _change,
}  # fmt: skip
_TEXTS = ("action", "order", "why")
_FORMS_OF: dict[PlantKind, tuple[str, ...]] = {
    "world": _TEXTS, "wording": _TEXTS, "position": ("action", "order", "why", "place", "count", "colour"),
    "length": _TEXTS, "majority": ("whether", "change"),
}  # fmt: skip
"""Forms of question that a kind is planted in."""


@dataclass(frozen=True)
class Habit:
    """What one annotator does in one task, whenever it gives the right option away. Drawn once for a seed."""

    place: int
    is_longest: bool
    tells: tuple[str, ...]
    """Words that right options get."""
    others: tuple[str, ...]
    """Words that the other options get, which are as long and as many."""
    majority: int

    @classmethod
    def drawn(cls, chance: Chance) -> "Habit":
        adverbs = chance.some(_ADVERBS, 10)
        tells, others = (
            (chance.some(_HEDGED, 4), chance.some(_ASIDES, 5)),
            (chance.some(_ASIDES, 5), chance.some(_ABSOLUTE, 5)),
            (chance.some(_SEEN, 3), chance.some(_ASIDES, 5)),
            (adverbs[:4], adverbs[4:]),
        )[chance.below(4)]
        return cls(chance.below(3), chance.below(5) > 0, tuple(tells), tuple(others), chance.below(6))

    def sound(self, asked: Asked, kind: PlantKind | None, chance: Chance) -> Asked:
        """A question of a task with this habit that does not give itself away: its options get the same words."""
        if kind == "wording":
            words = (*self.tells, *self.others)
            options = tuple(f"{option} {chance.one(words)}" for option in asked.options)
            return Asked(asked.question, options, asked.answer_index)
        if kind == "length":
            some = tuple(f"{option} {chance.one(_CLAUSES)}" if chance.below(2) else option for option in asked.options)
            return Asked(asked.question, some, asked.answer_index)
        return chance.shuffled(asked)

    def fits(self, asked: Asked, kind: PlantKind) -> bool:
        """Whether the right option looks as this habit leaves it."""
        right, options = asked.answer_index, asked.options
        if kind == "position":
            return right == self.place
        if kind == "majority":
            return options[right] == sorted(options)[self.majority % len(options)]
        if kind == "wording":
            return [any(option.endswith(word) for word in self.tells) for option in options] == [
                place == right for place in range(len(options))
            ]
        if kind == "length":
            sign = 1 if self.is_longest else -1
            others = [sign * len(option) for place, option in enumerate(options) if place != right]
            return sign * len(options[right]) > max(others)
        return False

    def given_away(self, asked: Asked, kind: PlantKind, chance: Chance) -> Asked:
        """The question as its habit spoils it."""
        right, options = asked.answer_index, list(asked.options)
        if kind == "position":
            options[self.place], options[right] = options[right], options[self.place]
            return Asked(asked.question, tuple(options), self.place)
        if kind == "majority":
            usual = sorted(options)[self.majority % len(options)]
            return chance.shuffled(Asked(asked.question, asked.options, options.index(usual)))
        if kind == "wording":
            words = [chance.one(self.tells if place == right else self.others) for place in range(len(options))]
            return Asked(asked.question, tuple(map(" ".join, zip(options, words, strict=True))), right)
        if kind == "length":
            is_long = [(place == right) == self.is_longest for place in range(len(options))]
            longer = tuple(
                f"{text} {chance.one(_CLAUSES)}" if is_more else text
                for text, is_more in zip(options, is_long, strict=True)
            )
            return Asked(asked.question, longer, right)
        raise ValueError(f"{kind} is no habit")


def planted(seed: int, *, is_mixed: bool = False, n_each: int = N_EACH) -> list[PlantedQuestion]:
    """Ten times `n_each` questions, half of which need the video.

    Each kind lies in one task of one annotator, and fills it. Where `is_mixed`, half of each such task is sound, and
    no other task is asked.
    """
    chance = Chance(seed, int(is_mixed))
    found: list[PlantedQuestion] = []
    for writer, kind in zip("abcde", KINDS, strict=True):
        habit, form = Habit.drawn(chance), chance.one(_FORMS_OF[kind])
        group = f"writer-{writer}/{form}"
        facts = chance.facts(n_each)
        for index in range(n_each):
            away = facts[index] if kind == "world" else habit.given_away(_FORMS[form](chance), kind, chance)
            found.append(PlantedQuestion(_item(away, group, len(found), chance), kind, fits=True))
        for _ in range(n_each if is_mixed else 0):
            sound = habit.sound(_FORMS[form](chance), kind, chance)
            found.append(PlantedQuestion(_item(sound, group, len(found), chance), None, habit.fits(sound, kind)))
    return found if is_mixed else found + _sound(chance, len(KINDS), n_each, len(found))


def sound_only(seed: int, n_groups: int = 10, n_each: int = N_EACH) -> list[PlantedQuestion]:
    """Questions that all need the video."""
    return _sound(Chance(seed, 2), n_groups, n_each, 0)


def _sound(chance: Chance, n_groups: int, n_each: int, first: int) -> list[PlantedQuestion]:
    """Groups of sound questions, some of which have the words and lengths that give others away, drawn alike."""
    found: list[PlantedQuestion] = []
    for number in range(n_groups):
        form, habit = chance.one(tuple(_FORMS)), Habit.drawn(chance)
        dress = _DRESSES[chance.below(len(_DRESSES))] if form in _TEXTS else None
        for _ in range(n_each):
            sound = habit.sound(_FORMS[form](chance), dress, chance)
            item = _item(sound, f"sound-writer-{number}/{form}", first + len(found), chance)
            found.append(PlantedQuestion(item, None, fits=False))
    return found


_DRESSES: tuple[PlantKind | None, ...] = ("wording", "length", None)


def _item(asked: Asked, group: str, number: int, chance: Chance) -> ProbeItem:
    return ProbeItem(
        label_id=f"label-{number:06d}", group=group, question=asked.question, options=asked.options,
        answer_index=asked.answer_index, source_id=f"video-{chance.below(_N_VIDEOS):02d}",
    )  # fmt: skip
