"""Of labels with a planted error hardly any pass, and of true ones hardly any are turned away, by the films' truth."""

from pathlib import Path

import pytest

from schemas.evidence import Claim
from tests.benchmarks.planted_errors import TARGET, Found, Tally, found_in
from tests.planted_films import FILMS, QUICK, film_named, measured, pictures_of, truth_of
from tests.planted_truth import is_false

KINDS = {
    "evidence shifted", "direction flipped: evidence", "direction flipped: SV6D value", "direction flipped: words",
    "count changed: evidence", "count changed: words", "text altered: evidence", "text altered: words", "order swapped",
    "wrong option marked right", "time outside: evidence", "time outside: step", "time outside: words",
    "time moved: words", "SV6D value altered",
}  # fmt: skip


def shortfalls(found: Found) -> dict[str, tuple[float, list[str]]]:
    """Everything whose share is below the target, with what was missed."""
    tallies: dict[str, Tally] = {
        **found.planted,
        "untouched": found.untouched,
        **{f"untouched {modality}": tally for modality, tally in found.by_modality.items()},
        **{f"false captions: {kind}": tally for kind, tally in found.false_captions.items()},
        **{f"true captions: {kind}": tally for kind, tally in found.true_captions.items()},
    }
    return {name: (tally.share, tally.missed[:5]) for name, tally in tallies.items() if tally.share < TARGET}


def test_planted_errors_are_contradicted_and_true_labels_confirmed_on_a_few_films() -> None:
    found = found_in(map(film_named, QUICK), seeds=(0,))
    assert set(found.planted) == KINDS
    assert not found.false_by_truth
    assert not shortfalls(found)
    assert found.untouched.n > 80
    assert sum(tally.n for tally in found.planted.values()) > 2000


@pytest.mark.slow
def test_planted_errors_are_contradicted_and_true_labels_confirmed_on_all_films() -> None:
    found = found_in(FILMS, seeds=(0, 1))
    assert not found.false_by_truth
    assert not shortfalls(found)
    assert set(found.by_modality) == {"cut", "motion", "text", "colour", "frame", "words"}


def test_there_are_enough_films_of_several_sizes_and_their_truth_covers_every_frame() -> None:
    assert len(FILMS) >= 12
    assert len({(film.width, film.height) for film in FILMS}) >= 4
    for film in (film_named("slow"), film_named("stills")):
        truth = truth_of(film)
        assert len(truth.lumas) == sum(1 for _ in pictures_of(film))
        assert truth.shots[-1][1] == len(truth.lumas)
        assert max(move.end for move in truth.camera) == len(truth.lumas)


def test_what_stays_true_when_it_is_shifted_is_no_error(tmp_path: Path) -> None:
    (made,) = measured(film_named("single"), tmp_path, seeds=(0,))
    static = Claim(quantity="camera_motion", text="static")
    assert not is_false(static, 90, 130, made)
    assert not is_false(static, 115, 155, made)
    assert is_false(static, 170, 210, made)
    assert not is_false(Claim(quantity="luma_mean", value=0.9), 0, 260, made)
