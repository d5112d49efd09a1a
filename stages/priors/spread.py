"""How far the classifier's luck varies: its guesses where nothing can be guessed.

Here: `luck_spread`. Not here: the classifier (`stages.priors.classifier`), or the tests that need it
(`stages.priors.rules`).

Held-out guesses are not independent: a model that learned a lucky habit of a small group is lucky on all its folds, so
that a binomial test would find too much. How much more than the binomial luck varies is measured here. Ours.
"""

import math
from dataclasses import replace

import numpy as np

from schemas.judging import PriorsConfig
from stages.priors.classifier import guess
from stages.priors.features import Features
from stages.priors.items import Questions

_GROUPS_WANTED = 150
"""Groups that are guessed altogether, over all draws."""
_MOST_DRAWS = 15
_MOST_QUESTIONS = 80_000
"""Questions that are guessed altogether; one draw is always made."""
_PRIOR_SPREAD, _PRIOR_GROUPS = 2.0, 10
"""What is assumed before any is guessed, and the number of groups that it counts for."""


def luck_spread(questions: Questions, features: Features, config: PriorsConfig) -> float:
    """Variance of a group's right guesses over that of the binomial distribution, at least 1, at random answers.

    Answers are drawn anew among each question's options, and guessed by the classifier that learns from them. Groups
    of fewer than `config.min_items` questions are counted as one.
    """
    sizes = np.bincount(questions.groups, minlength=len(questions.group_names))
    is_large = sizes >= config.min_items
    strata = np.where(is_large[questions.groups], questions.groups, len(sizes))
    chance = 1 / questions.n_options
    expected, variance = (np.bincount(strata, weights=one) for one in (chance, chance * (1 - chance)))
    used = variance > 0
    n_draws = math.ceil(_GROUPS_WANTED / max(1, int(used.sum())))
    n_draws = max(1, min(n_draws, _MOST_DRAWS, _MOST_QUESTIONS // len(questions)))
    random = np.random.default_rng((config.seed, 1))
    squares: list[float] = []
    for _ in range(n_draws):
        places = np.floor(random.random(len(questions)) * questions.n_options).astype(np.int64)
        drawn = replace(questions, answers=questions.first_rows + places)
        right = np.bincount(strata, weights=guess(drawn, features, config).hits, minlength=len(variance))
        squares += ((right - expected)[used] ** 2 / variance[used]).tolist()
    found = (sum(squares) + _PRIOR_SPREAD * _PRIOR_GROUPS) / (len(squares) + _PRIOR_GROUPS)
    return max(1.0, found)
