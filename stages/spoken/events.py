"""Events in a sentence: what the camera does, transitions, stills and black; and in which order they are said to come.

Here: finding events and their order. Not here: other facts (`stages.spoken.claims`), or checking any of it.

Only the camera pans, tilts and zooms here, and only the picture cuts, fades or freezes: what people and things do is
no event of the film. The patterns are ours and know English only.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.evidence import Claim, Quantity
from schemas.time import Span
from stages.spoken.forms import Ordered, Said
from stages.spoken.vocabulary import Words


@dataclass(frozen=True)
class Event:
    """One mention of an event."""

    quantity: Quantity
    text: str | None
    start: int
    end: int
    is_loose: bool = False
    is_named_only: bool = False
    """Whether a noun merely names it (`the pan`), which says something only beside another event."""


_ADVERBS = (
    r"(?: (?:slowly|gently|smoothly|quickly|rapidly|steadily|gradually|slightly|briefly|abruptly|suddenly|finally|first"
    r"|then|now|also|again|immediately|continuously|further|back|directly|straight|is|begins? to|starts? to"
    r"|continues? to|keeps))*"
)
_PAN = (
    rf"pan(?:s|ning|ned)?{_ADVERBS}(?: across)?"
    r"(?: from (?:the )?(?:left|right) to (?:the )?(?P<across>left|right)"
    r"| (?P<from>left|right)[ -]to[ -](?P<to>left|right)"
    r"|(?: to(?:wards?)? the| to(?:wards?)?)? (?P<pan>left|right)(?:wards?)?)"
)
_TILT = rf"tilt(?:s|ing|ed)?{_ADVERBS} (?P<tilt>up|down)(?:wards?)?"
_ZOOM = rf"zoom(?:s|ing|ed)?{_ADVERBS} (?P<zoom>in|out)"
_GOES_ON = (
    r"(?! of\b| hand\b|[- ]side\b|-hand\b| (?:and|or|then)(?: back| the| to)* (?:left|right|up|down|in|out)\b"
    r"| to (?:the )?(?:left|right)\b|, (?:left|right|up|down)\b| (?:behind|past|by|next|after|above|below|under)\b)"
)
"""What must not follow a direction: `left of the house`, `left and right`, `right behind the car`."""
_MOVES = rf"(?:{_PAN}|{_TILT}|{_ZOOM})\b{_GOES_ON}"
_THE_CAMERA = r"(?:(?<![\w-])the camera|^camera)"
_CAMERA = re.compile(rf"{_THE_CAMERA}{_ADVERBS} {_MOVES}", re.IGNORECASE)
_CHAIN = re.compile(
    r"(?: \x02+)?,? (?:and then|then|and finally|and|before|followed by)(?: it| the camera)?" + rf"{_ADVERBS} {_MOVES}",
    re.IGNORECASE,
)
_STATIC = re.compile(
    rf"{_THE_CAMERA} (?:is|stays|remains|is kept|is held)(?: (?:completely|entirely|perfectly|absolutely))?"
    r" (?:static|stationary|motionless|fixed|still|locked(?:[- ]off)?)"
    r"(?= throughout\b|[.,;]|$| and\b| \x02)"
    r"|\b(?:filmed|shot|recorded)(?: \w+)? (?:with|by|from) a (?:static|stationary|fixed|locked[- ]off) camera\b",
    re.IGNORECASE,
)
_PARTLY = re.compile(
    r"\b(?:first|initially|then|until|before|after|mostly|mainly|largely|beginning|end|start|while|when|otherwise"
    r"|briefly|part|half|again|once|as)\b",
    re.IGNORECASE,
)
_ROLL = re.compile(
    r"\bthe (?:picture|camera) (?:rotates|rolls)(?: (?:slowly|gently))?"
    r" (?P<way>clockwise|counter-?clockwise|anti-?clockwise)(?= \x02|[.,;]|$| and\b| throughout\b)",
    re.IGNORECASE,
)

_FILM = r"\b(?:the|this) (?:video|clip|scene|shot|picture|image|footage|film|view|edit|sequence)"
_NEXT = (
    r"(?:a|an|the|another)(?: \w+){0,2} (?:shot|view|scene|close-?up|image|picture|angle|frame|title|card|landscape)"
)
_SPEED = r"(?: (?:slow|quick|long|short|soft|gradual|gentle))*"
_HARD_CUT = re.compile(
    r"\b(?:a|an|the|one|another)(?: \w+)? (?:hard|straight|smash|jump|match)[ -]cut\b(?! of\b)", re.IGNORECASE
)
_CUTS_TO = re.compile(
    rf"(?:{_FILM}|\bthe camera){_ADVERBS} cuts?{_ADVERBS}(?: away)? (?:to|between|from)\b"
    rf"|\b(?:there is|followed by) a cut(?= to {_NEXT}| \x02)"
    rf"|\ba cut to {_NEXT}\b",
    re.IGNORECASE,
)
_DISSOLVE = re.compile(
    rf"\b(?:a|an|the|one|another){_SPEED} (?:cross[ -]?)?dissolve\b(?! (?:in|of) \w)"
    rf"|\b(?:a|an|the){_SPEED} cross[ -]?fade\b"
    rf"|{_FILM}{_ADVERBS} (?:cross[ -]?)?(?:dissolves|fades) (?:in)?to {_NEXT}\b",
    re.IGNORECASE,
)
_FADE = re.compile(
    rf"(?:{_FILM}|\bthe screen|\b(?:a|an|the){_SPEED}){_ADVERBS} fad(?:es?|ing)"
    r" (?P<way>(?:out )?to black|in from black|up from black|from black|through black|to white|through white)\b"
    r"(?! and white)",
    re.IGNORECASE,
)
_WIPE = re.compile(r"\b(?:a|the)(?: \w+)? wipe transition\b|\bthere is a wipe(?= \x02)", re.IGNORECASE)
_STILL = re.compile(
    r"\bthe (?:picture|image|video|footage|frame) (?:freezes|stands still|is frozen)"
    r"(?! in (?:time|place|fear)| over\b| up\b| solid\b)\b|\b(?:a|the) freeze[ -]frame\b",
    re.IGNORECASE,
)
_BLACK = re.compile(
    r"\bthe (?:picture|image|whole screen|entire screen|whole frame|entire frame|video) (?:is|goes|turns|stays)"
    r"(?: (?:completely|entirely|fully|all))? black(?= \x02|[.,;]|$| and (?!white)| before\b| for\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\bthe (?:camera )?(?:(?P<pan>pan)(?: to the (?P<side>left|right))?|(?P<tilt>tilt)(?: (?P<upright>up|down))?"
    r"|(?P<zoom>zoom)(?:[- ](?P<depth>in|out))?|(?P<cut>(?:hard )?cut)|(?P<freeze>freeze(?:[- ]frame)?))(?![\w-])",
    re.IGNORECASE,
)
_FADES = {
    "to black": "fade_out", "out to black": "fade_out", "in from black": "fade_in", "up from black": "fade_in",
    "from black": "fade_in", "through black": "fade_out_in", "to white": "fade_white", "through white": "fade_white",
}  # fmt: skip

_FORWARD = re.compile(
    r"^(?: \x02+)?,?(?: and)?(?: which)?(?: (?:then|before|followed by|is followed by|and then|precedes"
    r"|(?:comes|happens|occurs|takes place|is) before))+"
    r"(?: (?:it|the camera|there is|comes|a|an|the|finally|by|slowly))*(?: \x02+,?)?$",
    re.IGNORECASE,
)
_BACKWARD = re.compile(
    r"^(?: \x02+)?,?(?: which)? (?:after|(?:comes|happens|occurs|takes place|is) after|follows)(?: (?:a|an|the))*$",
    re.IGNORECASE,
)


def read_events(words: Words, span: Span, clip: Span) -> Iterator[Said | Ordered]:
    """What a sentence says of events, and of the order of two that stand side by side in it."""
    events = sorted(_mentions(words), key=lambda event: (event.start, -event.end))
    apart = [event for n, event in enumerate(events) if n == 0 or event.start >= max(e.end for e in events[:n])]
    for event in apart:
        if not event.is_named_only:
            yield _said(event, words, span, clip)
    for one, other in itertools.pairwise(apart):
        order = _order(one, other, words)
        if order:
            first, second = (_said(event, words, span, clip, has_time=False) for event in order)
            yield Ordered(first, second, words.text)


def camera_term(found: re.Match[str]) -> str:
    """The camera term of a match of what the camera does."""
    groups = found.groupdict()
    if side := groups["across"] or groups["to"] or groups["pan"]:
        return f"pan_{side.casefold()}"
    return f"tilt_{groups['tilt'].casefold()}" if groups["tilt"] else f"zoom_{groups['zoom'].casefold()}"


def _mentions(words: Words) -> Iterator[Event]:
    text = words.text
    yield from _camera(text)
    for found in _HARD_CUT.finditer(text):
        yield Event("transition", "cut", *found.span())
    for found in _CUTS_TO.finditer(text):
        yield Event("transition", "cut", *found.span(), is_loose=True)
    for found in _DISSOLVE.finditer(text):
        yield Event("transition", "dissolve", *found.span())
    for found in _FADE.finditer(text):
        yield Event("transition", _FADES[found["way"].casefold()], *found.span(), is_loose=True)
    for found in _WIPE.finditer(text):
        yield Event("transition", "wipe", *found.span())
    for found in _STILL.finditer(text):
        yield Event("frozen", None, *found.span())
    for found in _BLACK.finditer(text):
        yield Event("black", None, *found.span())
    for found in _NAMED.finditer(text):
        yield _named(found)


def _camera(text: str) -> Iterator[Event]:
    for found in _CAMERA.finditer(text):
        if found["from"] and found["from"].casefold() == found["to"].casefold():
            continue
        end = found.end()
        yield Event("camera_motion", camera_term(found), found.start(), end)
        while going_on := _CHAIN.match(text, end):
            yield Event("camera_motion", camera_term(going_on), _verb_at(going_on), going_on.end())
            end = going_on.end()
    statics = list(_STATIC.finditer(text))
    if len(statics) == 1 and not _PARTLY.search(text) and not _CAMERA.search(text):
        yield Event("camera_motion", "static", *statics[0].span())
    for found in _ROLL.finditer(text):
        way = "clockwise" if found["way"].casefold() == "clockwise" else "counterclockwise"
        yield Event("camera_motion", f"roll_{way}", *found.span())


def _verb_at(found: re.Match[str]) -> int:
    verb = re.search(r"\b(?:pan|tilt|zoom)", found.group(), re.IGNORECASE)
    return found.start() + (verb.start() if verb else 0)


def _named(found: re.Match[str]) -> Event:
    """An event that is only named; a direction that is left open is None."""
    if found["cut"]:
        return Event("transition", "cut", *found.span(), is_named_only=True)
    if found["freeze"]:
        return Event("frozen", None, *found.span(), is_named_only=True)
    kind = "pan" if found["pan"] else "tilt" if found["tilt"] else "zoom"
    way = found["side"] or found["upright"] or found["depth"]
    return Event("camera_motion", f"{kind}_{way.casefold()}" if way else kind, *found.span(), is_named_only=True)


def _order(one: Event, other: Event, words: Words) -> tuple[Event, Event] | None:
    """The two events as they are said to come; None where nothing says so."""
    between = words.text[one.end : other.start].rstrip()
    if (
        one.is_named_only
        and other.is_named_only
        and not re.search(r"\b(?:comes|happens|occurs|precedes|follows|takes)\b", between)
    ):
        return None
    if _FORWARD.match(between):
        return one, other
    if _BACKWARD.match(between):
        return other, one
    opening = words.text[: one.start].strip().casefold()
    if between.strip() == "," and opening in ("after", "before"):
        return (one, other) if opening == "after" else (other, one)
    return None


def _said(event: Event, words: Words, span: Span, clip: Span, *, has_time: bool = True) -> Said:
    when = words.when(event.start, event.end) if has_time else None
    claim = Claim(quantity=event.quantity, text=event.text)
    if when is None:
        return Said(claim, span, 0.0, words.text, is_loose=event.is_loose)
    start, end = (clip.start_pts + clip.time_base.ticks(t) for t in (when.start_s, max(when.start_s, when.end_s)))
    where = clip.replace(start_pts=start, end_pts=end)
    return Said(claim, where, when.slack_s, words.text, is_timed=True, is_loose=event.is_loose)
