"""Judges that ask models, bound to what decides for them.

Here: one factory a judge, and what hands the functions of `stages` to `annotators.judges`, which may not import each
other. Not here: asking (`annotators.judges`), or what follows from outcomes (`stages`).
"""

from collections.abc import Sequence
from functools import partial

from annotators.judges.choosing import Trial
from annotators.judges.consistency import ConsistencyJudge
from annotators.judges.critic import CriticJudge
from annotators.judges.leakage import LeakageJudge, Outcomes, Rung
from annotators.judges.question_class import Order, QuestionClassJudge
from annotators.judges.veracity import VeracityJudge
from pipeline.grid import CODE_VERSION
from schemas.agreement import Consistency
from schemas.config import RunConfig
from schemas.judging import LeakageConfig, QuestionClassConfig
from schemas.label import Label, QuestionClass
from schemas.time import Span
from schemas.verdict import Verdict
from stages.blind.leakage import finished, leakage_test, leakage_verdict, require_attainable
from stages.blind.matching import answers_match
from stages.blind.question_class import classify, permutations
from stages.blind.sequential import characteristic
from stages.blind.trials import trial_plan
from stages.spoken.statements import statements
from stages.sv6d.consensus import consistency_of, trimmed
from stages.texts.embedding import make_text_embedder

USUAL_OPTIONS = range(1, 6)
"""Numbers of options whose tests must be possible for a run to start; 1 is open-ended."""


class SequentialLeakage:
    """See `annotators.judges.leakage.BlindTest`."""

    def __init__(self, config: LeakageConfig) -> None:
        """Raises UnattainableError where `max_trials` cannot hold the error rates for usual questions."""
        for n_options in USUAL_OPTIONS:
            require_attainable(config, n_options)
        self._config = config

    def trials(self, n_options: int, endpoints: Sequence[str], count: int) -> tuple[Trial, ...]:
        """Endpoints and rotations in turn; the seeds count up from that of the settings."""
        first = self._config.seed or 0
        plan = trial_plan(n_options, len(endpoints), count)
        return tuple(Trial(endpoints[one.answerer], one.rotation, first + one.seed) for one in plan)

    def next_look(self, n_options: int, n_counted: int) -> int:
        """After how many trials the test looks next. Raises UnattainableError."""
        looks = (look.trials for look in leakage_test(self._config, n_options).looks)
        return next(trials for trials in looks if trials > n_counted)

    def verdict(self, label_id: str, n_options: int, outcomes: Outcomes, rung: Rung) -> Verdict | None:
        """The verdict of a test that is over. Rungs are recorded only, unless the settings say otherwise."""
        result = finished(outcomes.right, leakage_test(self._config, n_options))
        if result is None:
            return None
        return leakage_verdict(
            label_id, result, shown=rung, rejects=rung == "nothing" or self._config.reject_rungs,
            judges=outcomes.judges, opinions=outcomes.opinions, cost_usd=outcomes.cost_usd,
        )  # fmt: skip

    def expected_trials(self, n_options: int) -> float:
        """Exact, at the rate that is granted to guessing. Raises UnattainableError."""
        test = leakage_test(self._config, n_options)
        return characteristic(test, test.low_rate).expected_trials

    def is_right(self, said: str, answer: str) -> bool:
        """By token F1."""
        return _is_right(said, answer, self._config.min_match)


class SeededOrders:
    """See `annotators.judges.question_class.Orders`."""

    def __init__(self, config: QuestionClassConfig) -> None:
        self._config = config

    def shuffled(self, label_id: str, n_frames: int) -> tuple[Order, ...]:
        """Other orders for each label."""
        found = permutations(n_frames, self._config.permutations, self._config.permutation_seed, label_id)
        return tuple(Order(one.seed, one.frames) for one in found)

    def class_of(self, *, blind: bool, ordered: bool, shuffled: Sequence[bool]) -> QuestionClass:
        """VBenchComp's classes."""
        return classify(blind=blind, ordered=ordered, shuffled=shuffled)


def leakage(config: RunConfig) -> LeakageJudge:
    """Blind answering. Raises UnattainableError, or ValueError where its prompt is not written out."""
    section = config.verify.leakage
    return LeakageJudge(section, config.endpoints, SequentialLeakage(section))


def question_class(config: RunConfig) -> QuestionClassJudge:
    """What questions need. Raises ValueError where its settings show no single frames."""
    section = config.verify.question_class
    is_right = partial(_is_right, min_match=section.min_match)
    return QuestionClassJudge(section, config.endpoints, SeededOrders(section), is_right)


def veracity(config: RunConfig) -> VeracityJudge:
    """Who has the statements of a label marked."""
    return VeracityJudge(config.verify.veracity, config.endpoints, statements)


def critic(config: RunConfig) -> CriticJudge:
    """Who marks labels on five axes and routes them."""
    return CriticJudge(config.verify.critic, config.endpoints, CODE_VERSION)


def consistency(config: RunConfig) -> ConsistencyJudge:
    """Who asks the author of SV6D labels again; what compares free text is loaded once.

    Raises ValueError where that annotator is off.
    """
    author, section = config.annotate.sv6d, config.verify.consistency
    if author.prompt is None:
        raise ValueError("verify.consistency judges what annotate.sv6d wrote, which is off")
    measure = section.measure
    embedder = make_text_embedder(measure.embedder, "verify.consistency.measure.embedder")

    def compare(label: Label, own: Sequence[Label], others: Sequence[Sequence[Label]], clip: Span) -> Consistency:
        return consistency_of(label, own, others, clip, author.taxonomy, section, measure, embedder)

    return ConsistencyJudge(section, author, config.endpoints[author.endpoint], CODE_VERSION, compare, trimmed)


def _is_right(said: str, answer: str, min_match: float) -> bool:
    return answers_match(said, answer, min_match) > 0
