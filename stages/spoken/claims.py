"""What a sentence says that can be measured: counts, transitions, camera, text, colour, speech, lengths, times, order.

Here: `spoken_claims`, and readers of single facts. Not here: camera and order (`stages.spoken.events`), or holding what
was said against the signals (`stages.spoken.checks`).

An ambiguous sentence makes no claim: leaving something unsaid costs nothing here, misreading a true sentence a label.
The patterns are ours and know English only.
"""

import re
from collections.abc import Callable, Iterator

from schemas.evidence import Claim, Quantity
from schemas.statement import Statement
from schemas.time import Span
from stages.spoken.events import read_events
from stages.spoken.forms import Said, Spoken, Timed
from stages.spoken.statements import ANSWER
from stages.spoken.vocabulary import (
    DECIMAL,
    MAX_CHARS,
    NUMBER,
    ORDINAL,
    SECONDS,
    Words,
    is_asserted,
    is_on_the_timeline,
    ordinal_number,
    read_words,
    rounding_s,
    whole_number,
)

_CLIP = r"(?<!of )(?<!in )(?<!half )\b(?:the|this) (?:whole |entire )?(?:clip|video)"
_COLOURS = "black|white|grey|gray|red|orange|yellow|green|blue|purple|pink|brown"
_MOSTLY = r"(?:almost |nearly )?(?:mostly|entirely|completely|predominantly|mainly|wholly|all)"
_ADVERBS = r"(?: (?:now|then|finally|suddenly|briefly|just|only|exactly|precisely|also))*"


def spoken_claims(statement: Statement, clip: Span) -> tuple[Spoken, ...]:
    """Everything in a statement that the signals can decide; times in it count from the clip's start.

    A question with its answer is no sentence: it is read by `stages.spoken.answers`, and so are SV6D values.
    """
    if statement.place == ANSWER or statement.place.startswith("sv6d "):
        return ()
    return read_sentence(statement.text, statement.span, clip)


def read_sentence(sentence: str, span: Span, clip: Span) -> tuple[Spoken, ...]:
    """The claims of one sentence that speaks of `span` where it names no time."""
    if len(sentence) > MAX_CHARS:
        return ()
    words = read_words(sentence)
    denials = tuple(_denials(words, span, clip))
    if denials:
        return denials
    if not is_asserted(words.text):
        first, joined, _ = sentence.partition(", and ")
        # What is denied or supposed in a second main clause leaves the first as it is.
        return read_sentence(first, span, clip) if joined else ()
    found: list[Spoken] = [said for reader in READERS for said in reader(words, span, clip)]
    found += read_events(words, span, clip)
    if words.whens and is_on_the_timeline(words.text):
        found += [Timed(when, clip, sentence) for when in words.whens]
    return tuple(found)


_NO_CUTS = re.compile(
    rf"^(?:{_CLIP} (?:has|contains|shows|holds)|there (?:is|are)) no (?P<what>cuts?|transitions?|changes? of shot)"
    r"(?: (?:at all|in (?:the|this) (?:clip|video)))?\.?$"
    rf"|{_CLIP} (?:is|consists of|was filmed in|is filmed in) (?:a |one )(?:single |one )?"
    r"(?:continuous |unbroken |uncut )?(?:shot|take)(?: without (?:any )?cuts)?\.?$",
    re.IGNORECASE,
)
_SILENT = re.compile(
    r"^(?:nobody|no one|no-one) (?:speaks|is speaking|talks|is heard(?: speaking)?)"
    r"(?: (?:in (?:the|this) (?:clip|video)|at any time|throughout))?\.?$"
    r"|^(?:there is )?no (?:speech|dialogue|voice|narration)(?: is heard)?(?: in (?:the|this) (?:clip|video))?\.?$",
    re.IGNORECASE,
)
_NEVER_STILL = re.compile(
    r"^the picture (?:nowhere|never) (?:stands still|freezes)(?: in the (?:clip|video))?\.?$", re.IGNORECASE
)
_UNMOVED = re.compile(
    r"^the camera (?:does not|doesn't|never) moves?(?: (?:at all|throughout))?(?: \x02+)?\.?$", re.IGNORECASE
)
_NO_TEXT = re.compile(
    r"^(?:there is )?no (?:on-screen )?text is (?:found|shown|seen|visible)"
    r"(?: on the screen)?(?: in the (?:clip|video))?\.?$",
    re.IGNORECASE,
)


def _denials(words: Words, span: Span, clip: Span) -> Iterator[Said]:
    """Sentences that as a whole deny one thing; any other denial is left alone."""
    if found := _NO_CUTS.search(words.text):
        is_of_cuts = (found["what"] or "").startswith("cut")
        yield _said("transition_count", clip, words, text="cut" if is_of_cuts else None, value=0)
    if _SILENT.search(words.text):
        yield _said("no_speech", span, words)
    if _NEVER_STILL.search(words.text):
        yield _said("no_freeze", clip if "clip" in words.text or "video" in words.text else span, words)
    if _NO_TEXT.search(words.text):
        yield _said("no_text", clip if "clip" in words.text or "video" in words.text else span, words)
    if _UNMOVED.search(words.text):
        yield _said("camera_motion", span, words, text="static", when_at=(0, len(words.text)), clip=clip)


_COUNT = re.compile(
    rf"(?:{_CLIP} (?:has|contains|consists of|is made(?: up)? of|is composed of|comprises|holds|is cut into)"
    rf"|\bthere are){_ADVERBS}(?: a total of)? (?P<number>{NUMBER}) (?P<hard>hard |separate |different |distinct )?"
    r"(?P<what>shots?|cuts?|transitions?)"
    r"(?P<where> (?:in (?:the|this|total)(?: clip| video)?|altogether|overall))?(?=[.,;]|$| and )",
    re.IGNORECASE,
)


def _counts(words: Words, _span: Span, clip: Span) -> Iterator[Said]:
    """How many shots, cuts or transitions the clip has."""
    for found in _COUNT.finditer(words.text):
        number, what = whole_number(found["number"]), found["what"].casefold().rstrip("s")
        if number is None or (found.group().casefold().startswith("there are") and not found["where"]):
            continue
        is_hard = (found["hard"] or "").casefold() == "hard "
        kind = {"shot": "shot", "cut": "hard cut" if is_hard else "cut", "transition": None}[what]
        if what != "shot" or number > 0:
            yield _said("transition_count", clip, words, text=kind, value=number)


_SHOT = re.compile(
    rf"\bthe (?P<which>{ORDINAL}|only) shot(?: of the (?:clip|video))? runs (?P<when>\x02+)(?=[.,;]|$| and )",
    re.IGNORECASE,
)
_SHOT_LASTS = re.compile(
    rf"\bthe (?P<which>{ORDINAL}) shot(?: of the (?:clip|video))? lasts (?P<said>{DECIMAL}) ?{SECONDS}"
    r"(?=[.,;]|$| and )",
    re.IGNORECASE,
)
_SHOT_LIGHT = re.compile(
    rf"\bthe mean brightness of the (?P<which>{ORDINAL}) shot is (?P<said>\d{{1,3}}) ?%", re.IGNORECASE
)


def _shots(words: Words, _span: Span, clip: Span) -> Iterator[Said]:
    """Where a shot named by its position runs, how long it lasts, how bright it is."""
    for found in _SHOT.finditer(words.text):
        when = next((when for when in words.whens if when.start == found.start("when")), None)
        number = 1 if found["which"].casefold() == "only" else ordinal_number(found["which"])
        if when and number and when.start_s < when.end_s:
            span = _between(clip, when.start_s, when.end_s)
            yield Said(Claim(quantity="shot", value=number), span, when.slack_s, words.text)
    for pattern, quantity in ((_SHOT_LASTS, "duration"), (_SHOT_LIGHT, "luma_mean")):
        for found in pattern.finditer(words.text):
            number, value = ordinal_number(found["which"]), float(found["said"])
            slack = rounding_s(found["said"]) if quantity == "duration" else 0.005
            value = value if quantity == "duration" else value / 100
            claim = Claim(quantity="duration" if quantity == "duration" else "luma_mean", value=value)
            if number:
                yield Said(claim, clip, slack, words.text, shot=number)


_LENGTH = re.compile(
    rf"{_CLIP} (?:lasts|runs|is)(?: for)?(?P<vague> about| around| roughly| approximately| just (?:over|under)| some)?"
    rf"{_ADVERBS} (?P<said>{DECIMAL}|{NUMBER})[ -]?(?:s|secs?|seconds?)(?P<long>[ -]long)?(?=[.,;]|$| and )"
    rf"|\b(?:a|an|this|the) (?P<before>{DECIMAL}|{NUMBER})[ -](?:s|secs?|second)(?:-long| long)? (?:clip|video)\b",
    re.IGNORECASE,
)


def _length(words: Words, _span: Span, clip: Span) -> Iterator[Said]:
    """How long the clip lasts."""
    for found in _LENGTH.finditer(words.text):
        said = found["said"] or found["before"]
        is_said = bool(
            found["before"] or found["long"] or re.search(r"\b(?:lasts|runs)\b", found.group(), re.IGNORECASE)
        )
        whole = whole_number(said)
        value = float(said) if re.fullmatch(DECIMAL, said) else None if whole is None else float(whole)
        if is_said and value is not None:
            slack_s = rounding_s(said if said[0].isdigit() else "1") + (1.0 if found["vague"] else 0.0)
            yield Said(Claim(quantity="duration", value=value), clip, slack_s, words.text, is_loose=True)


_READS = re.compile(
    r"(?:\b(?:title|title card|on-screen text|text on (?:the )?screen|caption|subtitle)\b(?: \w+){0,3}|^the screen)"
    r" (?:reads|says|shows|displays|reading|saying),? $",
    re.IGNORECASE,
)
_THE_TEXT = re.compile(r"\bthe (?:on-screen )?(?:text|title|words|subtitle|caption),? $", re.IGNORECASE)
_TOLD_AFTER = re.compile(
    r"^,? (?:is|are|appears?)(?: (?:shown|displayed|written|visible|seen))?(?: on (?:the )?screen| in the picture)?"
    r"(?=[.,; ]|$)",
    re.IGNORECASE,
)
_SIGN_BEFORE = re.compile(
    r"\b(?:sign|label|logo|banner|poster|board|shirt|text|words?|letters|lettering|headline|plate)\b(?: \w+){0,4}"
    r" (?:reads|says|reading|saying|with the words?|with the text),? $",
    re.IGNORECASE,
)


def _texts(words: Words, span: Span, clip: Span) -> Iterator[Said]:
    """What is quoted as written on the screen; what stands on things in the picture may be too small to be read."""
    for start, end, quote in words.quotes:
        before, after = words.text[max(0, start - 80) : start], words.text[end : end + 60]
        is_overlay = bool(_READS.search(before) or (_THE_TEXT.search(before) and _TOLD_AFTER.match(after)))
        if is_overlay or _SIGN_BEFORE.search(before):
            yield _said("text", span, words, text=quote, when_at=(start, end), clip=clip, is_loose=not is_overlay)


_COLOUR = re.compile(
    rf"\bthe (?:whole |entire )?(?:picture|frame|screen|image) (?:is|turns|becomes|stays){_ADVERBS} {_MOSTLY}"
    rf" (?P<is>{_COLOURS})(?=[.,;]|$| throughout\b| \x02)"
    rf"|\b(?P<dominates>{_COLOURS}) (?:dominates|fills|covers most of) the (?:whole |entire )?(?:picture|frame|image)\b"
    rf"|\bthe (?:picture|frame|image) is dominated by (?P<by>{_COLOURS})(?=[.,;]|$| \x02)",
    re.IGNORECASE,
)
_COVERS = re.compile(
    rf"\b(?P<name>{_COLOURS}) covers (?P<share>\d{{1,3}}) ?% of the picture in the (?P<which>{ORDINAL}) shot\b",
    re.IGNORECASE,
)


def _colours(words: Words, span: Span, clip: Span) -> Iterator[Said]:
    """Colours of the whole picture, never of things in it."""
    for found in _COLOUR.finditer(words.text):
        name = (found["is"] or found["dominates"] or found["by"]).casefold().replace("gray", "grey")
        yield _said("colour", span, words, text=name, when_at=found.span(), clip=clip, is_loose=True)
    for found in _COVERS.finditer(words.text):
        number, name = ordinal_number(found["which"]), found["name"].casefold().replace("gray", "grey")
        if number:
            claim = Claim(quantity="colour", text=name, value=float(found["share"]) / 100)
            yield Said(claim, clip, 0.005, words.text, shot=number)


_HEARD = re.compile(
    r"^(?:\x02+,? )?(?:speech|a voice|voices|dialogue|narration|a narrator|a voice-?over) (?:is|are) heard"
    r"(?= \x02|[.,;]|$)",
    re.IGNORECASE,
)


def _speech(words: Words, span: Span, clip: Span) -> Iterator[Said]:
    """Speech that is said to be heard; that somebody is seen to speak says nothing of the sound."""
    if found := _HEARD.search(words.text):
        yield _said("speech", span, words, when_at=found.span(), clip=clip, is_loose=True)


def _said(
    quantity: Quantity,
    span: Span,
    words: Words,
    *,
    text: str | None = None,
    value: float | None = None,
    when_at: tuple[int, int] | None = None,
    clip: Span | None = None,
    is_loose: bool = False,
) -> Said:
    """A claim of `span`, or of the time that stands with the words at `when_at`."""
    when = words.when(*when_at) if when_at else None
    claim = Claim(quantity=quantity, text=text, value=value)
    if when is None or clip is None:
        return Said(claim, span, 0.0, words.text, is_loose=is_loose)
    return Said(
        claim, _between(clip, when.start_s, when.end_s), when.slack_s, words.text, is_timed=True, is_loose=is_loose
    )


def _between(clip: Span, start_s: float, end_s: float) -> Span:
    start, end = (clip.start_pts + clip.time_base.ticks(seconds) for seconds in (start_s, max(start_s, end_s)))
    return clip.replace(start_pts=start, end_pts=end)


READERS: tuple[Callable[[Words, Span, Span], Iterator[Said]], ...] = (
    _counts, _shots, _length, _texts, _colours, _speech,
)  # fmt: skip
"""What is read of a sentence besides events: each is given the words, the statement's span and the clip."""
