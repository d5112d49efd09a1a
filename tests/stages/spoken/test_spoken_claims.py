"""Sentences become claims where they plainly say something that is measured, and none where they may not."""

import pytest

from schemas.statement import Statement
from schemas.time import Span
from stages.spoken.claims import read_sentence, spoken_claims
from stages.spoken.forms import Ordered, Said, Timed
from tests.annotators.builders import BASE

CLIP = Span(start_pts=5 * 12800, end_pts=25 * 12800, time_base=BASE)
"""Twenty seconds, from the fifth of the source."""


def read(sentence: str) -> list[tuple[str, object]]:
    """Quantity and text or value of each claim."""
    claims = [said.claim for said in read_sentence(sentence, CLIP, CLIP) if isinstance(said, Said)]
    return [(claim.quantity, claim.text if claim.value is None else claim.value) for claim in claims]


def seconds(sentence: str) -> list[tuple[float, float]]:
    """Where each claim with a time of its own stands, from the clip's start."""
    said = [said for said in read_sentence(sentence, CLIP, CLIP) if isinstance(said, Said) and said.is_timed]
    return [(round(one.span.start_s - CLIP.start_s, 3), round(one.span.end_s - CLIP.start_s, 3)) for one in said]


def orders(sentence: str) -> list[tuple[str | None, str | None]]:
    """What is said to come before what."""
    found = [said for said in read_sentence(sentence, CLIP, CLIP) if isinstance(said, Ordered)]
    return [
        (o.first.claim.text or o.first.claim.quantity, o.second.claim.text or o.second.claim.quantity) for o in found
    ]


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("The camera pans left.", [("camera_motion", "pan_left")]),
        ("The camera slowly pans to the left along the wall.", [("camera_motion", "pan_left")]),
        ("A crowd cheers while the camera is panning right.", [("camera_motion", "pan_right")]),
        ("The camera pans from left to right.", [("camera_motion", "pan_right")]),
        ("The camera pans right to left over the city.", [("camera_motion", "pan_left")]),
        ("Then the camera begins to tilt upwards.", [("camera_motion", "tilt_up")]),
        ("The camera zooms in on her face.", [("camera_motion", "zoom_in")]),
        ("The camera pans left and then tilts down.", [("camera_motion", "pan_left"), ("camera_motion", "tilt_down")]),
        ("The camera remains static throughout.", [("camera_motion", "static")]),
        ("The camera does not move.", [("camera_motion", "static")]),
        ("A man reads a book, filmed with a static camera.", [("camera_motion", "static")]),
        ("The picture rotates counterclockwise.", [("camera_motion", "roll_counterclockwise")]),
        ("The clip has three cuts.", [("transition_count", 3.0)]),
        ("The video consists of exactly 4 shots.", [("transition_count", 4.0)]),
        ("There are two transitions in the clip.", [("transition_count", 2.0)]),
        ("The clip is a single continuous shot.", [("transition_count", 0.0)]),
        ("There are no cuts in the video.", [("transition_count", 0.0)]),
        ("A slow dissolve follows.", [("transition", "dissolve")]),
        ("The scene cuts to a close-up of his hands.", [("transition", "cut")]),
        ("There is a hard cut at 3.2 s.", [("transition", "cut")]),
        ("The picture fades to black.", [("transition", "fade_out")]),
        ("It opens with a fade in from black.", [("transition", "fade_in")]),
        ("The shot dissolves into a wide view of the sea.", [("transition", "dissolve")]),
        ("The picture is mostly red.", [("colour", "red")]),
        ("Blue dominates the frame.", [("colour", "blue")]),
        ("Nobody speaks.", [("no_speech", None)]),
        ("There is no dialogue in the clip.", [("no_speech", None)]),
        ("A voice is heard.", [("speech", None)]),
        ("The clip lasts 12 seconds.", [("duration", 12.0)]),
        ("The video is about twelve seconds long.", [("duration", 12.0)]),
        ("This 8-second clip shows a market.", [("duration", 8.0)]),
        ("The title reads “EXIT”.", [("text", "EXIT")]),
        ("The text 'Now open' appears on the screen.", [("text", "Now open")]),
        ('A sign reads "NO ENTRY" beside the door.', [("text", "NO ENTRY")]),
        ("The picture freezes.", [("frozen", None)]),
        ("The picture nowhere stands still.", [("no_freeze", None)]),
        ("The picture goes black.", [("black", None)]),
        ("The second shot of the clip lasts 3.2 s.", [("duration", 3.2)]),
        ("The mean brightness of the first shot is 34% of full white.", [("luma_mean", 0.34)]),
        ("Green covers 61% of the picture in the second shot.", [("colour", 0.61)]),
    ],
)  # fmt: skip
def test_what_is_plainly_said_becomes_a_claim(sentence: str, claims: list[tuple[str, object]]) -> None:
    assert read(sentence) == claims


@pytest.mark.parametrize(
    "sentence",
    [
        # People and things move, not the camera.
        "A man walks left.", "The car pans left past the crowd.", "He zooms in on his phone.", "She tilts her head up.",
        "The cameraman pans left.", "A security camera hangs on the wall and a man turns right.",
        "The drone rises and tilts down.", "The ship rolls clockwise.", "A pan left on the stove smokes.",
        "The telescope pans right.", "He holds a camera and walks to the left.", "The camera bag zooms out of sight.",
        "A boy films with his camera while the train moves left.", "The man with the camera pans for gold.",
        # Where something is, is no direction.
        "The camera pans to the left of the house.", "The camera pans right behind the car.",
        "The camera pans left and right.", "The camera zooms in and out.", "The camera pans left or right.",
        "The camera pans across the room.", "The camera tilts the horizon.", "The camera pans to the left-hand side.",
        # Denied, supposed, asked, compared.
        "The camera does not pan left.", "The camera never zooms in.", "It looks as if the camera pans left.",
        "If the camera pans left, the house is seen.", "Does the camera pan left?", "The camera would pan left.",
        "The camera seems to pan left.", "Instead of zooming in, the camera pans left.",
        "The camera pans left faster than before.", "The camera may pan left.", "Like a hawk, the camera pans left.",
        "Rather than a cut, there is a dissolve.", "The camera pans neither left nor right.",
        "Without a cut, the camera pans left.", "The camera almost pans left.", "He wants the camera to pan left.",
        "The question is whether the camera pans left.", "It gives the illusion that the camera zooms in.",
        "The camera is static at first and then moves.", "The camera is fixed to the helmet.",
        "The camera is mostly static.", "The camera is still rolling.", "The camera is still moving slowly.",
        "The camera is static until 3 s.", "The camera is static for 2 seconds.",
        "The camera is static during the talk.",
        "A helmet is fitted with a fixed camera.", "The CCTV camera pans left.", "He sharpens it before a cut.",
        "The camera remains fixed on the actor.",
        # What is done with knives, sugar and cloths.
        "The man cuts the bread.", "She cuts to the chase.", "A cut on his finger bleeds.",
        "He makes three cuts in the dough.",
        "There are two cuts on his arm.", "The chef cuts from the left.", "A clean cut at 3 s parts the melon.",
        "The sugar dissolves at 3 s.", "The tablet dissolves in water.", "The crowd dissolves into the streets.",
        "He wipes the table at 2 s.", "A wipe lies on the table.", "The colour fades from his shirt.",
        "The sky fades to black.", "The music fades in.", "The photograph fades to black and white.",
        "The scene dissolves into chaos.", "The tailor's cut to order suit is seen.", "The record cuts off.",
        # Shots of other kinds, and inexact counts.
        "Two shots are fired.", "He drinks three shots of tequila.", "There are two shots on the bar.",
        "The player takes four shots at the goal.", "There are about three cuts in the clip, or four.",
        "The clip has at least three cuts.", "The clip has several cuts.", "The first half of the clip has two cuts.",
        "One of the clips has two cuts.",
        "Half the clip lasts 4 seconds.", "The clip has two or three shots.",
        "The clip has three shots of the sea.", "The video has 12.5 cuts.", "The clip has more than 2 shots.",
        "There are three transitions.", "The scene has three close-up shots.", "The video has 3 cuts per minute.",
        # Colours of things.
        "A red car drives by.", "The wall is mostly red.", "The picture is mostly red flowers.",
        "The dress is entirely black.",
        "The picture on the wall is mostly blue.", "The picture is red.", "The frame is mostly white snow.",
        "Mostly red, the leaves fall.", "The picture is mostly orange-brown.",
        # Written, or said by somebody.
        "A man says “EXIT”.", "“The camera pans left”, he reads.", 'She shouts "Stop".',
        "The book “Black” is on the table.",
        "A so-called “hard cut” haircut.", "The poster shows the words “the clip has 3 cuts”.",
        "He says the clip lasts 12 seconds.",
        # Speech that is seen.
        "A man speaks into a microphone.", "Nobody speaks to the old man.", "No one in the room speaks English.",
        "There is no voice like hers.", "The singer is heard.", "Nobody listens.",
        # Times that are not the clip's.
        "He waits for 30 seconds.", "The oven timer is at 45 seconds.", "She runs the lap in 58.3 seconds.",
        "The clip shows 12 seconds of the race.", "The stopwatch is at 99.9 s.", "The clip lasts longer.",
        "The clip is 12.", "The race lasts from 0 s to 58 s.",
        # Stills and black.
        "The man freezes.", "The lake is frozen.", "The picture is frozen in time.", "A black cat crosses.",
        "The picture is black and white.", "The screen of his phone goes black.", "The picture frame is black.",
        "He stands still.", "The traffic stands still.", "Time stands still.", "The frame is black.",
        # More that a model may well write.
        "The camera follows the man as he walks left across the street.", "As the camera pulls back, the city is seen.",
        "The camera remains mostly static, with slight handheld movement.", "The man on the screen says “Hello”.",
        "The camera angle is fixed, and the background remains still.", "The video has two shots of the bridge.",
        "The sequence consists of three shots: a wide shot, a medium shot, and a close-up.", "The lake freezes over.",
        "The frame is entirely black except for a small light.", "The camera pans right, left.",
        "This is filmed in one take.",
        "The picture is almost entirely blue, with a thin white line.", "The clip has three cuts of beef.",
        "The picture rotates clockwise on the wall.", "In the first shot, the camera is static.",
        "With each cut, they run.",
        "The runner finishes at 58 seconds.", "The car reaches 100 km/h at 39.5 s.", "The camera pans up to the sky.",
        "Nobody speaks, and the only sound is the wind.", "The clip is ten seconds of pure joy.",
        "The picture turns completely white for a moment.", "The picture freezes over in winter.",
        # Nothing, and too much.
        "", " ", "…", "?", "The camera", "\u202e", "cut", "pan", "The clip has", "🎥 ⬅️",
    ],
)  # fmt: skip
def test_what_may_mean_something_else_makes_no_claim(sentence: str) -> None:
    said = read_sentence(sentence, CLIP, CLIP)
    # That a time lies in the clip may be held against any sentence.
    assert all(isinstance(one, Timed) and one.when.end_s <= 20 for one in said), said


@pytest.mark.parametrize(
    ("sentence", "times"),
    [
        ("There is a dissolve from 3.2 s to 4 s.", [(3.2, 4.0)]),
        ("At 3.2 s there is a hard cut.", [(3.2, 3.2)]),
        ("From 2 s to 4 s, the camera pans left.", [(2.0, 4.0)]),
        ("Between 2 and 4 seconds the camera zooms out.", [(2.0, 4.0)]),
        ("The camera pans left at 3 s and tilts up at 6 s.", [(3.0, 3.0), (6.0, 6.0)]),
        ("At 3 s a man comes in and the camera pans left.", []),
        ("The first half of the clip has two cuts.", []),
        ("The camera pans left.", []),
        ("The text “AT 5 S” is on the screen at 7.1 s.", [(7.1, 7.1)]),
    ],
)
def test_a_time_belongs_to_what_stands_with_it(sentence: str, times: list[tuple[float, float]]) -> None:
    assert seconds(sentence) == times


@pytest.mark.parametrize(
    ("sentence", "order"),
    [
        ("The camera pans left, then tilts up.", [("pan_left", "tilt_up")]),
        ("The camera pans left before tilting up.", [("pan_left", "tilt_up")]),
        ("First the camera zooms in, then there is a hard cut.", [("zoom_in", "cut")]),
        ("After the dissolve, the camera pans left.", [("dissolve", "pan_left")]),
        ("Before the hard cut, the camera pans left.", [("pan_left", "cut")]),
        ("The pan comes before the cut.", [("pan", "cut")]),
        ("The zoom happens after the freeze.", [("frozen", "zoom")]),
        ("The camera pans left and tilts up.", []),
        ("He takes the pan before the cut.", []),
        ("He eats, then the camera pans left.", []),
        ("The camera pans left before the man eats.", []),
    ],
)
def test_an_order_is_read_where_both_parts_are_measured(sentence: str, order: list[tuple[str, str]]) -> None:
    assert orders(sentence) == order


def test_a_time_of_the_clip_is_held_to_lie_in_it() -> None:
    (timed,) = (one for one in read_sentence("A man sits down at 31 s.", CLIP, CLIP) if isinstance(one, Timed))
    assert timed.when.end_s == 31.0
    assert timed.when.slack_s == 0.5


def test_questions_and_values_are_not_read_as_sentences() -> None:
    for place in ("answer", "sv6d camera/motion"):
        statement = Statement(text="The camera pans left.", place=place, span=CLIP)
        assert spoken_claims(statement, CLIP) == ()
    assert spoken_claims(Statement(text="The camera pans left.", place="caption", span=CLIP), CLIP)


def test_hostile_text_is_read_quickly_and_says_nothing() -> None:
    for text in ("the camera " * 80, "a " * 500, "from 1 s to " * 80, "“" * 900, "the clip has " * 70, "," * 999):
        assert read_sentence(text, CLIP, CLIP) == ()
    assert read_sentence("The camera pans left. " * 100_000, CLIP, CLIP) == ()
