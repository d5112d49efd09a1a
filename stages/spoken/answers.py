"""The right answer of a question, held against the signals: a wrong option that is marked right is contradicted.

Here: the table of tasks whose questions have a fixed form, and general forms of question that become a sentence. Not
here: the readers of the tasks (`stages.answers_*`), or sentences (`stages.spoken.claims`).
"""

import re
from collections.abc import Callable, Iterator, Mapping

from schemas.label import QAItem, ToolTrace
from schemas.time import Span
from stages.evidence.measurements import Finding, Measurements
from stages.spoken import answers_editing, answers_order, answers_picture
from stages.spoken.answer_words import Asked
from stages.spoken.checks import check_spoken
from stages.spoken.claims import read_sentence
from stages.spoken.vocabulary import DECIMAL, MAX_CHARS, NUMBER, SECONDS, is_asserted

READERS: Mapping[str, Callable[[Asked], Finding | None]] = {
    "shot_count": answers_editing.shot_count,
    "transition_kind": answers_editing.transition_kind,
    "transition_time": answers_editing.transition_time,
    "event_order": answers_order.event_order,
    "camera_motion": answers_picture.camera_motion,
    "motion_time": answers_picture.motion_time,
    "longest_shot": answers_editing.longest_shot,
    "shot_duration": answers_editing.shot_duration,
    "brightness_change": answers_picture.brightness_change,
    "brightest_shot": answers_picture.brightest_shot,
    "on_screen_text": answers_picture.on_screen_text,
    "text_time": answers_picture.text_time,
    "frame_order": answers_order.frame_order,
    "freeze": answers_picture.freeze,
    "fragment_counting": answers_order.fragment_counting,
    "fragment_consistency": answers_order.fragment_consistency,
    "fragment_localisation": answers_order.fragment_localisation,
    "fragment_disorder_detection": answers_order.fragment_disorder_detection,
    "fragment_rearrangement": answers_order.fragment_rearrangement,
}
"""How the answer to each task of fixed form is read and measured."""

_WHEN = rf"(?:at {DECIMAL} ?{SECONDS}|(?:from|between) {DECIMAL} ?(?:{SECONDS} )?(?:to|and) {DECIMAL} ?{SECONDS})"
_THINGS = r"(?:hard cuts?|cuts?|shots?|transitions?)"
_FORMS: tuple[tuple[str, str, str], ...] = (
    (
        rf"how many (?P<what>{_THINGS}) (?:does the (?:clip|video) have|are there(?: in the (?:clip|video))?"
        r"|are in the (?:clip|video))\?",
        rf"(?:exactly |there are |it has )?(?P<said>{NUMBER})(?: {_THINGS})?\.?",
        "The clip has {said} {what}.",
    ),
    (
        r"how long (?:is|does) the (?:whole )?(?:clip|video)(?: last)?\?",
        rf"(?:it lasts )?(?P<said>(?:about |around )?(?:{DECIMAL}|{NUMBER}) ?{SECONDS})\.?",
        "The clip lasts {said}.",
    ),
    (
        rf"(?:what does the camera do|(?:how|which way) does the camera move)(?: (?P<when>{_WHEN}))?\?",
        r"(?:it |the camera )?(?P<said>(?:slowly |quickly )?(?:pans|tilts|zooms|stays|remains|is) .*)",
        "The camera {said} {when}.",
    ),
    (
        rf"(?:what|which)(?: kind of)? transition (?:is there|is used|happens|occurs) (?P<when>{_WHEN})\?",
        r"(?:an? )?(?P<said>(?:hard |straight )?cut|(?:cross[- ]?)?dissolve|fade (?:to|from|through) black)\.?",
        "There is a {said} {when}.",
    ),
)
"""A question, its answer, and the sentence that both together make."""


def answer_findings(asked: QAItem | ToolTrace, span: Span, measurements: Measurements) -> Iterator[Finding]:
    """What the signals say of an answer marked right; nothing where they cannot be asked.

    `span` is the label's. A task of fixed form is measured by its own reader; any other answer is read as a sentence.
    """
    question, answer = (" ".join(text.split()) for text in (asked.question, asked.options[asked.answer_index]))
    if isinstance(asked, QAItem) and asked.task in READERS:
        others = tuple(" ".join(o.split()) for n, o in enumerate(asked.options) if n != asked.answer_index)
        finding = READERS[asked.task](Asked(question, answer, others, measurements))
        if finding:
            yield finding
        return
    sentence = sentence_of(question, answer)
    if sentence:
        for spoken in read_sentence(sentence, span, measurements.clip_span):
            yield check_spoken(spoken, measurements)


def options_true_too(
    asked: QAItem | ToolTrace, span: Span, measurements: Measurements
) -> Iterator[tuple[str, Finding]]:
    """Options that are marked wrong although the signals confirm them, each with what confirms it.

    Only of answers that say one measured thing: of a whole sentence, what is confirmed need not be all that it says.
    """
    is_fixed = isinstance(asked, QAItem) and asked.task in READERS
    for number, option in enumerate(asked.options):
        if number == asked.answer_index or not (is_fixed or _in_a_form(asked.question, option)):
            continue
        found = list(answer_findings(asked.replace(answer_index=number), span, measurements))
        confirmed = [finding for finding in found if finding.outcome == "confirmed"]
        if confirmed and not any(finding.outcome == "contradicted" for finding in found):
            yield option, confirmed[0]


def sentence_of(question: str, answer: str) -> str | None:
    """The sentence that a question makes with its answer; None where none can be made safely."""
    if max(len(question), len(answer)) > MAX_CHARS:
        return None
    formed = _in_a_form(question, answer)
    if formed:
        return formed
    # What answers a conditional or a negative question is not said to be so.
    is_plain = is_asserted(question.replace("?", " "))
    return answer if is_plain and question.endswith("?") else None


def _in_a_form(question: str, answer: str) -> str | None:
    """The sentence of a question and an answer that say one measured thing in a known form."""
    question, answer = (" ".join(text.split()) for text in (question, answer))
    if max(len(question), len(answer)) > MAX_CHARS:
        return None
    for asks, answers, form in _FORMS:
        asked = re.fullmatch(asks, question, re.IGNORECASE)
        said = re.fullmatch(answers, answer, re.IGNORECASE)
        if asked and said:
            parts = {"when": "", **{k: v or "" for k, v in asked.groupdict().items()}, **said.groupdict()}
            parts["said"] = parts["said"].rstrip(".")
            return form.format(**parts).replace(" .", ".")
    return None
