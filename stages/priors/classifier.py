"""The probe's classifier: how likely each option is the right one, by words alone, held out by video.

Here: the design matrix, folds, fitting and guessing. Not here: what is measured (`stages.priors.features`), or what
follows from a guess (`stages.priors.findings`).

Logistic regression over options, whose scores a softmax turns into probabilities over each question's options. Every
feature stands twice in the matrix, once for all and once for its group alone, so that a habit of one task is learned
as that task's (Daumé III 2007, "Frustratingly Easy Domain Adaptation").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from schemas.judging import PriorsConfig
from stages.priors.features import Features, Sparse
from stages.priors.items import Bools, Floats, Ints, Questions

HeldOutBy = Literal["source", "question"]

_WORD_COLUMNS = 1 << 17
"""Columns of words in the design matrix, and as many again of words in their groups."""
_WORD_SCALE, _PAIR_SCALE = 0.7, 0.2
"""Weights of a word and of a pair of words beside a figure or mark: pairs are many and seldom seen twice. Ours."""
_INVERSE_REGULARISATION = 1.0
_TOLERANCE = 1e-3
_MOST_ITERATIONS = 300
_GROUP_STEP = 48_271
"""How far apart the same word's columns lie in two groups: odd, so that groups do not fall together."""


@dataclass(frozen=True)
class Guesses:
    """What the classifier says of questions that it did not learn from. N = questions, R = options."""

    probability: Floats
    """Shape (R,): sums to 1 over each question's options."""
    chosen: Ints
    """Shape (N,): row of the likeliest option."""
    confidence: Floats
    """Shape (N,): its probability."""
    hits: Bools
    """Shape (N,): whether it is the right one."""
    held_out_by: HeldOutBy
    n_fitted: int
    """Questions that are learned from, fold by fold."""


def guess(questions: Questions, features: Features, config: PriorsConfig) -> Guesses:
    """Guess every question by a model that saw no question on its video; at least two questions.

    Where all are on one video, they are held out one by one.
    """
    from threadpoolctl import threadpool_limits

    design = _design(questions, features)
    n_fitted = min(len(questions), config.max_items_fitted)
    random = np.random.default_rng(config.seed)
    may_fit = np.zeros(len(questions), bool)
    may_fit[random.permutation(len(questions))[:n_fitted]] = True
    held_out_by: HeldOutBy = "source" if len(np.unique(questions.sources)) > 1 else "question"
    scores = np.zeros(len(questions.options))
    # More threads take longer: the vectors are short, and each would wait for the other cores.
    with threadpool_limits(1):
        for held_out in _folds(questions, held_out_by, config):
            is_learned = may_fit.copy()
            is_learned[held_out] = False
            learned = np.flatnonzero(is_learned)
            if len(learned):
                rows = questions.rows_of(held_out)
                scores[rows] = _fitted(questions, design, learned).decision_function(design[rows])
    return _guesses(questions, scores, held_out_by, n_fitted)


def _guesses(questions: Questions, scores: Floats, held_out_by: HeldOutBy, n_fitted: int) -> Guesses:
    first, owners = questions.first_rows, questions.owners
    raised = np.exp(scores - np.maximum.reduceat(scores, first)[owners])
    probability = raised / np.add.reduceat(raised, first)[owners]
    # Of equally likely options the last in the sort wins, which is the first of them.
    order = np.lexsort((-np.arange(len(scores)), probability, owners))
    chosen = order[first + questions.n_options - 1]
    return Guesses(probability, chosen, probability[chosen], chosen == questions.answers, held_out_by, n_fitted)


def _folds(questions: Questions, held_out_by: HeldOutBy, config: PriorsConfig) -> Iterator[Ints]:
    """The questions that are held out together."""
    from sklearn.model_selection import GroupKFold, KFold

    if held_out_by == "source":
        n_folds = min(config.folds, len(np.unique(questions.sources)))
        folds = GroupKFold(n_folds).split(questions.answers, groups=questions.sources)
    else:
        n_folds = min(config.folds, len(questions))
        folds = KFold(n_folds, shuffle=True, random_state=config.seed).split(questions.answers)
    for _, held_out in folds:
        yield held_out


def _fitted(questions: Questions, design: Sparse, learned: Ints) -> Any:
    from sklearn.linear_model import LogisticRegression

    is_right = np.zeros(len(questions.options), bool)
    is_right[questions.answers] = True
    rows = questions.rows_of(learned)
    model = LogisticRegression(C=_INVERSE_REGULARISATION, tol=_TOLERANCE, max_iter=_MOST_ITERATIONS)
    return model.fit(design[rows], is_right[rows])


def _design(questions: Questions, features: Features) -> Sparse:
    """Shape (R, C): words and figures, each for all and for its group; columns without entries are left out."""
    from scipy import sparse

    groups = questions.groups[questions.owners]
    words = [
        one
        for said, scale in ((features.words, _WORD_SCALE), (features.pairs, _PAIR_SCALE))
        for one in _shared_and_own(said, scale, groups)
    ]
    n_rows, n_figures = features.figures.shape
    row, column = np.nonzero(features.figures)
    of_group = (features.figures[row, column], (row, groups[row] * n_figures + column))
    shape = (n_rows, len(questions.group_names) * n_figures)
    figures = [sparse.csr_matrix(features.figures), sparse.csr_matrix(of_group, shape=shape)]
    whole = sparse.hstack([*words, *figures], format="csr", dtype=np.float64)
    used = np.flatnonzero(np.bincount(whole.indices, minlength=whole.shape[1]))
    return whole[:, used]


def _shared_and_own(said: Sparse, scale: float, groups: Ints) -> tuple[Sparse, Sparse]:
    """Columns of words for all groups, and columns that are each group's own."""
    from scipy import sparse

    shape = (said.shape[0], _WORD_COLUMNS)
    data, columns = said.data * scale, said.indices % _WORD_COLUMNS
    own = (columns + np.repeat(groups, np.diff(said.indptr)) * _GROUP_STEP) % _WORD_COLUMNS
    return (
        sparse.csr_matrix((data, columns, said.indptr), shape=shape),
        sparse.csr_matrix((data, own, said.indptr), shape=shape),
    )
