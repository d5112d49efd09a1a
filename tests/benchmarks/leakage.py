"""`reelproof bench leakage`: whether the blind test holds its error rates, and what it saves.

Here: which questions, and the figures. Not here: who answers (`tests.benchmarks.leakage_answerers`), or the test itself
(`stages.blind.leakage`).

Everything is at the settings that are shipped. Rates are simulated, through the product's own plan and boundaries; the
exact ones stand beside them. The peers are the smallest fixed number of trials with the same error rates, and Wald's
own boundaries at the same looks; the limit is Wald's, for any test that looks after every trial.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.stats import binomtest

from schemas.judging import LeakageConfig
from stages.blind.leakage import CONFIDENCE, hypotheses, leakage_test
from stages.blind.sequential import (
    Characteristic,
    FixedDesign,
    Hypotheses,
    SequentialTest,
    characteristic,
    endings,
    fewest_trials,
    fixed_design,
)
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.footage import Say
from tests.benchmarks.leakage_answerers import (
    N_ANSWERERS,
    Tally,
    abilities,
    rejected_by_correlation,
    rejected_by_liking,
    rejected_by_position,
    simulate,
    walds_test,
)
from tests.benchmarks.priors_planted import N_TIMED, measure_planted

N_ITEMS = 1_000_000
N_QUICK = 10_000
N_SETS = 10
N_TIMED_QUICK = 2_000
OPTIONS = (2, 3, 4, 5)
OPEN = 1
MIN_SAVED = 0.4
MANY_ANSWERERS = (1, 2, 3, 5)
CORRELATION = 0.1
SEED = 11
WALD = "Wald's boundaries"


@dataclass(frozen=True)
class Race:
    """One number of options: our test, its peers, and what simulated items came to."""

    n_options: int
    asked: Hypotheses
    ours: SequentialTest
    fixed: FixedDesign
    wald: SequentialTest
    guessed: Tally
    leaking: Tally

    @property
    def kind(self) -> str:
        return "open-ended" if self.n_options == OPEN else f"{self.n_options} options"


def measure(say: Say = lambda _: None, *, quick: bool = False) -> list[Figure]:
    """All figures.

    Args:
        say: told what is being done.
        quick: with so few items that simulated rates are mostly noise, to see that it works.
    """
    config, found = LeakageConfig(), list[Figure]()
    for n_options in (*OPTIONS, OPEN):
        say(f"{n_options} options" if n_options > 1 else "open-ended")
        race = _race(config, n_options, N_QUICK if quick else N_ITEMS)
        found += [*_errors(race), *_saved(race), *_in_between(race)]
        if n_options in OPTIONS:
            found += _dependent(race)
    return [*found, *measure_planted(1 if quick else N_SETS, N_TIMED_QUICK if quick else N_TIMED, say)]


def _race(config: LeakageConfig, n_options: int, n_items: int) -> Race:
    asked, ours = hypotheses(config, n_options), leakage_test(config, n_options)
    wald = walds_test(ours, asked.false_high, asked.false_low, config.max_trials, config.trials_at_once)
    guessed, leaking = (
        simulate(ours, n_options, ability, n_items, SEED + number)
        for number, ability in enumerate((config.guessing_prior, config.leaky_rate))
    )
    return Race(n_options, asked, ours, fixed_design(asked), wald, guessed, leaking)


def _at_rates(test: SequentialTest) -> tuple[Characteristic, Characteristic]:
    return characteristic(test, test.low_rate), characteristic(test, test.high_rate)


def _errors(race: Race) -> Iterator[Figure]:
    """Simulated error rates; peers' are exact."""
    ours, wald = _at_rates(race.ours), _at_rates(race.wald)
    fixed = f"fixed {race.fixed.trials}"
    noted = "{n:,} items; exact {exact:.4f}, noise ± {noise:.4f}; rate of right trials {rate:.3g}"
    yield at_most(
        f"false rejects, {race.kind}", race.guessed.rejected, "share", race.asked.false_high,
        {fixed: race.fixed.false_high, WALD: wald[0].high_share},
        note=noted.format(
            n=race.guessed.n_items, exact=ours[0].high_share, noise=race.guessed.noise, rate=race.asked.low_rate
        ),
    )  # fmt: skip
    yield at_most(
        f"false keeps, {race.kind}", 1 - race.leaking.rejected, "share", race.asked.false_low,
        {fixed: race.fixed.false_low, WALD: 1 - wald[1].high_share},
        note=noted.format(
            n=race.leaking.n_items, exact=1 - ours[1].high_share, noise=race.leaking.noise, rate=race.asked.high_rate
        ),
    )  # fmt: skip


def _saved(race: Race) -> Iterator[Figure]:
    """Trials saved against the fixed design; open-ended questions, which need few, have no target."""
    walds, fewest = [found.expected_trials for found in _at_rates(race.wald)], fewest_trials(race.asked)
    taken = race.guessed.mean_trials, race.leaking.mean_trials
    populations = {"guessed": (1.0, 0.0), "leaking": (0.0, 1.0), "half of them leaking": (0.5, 0.5)}
    for name, weights in populations.items():
        ours, wald, limit = (
            sum(weight * trials for weight, trials in zip(weights, found, strict=True))
            for found in (taken, walds, fewest)
        )
        title = f"trials saved, {race.kind}, {name}"
        saved, peer, bound = (1 - trials / race.fixed.trials for trials in (ours, wald, limit))
        note = f"{ours:.2f} trials a question against {race.fixed.trials}; at most {race.ours.max_trials}"
        if race.n_options == OPEN:
            yield Figure(title, saved, "share", peer={WALD: peer}, limit=bound, note=note)
        else:
            yield at_least(title, saved, "share", MIN_SAVED, {WALD: peer}, bound, note)


def _in_between(race: Race) -> Iterator[Figure]:
    """What is done at every ability, and how often the interval that is stored holds the true rate: exact."""
    chance = race.asked.low_rate
    found = {ability: characteristic(race.ours, _rate(ability, chance)) for ability in abilities()}
    half = brentq(lambda ability: characteristic(race.ours, _rate(ability, chance)).high_share - 0.5, 0.0, 0.99)
    rejected = ", ".join(f"{ability:g}: {one.high_share:.3f}" for ability, one in found.items())
    trials = ", ".join(f"{ability:g}: {one.expected_trials:.1f}" for ability, one in found.items())
    yield Figure(
        f"ability at which half are rejected, {race.kind}", half, "",
        note=f"share rejected by ability: {rejected}; trials: {trials}",
    )  # fmt: skip
    covered = {ability: _coverage(race.ours, _rate(ability, chance)) for ability in abilities()}
    worst = min(covered, key=lambda ability: covered[ability])
    yield Figure(
        f"95 % interval holds the true rate, {race.kind}, worst ability", covered[worst], "share", limit=1.0,
        note=f"at ability {worst:g}; it is Clopper and Pearson's, which knows nothing of stopping early",
    )  # fmt: skip


def _rate(ability: float, chance: float) -> float:
    """Rate of right trials of an ability; who always knows slips once in a million."""
    return min(chance + ability * (1 - chance), 1 - 1e-6)


def _coverage(test: SequentialTest, rate: float) -> float:
    total = 0.0
    for ending in endings(test, rate):
        interval = binomtest(ending.right, ending.look.trials).proportion_ci(CONFIDENCE, method="exact")
        total += ending.probability * (interval.low <= rate <= interval.high)
    return total


def _dependent(race: Race) -> Iterator[Figure]:
    """False rejects where answerers know nothing, and their trials are not independent: exact."""
    k = race.n_options
    by_position = {n: rejected_by_position(race.ours, k, n) for n in MANY_ANSWERERS[:N_ANSWERERS]}
    yield at_most(
        f"false rejects where each always picks one position, {race.kind}", max(by_position.values()), "share",
        race.asked.false_high, note=f"by answerers: {_by_number(by_position)}; all positions, exact",
    )  # fmt: skip
    by_liking = {n: rejected_by_liking(race.ours, k, n) for n in MANY_ANSWERERS}
    yield Figure(
        f"false rejects where each always prefers one option, {race.kind}, {N_ANSWERERS} answerers",
        by_liking[N_ANSWERERS], "share",
        note=f"by answerers: {_by_number(by_liking)}; {1 / k:.3g} however many they are, where they share the liking",
    )  # fmt: skip
    yield Figure(
        f"false rejects where trials of an item correlate by {CORRELATION:g}, {race.kind}",
        rejected_by_correlation(race.ours, CORRELATION), "share",
        note="rates of items after a beta distribution around chance; exact",
    )  # fmt: skip


def _by_number(shares: dict[int, float]) -> str:
    return ", ".join(f"{n}: {share:.3f}" for n, share in shares.items())
