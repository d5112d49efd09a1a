"""Questions about on-screen text: what is written, and when it is there.

Here: one maker per task, `ClipFacts` in, drafts or an abstention out. Not here: reading text (`stages`).
"""

from difflib import SequenceMatcher

from annotators.measured import observations, options
from annotators.measured.draft import Abstention, Draft, Drafts, Reasoning
from annotators.measured.draw import Draw
from annotators.measured.facts import ClipFacts, say_tenths
from annotators.measured.phrases import PHRASES
from schemas.signals import TextDetection

MAX_SIMILARITY = 0.5
"""Ours: a wrong text resembles no text of the clip more than this (Ratcliff and Obershelp's ratio, 0 to 1)."""
SAME_TEXT = 0.7
"""Ours: texts at least this alike are the same text, read twice."""
EDGE_TENTHS = 3
"""Ours: a moment that is said to be without a text is this far from its shot's ends, in tenths of a second."""


def on_screen_text(facts: ClipFacts, draw: Draw) -> Drafts:
    """What is written on the screen."""
    texts = _asked(facts)
    if not texts:
        return Abstention(_no_text_reason(facts))
    drafts = [_what(facts, draw, text) for text in draw.shuffled(texts)]
    made = tuple(draft for draft in drafts if draft)
    return made or Abstention("there are not enough other texts of that length")


def text_time(facts: ClipFacts, draw: Draw) -> Drafts:
    """When a text is on the screen."""
    texts = _asked(facts)
    if not texts:
        return Abstention(_no_text_reason(facts))
    drafts = [_when(facts, draw, text) for text in draw.shuffled(texts)]
    made = tuple(draft for draft in drafts if draft)
    return made or Abstention("no other shot is long enough and without the text")


def similarity(first: str, second: str) -> float:
    """How alike two texts are apart from case and spacing, 0 to 1."""
    folded = ("".join(first.split()).casefold(), "".join(second.split()).casefold())
    return max(SequenceMatcher(None, *folded).ratio(), SequenceMatcher(None, *folded[::-1]).ratio())


def _asked(facts: ClipFacts) -> list[TextDetection]:
    """Texts that are surely read and made of words, each where it is read best."""
    asked: list[TextDetection] = []
    for text in sorted(facts.sure_texts, key=lambda text: (-text.score, text.pts, text.text)):
        letters = sum(character.isalpha() for character in text.text)
        is_words = text.text.isascii() and letters >= 0.8 * len("".join(text.text.split()))
        is_new = all(similarity(text.text, other.text) < SAME_TEXT for other in asked)
        if is_words and is_new and facts.shot_at(text.pts) is not None:
            asked.append(text)
    return asked


def _no_text_reason(facts: ClipFacts) -> str:
    return "no text is surely read" if facts.description.text_is_measured else "text was not looked for"


def _what(facts: ClipFacts, draw: Draw, text: TextDetection) -> Draft | None:
    wrong = _wrong_texts(facts, draw, text)
    index = facts.shot_at(text.pts)
    if wrong is None or index is None:
        return None
    seen, shot = observations.text_seen(facts, text), observations.shot_seen(facts, index)
    when, quote = facts.time(text.pts), observations.quoted(text.text)
    reasoning = Reasoning()
    reasoning.step("locate", f"{shot.observation[:-1]}, and {when} lies in it.", shot.span, shot)
    reasoning.step("observe", seen.observation, seen.span, seen)
    reasoning.step("conclude", f"Of the texts offered, it is {quote} that can be read there.", seen.span, seen, shot)
    question = draw.choice(
        (
            f"Which of these texts is on the screen at {when}?",
            f"What can be read on the screen at {when}?",
            f"What is written in the picture at {when}?",
        )
    )
    return Draft(question, quote, tuple(map(observations.quoted, wrong)), seen.span, reasoning)


def _wrong_texts(facts: ClipFacts, draw: Draw, text: TextDetection) -> list[str] | None:
    """Texts of similar length in the same case, unlike every text of the clip and unlike each other."""
    known = [other.text for other in facts.description.text]
    length, wrong = len(text.text), list[str]()
    pool = sorted(PHRASES, key=lambda phrase: (abs(len(phrase) - length), phrase))
    likely = draw.shuffled(pool[: 4 * facts.config.n_options])
    for phrase in (*likely, *pool[4 * facts.config.n_options :]):
        if len(wrong) == facts.config.n_options - 1:
            break
        if all(similarity(phrase, other) <= MAX_SIMILARITY for other in (*known, *wrong)):
            wrong.append(_in_case_of(text.text, phrase))
    return wrong if len(wrong) == facts.config.n_options - 1 else None


def _in_case_of(model: str, phrase: str) -> str:
    if model.isupper():
        return phrase.upper()
    if model.islower():
        return phrase.lower()
    return phrase.title() if model.istitle() else phrase


def _when(facts: ClipFacts, draw: Draw, text: TextDetection) -> Draft | None:
    index = facts.shot_at(text.pts)
    without = [
        other
        for other in range(len(facts.shots))
        if all(similarity(text.text, found.text) <= MAX_SIMILARITY for found in facts.texts_in(other))
    ]
    if index is None or not facts.joints_fit:
        return None
    edges = [(facts.shots[other].span.start_pts, facts.shots[other].span.end_pts) for other in without]
    allowed = tuple((facts.tenths(a) + EDGE_TENTHS, facts.tenths(b) - EDGE_TENTHS) for a, b in edges)
    truth = facts.tenths(text.pts)
    wrong = options.moment_options(truth, allowed, facts.config.n_options - 1, draw)
    if wrong is None:
        return None
    quote = observations.quoted(text.text)
    question = draw.choice(
        (
            f"At which of these moments is the text {quote} on the screen?",
            f"When does the screen show the text {quote}?",
        )
    )
    return Draft(
        question,
        say_tenths(truth),
        tuple(map(say_tenths, wrong)),
        facts.span,
        _when_reasoning(facts, text, index, truth),
    )


def _when_reasoning(facts: ClipFacts, text: TextDetection, index: int, truth: int) -> Reasoning:
    seen, shot = observations.text_seen(facts, text), observations.shot_seen(facts, index)
    quote = observations.quoted(text.text)
    reasoning = Reasoning()
    reasoning.step("observe", seen.observation, seen.span, seen)
    reasoning.step("locate", f"{shot.observation[:-1]}, and the text is read in it.", shot.span, shot, seen)
    reasoning.step("conclude", f"Of the moments offered, {say_tenths(truth)} is the one with {quote}.", seen.span, seen)
    return reasoning
