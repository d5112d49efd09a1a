"""Whether a question leaks its answer: what right and wrong trials of answerers who see no video prove.

Here: the two hypotheses, when the test is over, and its result as a verdict. Not here: the arithmetic of such tests
(`stages.blind.sequential`), the plan of trials (`stages.blind.trials`), marking open-ended answers
(`stages.blind.matching`), or asking (`annotators.judges`).

Answering without the video to find what needs none is Cinéaste's filter of context independence. The scale of ability,
the hypotheses on it and the test are ours.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field
from scipy.stats import binomtest

from schemas.base import Record
from schemas.judging import LeakageConfig
from schemas.verdict import Opinion, Verdict
from stages.blind.search import design_test
from stages.blind.sequential import Hypotheses, Look, SequentialTest, require_trials
from stages.errors import UnattainableError

RULE = "verify.leakage"
OPEN_CHANCE = 0.02
"""Chance of guessing the answer of an open-ended question, which cannot be counted out from options. Ours."""
MOST_RATE = 0.99
"""Rate of right trials of who always knows: a slip is never taken for a proof. Ours."""
CONFIDENCE = 0.95

LeakageDecision = Literal["leaks", "needs_video"]
Shown = Literal["nothing", "caption", "frame"]
"""What an answerer was shown beside the question and its options."""

_WITH = {"nothing": "without the video", "caption": "from captions alone", "frame": "from one frame alone"}
_LOOKED_AT = {"nothing": "the words alone", "caption": "the words and captions", "frame": "the words and one frame"}


class LeakageResult(Record):
    """A test that is over."""

    decision: LeakageDecision
    trials: int = Field(ge=1)
    right: int = Field(ge=0)
    rate: float = Field(ge=0, le=1)
    """Share of the trials that were right."""
    guessing_rate: float = Field(gt=0, lt=1)
    """Rate that is granted to guessing."""
    boundary_right: int
    """The number of right trials that decides so after as many trials: this many or more leak, or this many or fewer
    need the video."""
    log_ratio: float
    """Log-likelihood ratio of leaking to guessing, in nats; above 0 where the trials speak for leaking."""
    boundary_log_ratio: float
    """The same at the boundary."""
    interval_low: float = Field(ge=0, le=1)
    """95 % confidence interval of the rate, after Clopper and Pearson, as if the number of trials had been fixed.
    Tests that stop early stop at large and at small rates, so it lies a little further out than the truth."""
    interval_high: float = Field(ge=0, le=1)

    @property
    def boundary_rate(self) -> float:
        """The boundary as a rate, 0 to 1."""
        return self.boundary_right / self.trials


def hypotheses(config: LeakageConfig, n_options: int) -> Hypotheses:
    """The rates of right trials that are told apart, for questions of so many options; 1 is open-ended.

    An ability `a`, 0 to 1, is a rate of `chance + a * (1 - chance)`: who knows is right, who does not guesses. Low is
    the rate of the ability `guessing_prior`, high that of `leaky_rate`. Raises UnattainableError where low is not below
    high.
    """
    if n_options < 1:
        raise UnattainableError(f"a question has one option or more, not {n_options}")
    chance = 1 / n_options if n_options > 1 else OPEN_CHANCE
    low, high = (chance + ability * (1 - chance) for ability in (config.guessing_prior, config.leaky_rate))
    if config.guessing_prior >= config.leaky_rate or low >= MOST_RATE:
        raise UnattainableError(
            f"leaky_rate {config.leaky_rate:g} is not far enough above guessing_prior {config.guessing_prior:g}"
        )
    return Hypotheses(low, min(high, MOST_RATE), false_high=config.false_reject, false_low=config.false_keep)


def leakage_test(config: LeakageConfig, n_options: int) -> SequentialTest:
    """The test for questions of so many options, made once for each setting.

    Its exact error rates are at most `false_reject` for whoever guesses, or does worse, and `false_keep` for whoever
    has the ability `leaky_rate`, or more, as long as trials are independent (see `trial_plan`). For abilities in
    between nothing is promised. Raises UnattainableError.
    """
    return design_test(hypotheses(config, n_options), config.max_trials, config.trials_at_once)


def require_attainable(config: LeakageConfig, n_options: int) -> None:
    """Raises UnattainableError, in one line, where `max_trials` cannot hold the error rates that are asked for."""
    try:
        require_trials(hypotheses(config, n_options), config.max_trials)
    except UnattainableError as error:
        kind = "open-ended questions" if n_options == 1 else f"questions of {n_options} options"
        raise UnattainableError(f"{RULE}, {kind}: {error}") from None


def decide(outcomes: Sequence[bool], test: SequentialTest) -> LeakageDecision | None:
    """What the trials so far mean, in the order in which they were planned; None: go on to the test's next look.

    The first look that decides is what counts; trials after it change nothing.
    """
    found = _over(outcomes, test)
    return found and found[1]


def finished(outcomes: Sequence[bool], test: SequentialTest) -> LeakageResult | None:
    """The result of a test that is over, or None; it counts the trials up to the look that decided."""
    found = _over(outcomes, test)
    if found is None:
        return None
    look, decision = found
    right = sum(outcomes[: look.trials])
    boundary = look.high_at if decision == "leaks" else look.low_at
    interval = binomtest(right, look.trials).proportion_ci(CONFIDENCE, method="exact")
    return LeakageResult(
        decision=decision,
        trials=look.trials,
        right=right,
        rate=right / look.trials,
        guessing_rate=test.low_rate,
        boundary_right=boundary,
        log_ratio=test.log_ratio(look.trials, right),
        boundary_log_ratio=test.log_ratio(look.trials, boundary),
        interval_low=max(0.0, float(interval.low)),
        interval_high=min(1.0, float(interval.high)),
    )


def leakage_verdict(
    subject_id: str,
    result: LeakageResult,
    *,
    shown: Shown = "nothing",
    rejects: bool = True,
    judges: tuple[str, ...] = (),
    opinions: tuple[Opinion, ...] = (),
    cost_usd: float = 0.0,
) -> Verdict:
    """The result as a verdict: the rate against the boundary that it met.

    Args:
        subject_id: id of the label.
        result: of the test.
        shown: what the answerers had beside the words; anything but `nothing` has a rule of its own.
        rejects: whether a question that leaks is rejected; otherwise the verdict only records it.
        judges: models that answered.
        opinions: one for each trial.
        cost_usd: of the trials' replies.
    """
    leaks = result.decision == "leaks"
    reason = f"answered right {_WITH[shown]} in {result.right} of {result.trials} trials"
    return Verdict(
        subject_id=subject_id,
        decision="reject" if leaks and rejects else "keep",
        rule=RULE if shown == "nothing" else f"{RULE}.{shown}",
        score=result.rate,
        threshold=result.boundary_rate,
        reason=f"{reason}; guessing gives {result.guessing_rate:.2g}",
        looked_at=_LOOKED_AT[shown],
        judges=judges,
        trials=result.trials,
        interval_low=result.interval_low,
        interval_high=result.interval_high,
        opinions=opinions,
        cost_usd=cost_usd,
    )


def _over(outcomes: Sequence[bool], test: SequentialTest) -> tuple[Look, LeakageDecision] | None:
    for look in test.looks:
        if look.trials > len(outcomes):
            return None
        decision = look.decision(sum(outcomes[: look.trials]))
        if decision is not None:
            return look, "leaks" if decision == "high" else "needs_video"
    return None
