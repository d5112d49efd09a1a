"""Statements about the benchmark of transitions itself: it matches as it says, and its videos hold what they claim."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.benchmarks.transition_joins import KIND_SHARES, Truth, programme, random_joins
from tests.benchmarks.transition_match import Claim, Tally, f1, precision, recall
from tests.benchmarks.transition_negatives import EFFECTS, negative
from tests.benchmarks.transition_shots import HEIGHT, WIDTH, stretches
from tests.benchmarks.transition_videos import Job, build, kept
from tests.corpus import picture_of

TRUTH = (
    Truth("cut", "cut", 100, 100), Truth("dissolve", "linear", 150, 170), Truth("wipe", "left", 200, 220),
    Truth("cut", "cut", 300, 300),
)  # fmt: skip


def tally(*claims: Claim) -> Tally:
    found = Tally()
    found.add(TRUTH, claims)
    return found


def test_a_cut_counts_within_two_frames_and_once() -> None:
    assert f1(tally(Claim("cut", 102, 102), Claim("cut", 298, 298)).cuts) == 1.0
    assert recall(tally(Claim("cut", 103, 103)).cuts) == 0.0
    twice = tally(Claim("cut", 100, 100), Claim("cut", 101, 101))
    assert (precision(twice.cuts), recall(twice.cuts)) == (0.5, 0.5)


def test_a_gradual_transition_counts_from_half_overlap_whatever_its_kind_is_called() -> None:
    assert tally(Claim("dissolve", 150, 160)).graduals["match"] == 1
    assert tally(Claim("dissolve", 150, 159)).graduals["match"] == 0
    wrong = tally(Claim("wipe", 150, 170))
    assert wrong.graduals["match"] == 1
    assert (wrong.confusion["dissolve", "wipe"], wrong.kind_accuracy()) == (1, 0.0)


def test_cuts_inside_a_gradual_transition_are_false_graduals_and_no_false_cuts() -> None:
    found = tally(Claim("cut", 100, 100), Claim("cut", 160, 160))
    assert (precision(found.cuts), found.graduals["claim"], found.graduals["match"]) == (1.0, 1, 0)
    assert found.confusion["dissolve", "cut"] == 1


def test_a_claim_where_nothing_is_counts_against_all() -> None:
    found = tally(Claim("cut", 50, 50))
    assert precision(found.cuts) == 0.0
    assert found.confusion["none", "cut"] == 1
    assert found.confusion["cut", "none"] == 2


def test_a_built_video_changes_where_its_truth_says(tmp_path: Path) -> None:
    truth, path = build(Job(5, 0, "", 5, has_transnet=False, device="cpu"), tmp_path)
    with av.open(str(path)) as container:
        pictures = np.stack([picture_of(frame) for frame in container.decode(video=0)]).astype(np.int16)
    assert pictures.shape[1:] == (HEIGHT, WIDTH, 3)
    steps = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3))
    assert len(truth) == 5
    for one in truth:
        if one.kind == "cut":
            assert steps[one.start - 1] == steps[one.start - 3 : one.start + 2].max()
        else:
            ends = np.abs(pictures[one.end] - pictures[one.start - 1]).mean()
            assert ends > 1.5 * np.median(steps)


def test_a_video_is_built_once_and_by_all_that_decides_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    job = Job(5, 0, "", 2, has_transnet=False, device="cpu")
    truth, path = kept(job)
    written = path.stat().st_mtime_ns
    assert kept(replace(job, has_transnet=True)) == (truth, path)
    assert path.stat().st_mtime_ns == written
    assert len({kept(replace(job, seed=6))[1], kept(replace(job, count=3))[1], path}) == 3


def test_kinds_have_their_shares_and_the_same_seed_the_same_joins() -> None:
    joins = random_joins(np.random.default_rng(1), 100)
    assert joins == random_joins(np.random.default_rng(1), 100)
    assert Counter(join.kind for join in joins) == {kind: round(100 * share) for kind, share in KIND_SHARES.items()}
    made = programme(np.random.default_rng(1), stretches(), joins[:3])
    assert sum(1 for _ in made.frames()) == sum(made.clean) + sum(join.n_frames for join in joins[:3])


def test_every_negative_is_as_long_as_asked_and_begins_and_ends_in_its_shot() -> None:
    for name in EFFECTS:
        pictures = list(negative(np.random.default_rng(2), stretches(), name, 80))
        assert len(pictures) == 80
        assert all(picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8 for picture in pictures)
