"""What the tests find over groups and over all: rules beyond chance, and the questions that each gives away.

Here: which questions are tested together, the correction over all tests (Holm), and how sure it is that a rule was
right by more than luck. Not here: the rules (`stages.priors.artefacts`, `stages.priors.presence`), or what becomes of
the questions (`stages.priors.probe`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.judging import PriorsConfig
from schemas.priors import ArtefactKind
from stages.priors.artefacts import length_test, number_test, position_test, probe_test
from stages.priors.classifier import Guesses
from stages.priors.features import Features, Sparse
from stages.priors.items import Bools, Floats, Ints, Questions
from stages.priors.presence import majority_test, wording_test
from stages.priors.rules import Rule, Stratum, Tested, tail
from stages.priors.spread import luck_spread

THE_REST = "the other groups together"
"""Name of the stratum of all groups in which nothing of a kind was found by themselves."""

_LEANING = 0.05
"""Chance of applying what is found in many groups together to one that was tested by itself and does not have it
(Holm over these groups). Ours."""
_PARTS = 3
"""The significance is shared alike among the classifier in each group, rules in each group, and the rest. Ours."""

_Test = Callable[[Stratum, PriorsConfig], Iterator[Tested]]
_TESTS: dict[ArtefactKind, _Test] = {
    "majority": lambda stratum, config: majority_test(stratum, config.min_items, config.significance),
    "position": lambda stratum, config: position_test(stratum, config.min_items),
    "length": lambda stratum, config: length_test(stratum, config.min_items),
    "number": lambda stratum, config: number_test(stratum, config.min_items),
    "wording": lambda stratum, config: wording_test(stratum, config.min_items, config.significance),
    "probe": lambda stratum, config: probe_test(stratum, config.min_items),
}
"""The kinds of artefact. Where two rules say the same of the same questions, the kind that stands first is told."""

_NAMED: tuple[ArtefactKind, ...] = tuple(kind for kind in _TESTS if kind != "probe")


@dataclass(frozen=True)
class Finding:
    """A rule that is beyond chance in a stratum."""

    stratum: str
    rule: Rule
    flagged: Bools
    """Shape (M,) as the rule's items: where it is right, and that by more than luck."""


@dataclass(frozen=True)
class Findings:
    """Everything found, and among how many tests."""

    found: tuple[Finding, ...]
    """The most striking first, and those of the classifier last: a question is explained by the first that fits."""
    n_tests: int


def find(questions: Questions, features: Features, guesses: Guesses, config: PriorsConfig) -> Findings:
    """Test every group that is large enough, then of each kind all groups together that it was not found in.

    A third of the significance is shared among the rules in each group, one among the guesses of the classifier in each
    group, and one among the rest (Holm in each third), so that a data set without any artefact is found to have one
    with a probability of `significance` at most.
    """
    terms = (features.words + features.pairs).minimum(1)
    texts = _texts(questions)
    spread = luck_spread(questions, features, config)

    def stratum(name: str, items: Ints) -> Stratum:
        return Stratum(name, items, questions, features, terms, texts, guesses, spread)

    groups = [
        stratum(questions.group_names[group], np.flatnonzero(questions.groups == group))
        for group in tested_groups(questions, config)
    ]
    n_tests, found = 0, list[Finding]()
    for kinds in (_NAMED, ("probe",)):
        first = [(one, tested) for one in groups for kind in kinds for tested in _TESTS[kind](one, config)]
        found += _significant(first, config)
        n_tests += len(first)
    second: list[tuple[Stratum, Tested]] = []
    for kind, test in _TESTS.items():
        names = {finding.stratum for finding in found if finding.rule.kind == kind}
        rest = _rest(questions, names, config)
        second += [(stratum(THE_REST, rest), tested) for tested in test(stratum(THE_REST, rest), config)]
    found += _significant(second, config)
    order = list(_TESTS)
    found.sort(key=lambda finding: (order.index(finding.rule.kind), finding.rule.p_value))
    different = sorted(_different(found), key=lambda finding: (finding.rule.kind == "probe", finding.rule.p_value))
    return Findings(tuple(different), n_tests + len(second))


def tested_groups(questions: Questions, config: PriorsConfig) -> list[int]:
    """Groups with questions enough to be tested by themselves."""
    sizes = np.bincount(questions.groups, minlength=len(questions.group_names))
    return np.flatnonzero(sizes >= config.min_items).tolist()


def more_than_luck(rule: Rule, questions: Questions) -> Floats:
    """Shape (M,): of the questions like this one that the rule gets right, the share that luck does not explain.

    Ours. Where a share of questions is given away and the rest guessed at chance c, one is right in r = share +
    (1 - share) c of them, and (r - c) / (r (1 - c)) of those that one gets right are given away. Chance is that of all
    options; who follows a rule that picks several guesses among these. How often the rule is right follows its
    confidence, and never falls with it (isotonic regression).
    """
    if not len(rule.items):
        return np.zeros(0)
    rate = np.full(len(rule.items), rule.hits.mean())
    if np.ptp(rule.confidence) > 0:
        from sklearn.isotonic import IsotonicRegression

        rate = IsotonicRegression(y_min=0, y_max=1).fit_transform(rule.confidence, rule.hits.astype(np.float64))
    chance = 1 / questions.n_options[rule.items]
    guessed = rate * chance / rule.chance
    share = (guessed - chance) / np.maximum(guessed * (1 - chance), 1e-12)
    return np.asarray(np.clip(share, 0, 1), np.float64)


def holm(p_values: Sequence[float], significance: float) -> list[float]:
    """The bound that each p-value is held against where it is significant, and -1 where it is not (Holm 1979)."""
    bounds = [-1.0] * len(p_values)
    order = sorted(range(len(p_values)), key=lambda test: p_values[test])
    for rank, test in enumerate(order):
        bound = significance / (len(order) - rank)
        if p_values[test] > bound:
            break
        bounds[test] = bound
    return bounds


def _significant(tests: Sequence[tuple[Stratum, Tested]], config: PriorsConfig) -> list[Finding]:
    bounds = holm([tested[0].p_value for _, tested in tests], config.significance / _PARTS)
    return [
        Finding(stratum.name, rule, _given_away(rule, stratum, config))
        for (stratum, tested), bound in zip(tests, bounds, strict=True)
        for rule in tested
        if rule.p_value <= bound
    ]


def _given_away(rule: Rule, stratum: Stratum, config: PriorsConfig) -> Bools:
    """Shape (M,): which questions the rule gets right by more than luck.

    Of several groups tested together, those are spared that could show the habit by themselves and do not.
    """
    flagged = rule.hits & (more_than_luck(rule, stratum.questions) >= config.min_predictable_share)
    if stratum.name != THE_REST:
        return flagged
    groups = stratum.questions.groups[rule.items]
    tested = np.intersect1d(groups, tested_groups(stratum.questions, config))
    members = [groups == group for group in tested]
    p_values = [
        tail(int(rule.hits[own].sum()), int(own.sum()), float(rule.chance[own].mean()), rule.spread) for own in members
    ]
    for own, bound in zip(members, holm(p_values, _LEANING), strict=True):
        if bound < 0:
            flagged &= ~own
    return flagged


def _rest(questions: Questions, names: set[str], config: PriorsConfig) -> Ints:
    """Questions of the groups other than those named; none where they are one group that was tested by itself."""
    left = [number for number, name in enumerate(questions.group_names) if name not in names]
    present = np.intersect1d(left, questions.groups)
    if len(present) == 1 and int(present[0]) in tested_groups(questions, config):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.isin(questions.groups, present))


def _different(found: list[Finding]) -> list[Finding]:
    """Findings without those that say of the same questions the same as an earlier one (`yes`, not `no`)."""
    known: dict[tuple[bytes, bytes], Finding] = {}
    for finding in found:
        known.setdefault((finding.rule.items.tobytes(), finding.rule.hits.tobytes()), finding)
    return list(known.values())


def _texts(questions: Questions) -> Sparse:
    """Shape (R, texts), 0 or 1: which text each option is, case and punctuation at its ends apart."""
    from scipy import sparse

    plain = [option.casefold().strip(" .,;:!?'\"()[]") or option for option in questions.options]
    numbers: dict[str, int] = {}
    columns = [numbers.setdefault(text, len(numbers)) for text in plain]
    shape = (len(columns), max(1, len(numbers)))
    return sparse.csr_matrix((np.ones(len(columns)), columns, np.arange(len(columns) + 1)), shape=shape)
