"""What the text-only probe found fits on one line of a terminal, and says no more than there is to say."""

import pytest

from data_cards.priors_view import MAX_ARTEFACTS, priors_line, priors_view
from schemas.priors import PriorsReport
from tests.data_cards import builders

FOUND = builders.make_priors()
(LONGEST,) = FOUND.artefacts
assert FOUND.overall


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            FOUND,
            "50.0 % (42.8 to 57.2 %) of 200 questions guessed right; 25.0 % is chance; 25.0 % (18.1 to 33.5 %) after "
            "filtering; 60 flagged, 60 rejected; 1 artefact; first of all the right option is the longest in 90 of 180 "
            "questions of qa/why, where 45.0 are expected by chance; 60 flagged",
        ),
        (
            FOUND.replace(overall=FOUND.overall.replace(n_flagged=0, n_rejected=0), artefacts=()),
            "50.0 % (42.8 to 57.2 %) of 200 questions guessed right; 25.0 % is chance; 0 flagged, 0 rejected; "
            "0 artefacts",
        ),
        (builders.no_priors(), "9 questions with options: nothing can be said of fewer than 30"),
        (builders.no_priors().replace(notes=()), "nothing could be said"),
    ],
)
def test_the_probe_on_one_line(report: PriorsReport, line: str) -> None:
    assert priors_line(report) == line


def test_too_few_left_after_filtering_are_not_told_as_a_rate() -> None:
    assert FOUND.overall
    emptied = FOUND.replace(overall=FOUND.overall.replace(after=None))
    assert "too few are left to say more of them" in priors_line(emptied)
    assert priors_view(emptied).groups[0].after == "—"


def test_many_artefacts_are_counted_and_the_first_are_told() -> None:
    view = priors_view(FOUND.replace(artefacts=(LONGEST,) * (MAX_ARTEFACTS + 3)))
    assert (len(view.artefacts), view.left_out) == (MAX_ARTEFACTS, 3)


@pytest.mark.parametrize(
    ("action", "words"), [("reject", "were rejected"), ("flag", "none was rejected"), ("rebalance", "as many were")]
)
def test_what_became_of_the_questions_is_said(action: str, words: str) -> None:
    assert words in priors_view(FOUND.replace(action=action)).action
