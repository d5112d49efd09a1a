"""Names: whoever recurs in a slice's captions is called the same in all of them, and nothing else changes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.annotator import Abstention, Reading, Request
from annotators.names import ANNOTATOR, NamesAnswer
from annotators.prompts import fenced, render, shipped
from annotators.renaming import Naming, left_over, occurrences, places, renamed
from annotators.subject import ClipSubject, SliceSubject
from schemas.asking import NamesConfig
from schemas.evidence import Claim, Evidence
from schemas.label import Caption, Label
from schemas.provenance import Provenance
from tests.annotators.builders import ShotSpec, TextSpec, build_clip

CONFIG = NamesConfig()
MAKER = Provenance(annotator="caption", annotator_version="1", code_version="1.2.3", model="some-vlm")
NAMER = Provenance(annotator="names", annotator_version="1", code_version="1.2.3", model="some-llm")
COAT = "the man in the red coat"


def clip(*texts: str, level: str = "clip", lead_frames: int = 60, screen: tuple[str, ...] = ()) -> ClipSubject:
    """A clip with captions, each resting on an observation in its own words."""
    shots = (ShotSpec(texts=tuple(TextSpec(text) for text in screen)),)
    bare = ClipSubject(build_clip(shots, lead_frames=lead_frames)[0])
    labels = []
    for number, text in enumerate(texts):
        span = bare.clip.span if level == "clip" else bare.span(1, 2)
        claim = Claim(quantity="text", text="A MAN")
        seen = Evidence(span=span, modality="frame", observation=text, claim=claim, source="some-vlm")
        labels.append(
            Label(
                label_id=f"{bare.clip.clip_id}-caption-{level}-{number}", clip_id=bare.clip.clip_id, kind="caption",
                span=span, caption=Caption.model_validate({"text": text, "level": level}), evidence=(seen,),
                provenance=MAKER,
            )
        )  # fmt: skip
    return ClipSubject(bare.description, (), {"caption": tuple(labels)})


def entity(name: str, *mentions: tuple[int, str], **changes: Any) -> dict[str, Any]:
    quoted = [{"caption": number, "phrase": phrase} for number, phrase in mentions]
    return {"kind": "person", "description": "As seen.", "name": name, "mentions": quoted} | changes


def read(subject: SliceSubject, *entities: dict[str, Any]) -> Reading:
    return ANNOTATOR.read(subject, NamesAnswer.model_validate({"entities": entities}), CONFIG, NAMER)


def told(reading: Reading) -> list[str]:
    assert reading.problems == ()
    return [label.caption.text for label in reading.labels if label.caption]


SLICE = SliceSubject(
    "film-000",
    (
        clip("A man in a red coat opens a door. He waves."),
        clip("Then the man walks a brown dog.", lead_frames=200),
        clip("A woman sits.", lead_frames=400),
    ),
)


def test_one_name_is_written_wherever_its_bearer_is_mentioned() -> None:
    reading = read(SLICE, entity(COAT, (1, "A man in a red coat"), (2, "the man")))
    assert told(reading) == [
        "The man in the red coat opens a door. He waves.",
        "Then the man in the red coat walks a brown dog.",
    ]


def test_a_revised_label_keeps_its_id_its_maker_and_its_evidence_but_for_the_words() -> None:
    reading = read(SLICE, entity(COAT, (1, "A man in a red coat"), (2, "the man")))
    for label, clip_subject in zip(reading.labels, SLICE.clips, strict=False):
        (before,) = clip_subject.labels["caption"]
        assert label.caption is not None
        seen = before.evidence[0].replace(observation=label.caption.text)
        assert label == before.replace(caption=label.caption, evidence=(seen,), revisions=(NAMER,))
        assert label.evidence[0].claim == Claim(quantity="text", text="A MAN")


def test_events_and_transitions_are_captions_as_well_and_come_after_whole_clips() -> None:
    whole, event = clip("A dog runs."), clip("The animal jumps.", level="event")
    change = clip("From a dog to a house.", level="transition")
    labels = (*change.labels["caption"], *event.labels["caption"], *whole.labels["caption"])
    subject = SliceSubject("film-000", (ClipSubject(whole.description, (), {"caption": labels}),))
    reading = read(subject, entity("the brown dog", (1, "A dog"), (2, "The animal"), (3, "a dog"), kind="object"))
    assert told(reading) == ["The brown dog runs.", "The brown dog jumps.", "From the brown dog to a house."]


def test_who_is_mentioned_in_one_caption_only_stays_as_they_are() -> None:
    reading = read(SLICE, entity("the seated woman", (3, "A woman")), entity("the brown hound", (2, "a brown dog")))
    assert reading == Reading(())


def test_a_caption_whose_words_stay_the_same_is_not_revised() -> None:
    subject = SliceSubject("film-000", (clip("The brown dog runs."), clip("A dog sleeps.", lead_frames=200)))
    reading = read(subject, entity("the brown dog", (1, "The brown dog"), (2, "A dog")))
    assert told(reading) == ["The brown dog sleeps."]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (entity(COAT, (4, "A man")), "in caption 4: there is no such caption"),
        (entity(COAT, (0, "A man")), "in caption 0: there is no such caption"),
        (entity(COAT, (3, "A man")), "in caption 3: the caption does not hold these words"),
        (entity(COAT, (1, "A man in a red")), "the words 'coat' beside it belong to it as well"),
        (entity(COAT, (1, "A man")), "the words 'in red' beside it belong to it as well"),
        (entity(COAT, (1, "He")), "a phrase that describes somebody or something is needed, no pronoun"),
        (entity(COAT, (1, " ... ")), "a phrase that describes somebody or something is needed, no pronoun"),
        (entity(COAT, (3, "A woman sits")), "it is more than the words that stand for one person"),
        (entity(COAT, (1, "oor")), "the caption does not hold these words"),
        (entity("  "), "the name of entity 1 is empty"),
        (entity("x" * 81), "the name of entity 1 has 81 characters"),
        (entity("the"), "the name 'the' of entity 1 describes nothing"),
        (entity("She"), "the name 'She' of entity 1 describes nothing"),
        (entity(COAT, description=" "), "the description of entity 1 is empty"),
        (entity("Maria Lopez"), "the name 'Maria Lopez' of entity 1 is a proper name that was not read on the screen"),
    ],
)
def test_what_cannot_stand_is_named(said: dict[str, Any], problem: str) -> None:
    reading = read(SLICE, said)
    assert reading.labels == ()
    assert len(reading.problems) == 1
    assert problem in reading.problems[0]


def test_a_wrong_mention_costs_none_of_the_others() -> None:
    reading = read(SLICE, entity(COAT, (1, "A man in a red coat"), (2, "the man"), (3, "the man")))
    assert len(reading.labels) == 2
    assert len(reading.problems) == 1


def test_a_proper_name_stands_where_it_is_read_on_the_screen() -> None:
    texts = ("A large rabbit wakes up.", "The rabbit yawns.")
    said = entity("Big Buck Bunny", (1, "A large rabbit"), (2, "The rabbit"))
    on_screen = (clip(texts[0], screen=("BIG BUCK BUNNY",)), clip(texts[1], lead_frames=200))
    unread = (clip(texts[0], screen=("BIG BUNNY",)), clip(texts[1], lead_frames=200))
    assert told(read(SliceSubject("film-000", on_screen), said)) == [
        "Big Buck Bunny wakes up.",
        "Big Buck Bunny yawns.",
    ]
    assert "proper name" in read(SliceSubject("film-000", unread), said).problems[0]


@pytest.mark.parametrize("name", ["The man in the red coat", "the old TV", "a German shepherd", "der Mann im Mantel"])
def test_capitals_alone_make_no_proper_name(name: str) -> None:
    assert read(SLICE, entity(name, (1, "A man in a red coat"), (2, "the man"))).problems == ()


def test_two_entities_cannot_share_a_name_or_a_phrase() -> None:
    named = read(SLICE, entity(COAT, (1, "A man in a red coat"), (2, "the man")), entity("The Man in the red coat"))
    assert len(named.labels) == 2
    assert named.problems == ("entity 2 has the name 'the Man in the red coat' of another entity; each needs its own",)
    mentions = ((1, "A man in a red coat"), (2, "the man"))
    shared = read(SLICE, entity(COAT, *mentions), entity("the tall man", *mentions))
    assert next(label.caption.text[:23] for label in shared.labels if label.caption) == "The man in the red coat"
    assert shared.problems == (
        "'A man in a red coat' in caption 1 is given to entities 1 and 2",
        "'the man' in caption 2 is given to entities 1 and 2",
    )


def test_of_overlapping_mentions_the_longer_one_has_the_place() -> None:
    subject = SliceSubject(
        "film-000", (clip("A man with a dog waits."), clip("A man with a dog runs to a dog.", lead_frames=200))
    )
    walker = entity("the dog walker", (1, "A man with a dog"), (2, "A man with a dog"))
    dog = entity("the brown dog", (1, "a dog"), (2, "a dog"))
    # In the first caption the dog has no place of its own: it is left with a single caption, and so without a name.
    for order in ((walker, dog), (dog, walker)):
        assert told(read(subject, *order)) == ["The dog walker waits.", "The dog walker runs to a dog."]


def test_what_is_quoted_is_never_rewritten() -> None:
    subject = SliceSubject(
        "film-000",
        (clip('A sign says "the dog" as the dog barks.'), clip("“The dog” is a film about a dog.", lead_frames=9)),
    )
    assert told(read(subject, entity("the brown dog", (1, "the dog"), (2, "a dog"), kind="object"))) == [
        'A sign says "the dog" as the brown dog barks.',
        "“The dog” is a film about the brown dog.",
    ]


def test_an_observation_that_says_it_otherwise_is_left_as_it_is() -> None:
    first, second = clip("The man waits."), clip("A tall man runs.", lead_frames=200)
    (label,) = first.labels["caption"]
    seen = label.evidence[0].replace(observation="The man in the red coat stands; the man in red shoes too.")
    label = label.replace(evidence=(seen,))
    subject = SliceSubject("film-000", (ClipSubject(first.description, (), {"caption": (label,)}), second))
    reading = read(subject, entity(COAT, (1, "The man"), (2, "A tall man")))
    assert reading.labels[0].evidence == (seen,)
    assert reading.labels[1].evidence[0].observation == "The man in the red coat runs."


@pytest.mark.parametrize("clips", [(), (clip(),), (clip("A man."),), (clip("A man."), clip(lead_frames=200))])
def test_a_slice_with_nothing_to_unify_is_not_asked_about(clips: tuple[ClipSubject, ...]) -> None:
    asked = ANNOTATOR.request(SliceSubject("film-000", clips), CONFIG)
    assert isinstance(asked, Abstention)
    assert "captions" in asked.reason
    assert read(SliceSubject("film-000", clips), entity(COAT)) == Reading(())


def test_no_entities_are_an_answer() -> None:
    assert read(SLICE) == Reading(())


def test_captions_are_told_by_number_with_their_clip_and_their_time() -> None:
    change = clip("A change.", level="transition", lead_frames=200, screen=("HARVEST",))
    event = clip("An event.", level="event", lead_frames=300)
    request = ANNOTATOR.request(SliceSubject("film-000", (change, event, clip("A man.", lead_frames=400))), CONFIG)
    assert isinstance(request, Request)
    start_s = (7 + 400) / 25
    assert request.facts == (
        f"Caption 1 is of clip 3, which runs from {start_s:.2f} s to {start_s + 3:.2f} s of the video:\n"
        f"{fenced('A man.')}",
        f"Caption 2 is of an event in clip 2, 1.00 s to 2.00 s:\n{fenced('An event.')}",
        f"Caption 3 is of the transition at 1.00 s in clip 1:\n{fenced('A change.')}",
        f"On the screen this is written:\n{fenced('HARVEST')}",
    )
    _, user = render(shipped("names"), {**request.values, "facts": request.facts, "pictures": ()})
    assert all(fact in user for fact in request.facts)
    assert "3 clips of one video" in user


def test_what_is_sure_to_exceed_the_budget_is_not_told_transitions_first() -> None:
    clips = tuple(clip("A man." * 20, lead_frames=60 + 100 * n) for n in range(20))
    change = clip("A change.", level="transition", lead_frames=5000)
    request = ANNOTATOR.request(SliceSubject("film-000", (change, *clips)), NamesConfig(token_budget=500))
    assert isinstance(request, Request)
    assert 5 < len(request.facts) < 20
    assert sum(map(len, request.facts)) <= 2000
    assert all("which runs from" in fact for fact in request.facts)


def test_captions_are_told_in_their_latest_state() -> None:
    (label,) = SLICE.clips[0].labels["caption"]
    again = label.replace(caption=Caption(text="A boy waves."), revisions=(NAMER,))
    first = ClipSubject(SLICE.clips[0].description, (), {"caption": (label, again)})
    request = ANNOTATOR.request(SliceSubject("film-000", (first, SLICE.clips[1])), NamesConfig(facts=False))
    assert isinstance(request, Request)
    assert len(request.facts) == 2
    assert "A boy waves." in request.facts[0]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("man", "A man and a woman.", ["A man"]),
        ("the man", "THE  MAN, the man's hat, the manner", ["THE  MAN", "the man"]),
        ("man", "The man-made lake of a snow-man and Batman", []),
        ("dog", "his dog", ["his dog"]),
        ("c++ (code)", "a c++ (code) here", ["a c++ (code)"]),
        ("дом", "белый дом и домик", ["дом"]),
        ("", "anything", []),
        (" ", "anything", []),
    ],
)  # fmt: skip
def test_phrases_are_found_as_whole_words_with_the_article_before_them(
    phrase: str, text: str, expected: list[str]
) -> None:
    assert [text[start:end] for start, end in occurrences(phrase, text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A dog. A dog! a dog", "The brown dog. The brown dog! The brown dog"),
        ("“A dog barks”, and a dog", "“A dog barks”, and the brown dog"),
        ("It is (a dog)", "It is (the brown dog)"),
        ("A brown dog and a dog", "The brown dog and the brown dog"),
        ("", ""),
    ],
)
def test_a_name_has_a_capital_where_a_sentence_starts(text: str, expected: str) -> None:
    namings = [Naming(1, "a dog", "the brown dog"), Naming(1, "a brown dog", "the brown dog")]
    assert renamed(text, namings) == expected


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("A man", "A man in a red coat walks.", "in red"),
        ("A man", "A man walks. In red letters it says so.", ""),
        ("A man", "A man in a kitchen walks.", ""),
        ("a man in a red", "a man in a red coat", "coat"),
        ("coat", "he wears a red coat", "red"),
        ("the man", "The man in the red coat sees the man.", ""),
        ("walks", "A man walks", ""),
    ],
)
def test_words_that_a_name_would_say_again_are_noticed(phrase: str, text: str, expected: str) -> None:
    assert left_over(phrase, COAT, text) == expected


WORDS = st.sampled_from(["a", "the", "man", "dog", "red", "coat", "in", "runs", "and", ".", '"'])
TEXTS = st.lists(WORDS, max_size=25).map(" ".join)
NAMINGS = st.lists(
    st.builds(
        Naming,
        st.integers(1, 4),
        st.lists(WORDS, min_size=1, max_size=3).map(" ".join),
        st.sampled_from(["the man in the red coat", "the dog", "Rex"]),
    ),
    max_size=6,
)


@given(TEXTS, NAMINGS)
def test_places_never_overlap_and_whatever_lies_between_stays(text: str, namings: list[Naming]) -> None:
    found = places(text, namings)
    bounds = [0, *(edge for place in found for edge in (place.start, place.end)), len(text)]
    assert bounds == sorted(bounds)
    between = [text[a:b] for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
    rest = renamed(text, namings).casefold()
    for kept, place in zip(between, found, strict=False):
        assert rest.startswith(kept.casefold() + place.name.casefold())
        rest = rest[len(kept) + len(place.name) :]
    assert rest == between[-1].casefold()


@given(TEXTS, NAMINGS)
def test_the_order_of_mentions_decides_nothing_between_different_lengths(text: str, namings: list[Naming]) -> None:
    by_entity = sorted(namings, key=lambda naming: naming.entity)
    assert {(p.start, p.end) for p in places(text, by_entity)} == {
        (p.start, p.end) for p in places(text, by_entity[::-1])
    }
