"""Which answerer tries a question when, and with the options in which order.

Here: the plan of trials. Not here: what follows from their outcomes (`stages.blind.leakage`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Trial:
    """One try at a question."""

    answerer: int
    """Position among the answerers."""
    rotation: int
    """By how many places the options are moved to the front; 0 shows them as they are."""
    seed: int
    """Of sampling, another one for each trial of the plan: the same request twice would be the same reply."""

    def options(self, options: Sequence[T]) -> tuple[T, ...]:
        """The options in the order in which they are shown."""
        by = self.rotation % max(1, len(options))
        return (*options[by:], *options[:by])

    def answer_index(self, answer_index: int, n_options: int) -> int:
        """Where the right option is shown."""
        return (answer_index - self.rotation) % n_options


def trial_plan(n_options: int, n_answerers: int, most: int) -> tuple[Trial, ...]:
    """The first `most` trials of a question, in order.

    Answerers take turns, and so do rotations: at any point no answerer, and no rotation, is more than one trial ahead
    of another, and the same holds for the rotations that one answerer has seen. After `n_options` times `n_answerers`
    trials each answerer has seen each rotation once, so whoever always picks one position is right in exactly one of
    `n_options`: chance. Then the plan begins again, with other seeds. The order is ours.

    What this does not do: trials on one question are not independent, as a test that counts them assumes. Rotation
    makes a liking for a position harmless. It does nothing about a liking for a content: who always prefers one option
    is right in all its trials or in none, so of questions that nobody can know one answerer alone takes one in
    `n_options` for leaking, however many trials there are. Three or more answerers with likings of their own bring that
    down, though not to the rate that is asked for; two may make it worse, for one of them is right in half of the
    trials, which can be enough. Answerers that share a liking count as one. `reelproof bench leakage` says by how much.
    At temperature 0 an answerer gives the same reply to the same order: trials beyond a full cycle repeat what is
    known.

    Args:
        n_options: options of the question, 1 where it is open-ended.
        n_answerers: who is asked.
        most: trials, 0 or more.

    Raises:
        ValueError: there are no options, or nobody to ask.
    """
    if n_options < 1 or n_answerers < 1:
        raise ValueError(f"no trials of {n_options} options by {n_answerers} answerers")
    # Both turn as the trials are counted. They meet again in the same pairs after `turn` trials, so rotations then skip
    # one: over the whole cycle every pair comes once.
    turn = math.lcm(n_options, n_answerers)
    return tuple(
        Trial(answerer=number % n_answerers, rotation=(number + number // turn) % n_options, seed=number)
        for number in range(most)
    )
