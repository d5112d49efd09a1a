"""`reelproof demo`: the request that runs the whole pipeline on the sample videos that come with the package."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from rich.console import Console
from scipy.stats import bootstrap

from annotators.answer_schema import UnreadableError, parse_answer
from annotators.answers import Answer
from annotators.endpoint.replies import Replies
from annotators.table import ASKING
from jobs.run import Request
from jobs.status import open_run
from pipeline.grid import Inputs, Run
from schemas.label import ClipLabels, VerifiedLabel
from schemas.verdict import Verdict
from stages.blind.leakage import CONFIDENCE, OPEN_CHANCE, RULE

_SETTINGS = (
    "card.title=Reelproof demo",
    "card.license=cc-by-3.0",
    # The reel is short: clips of several shots have more to ask about.
    "split.stitch_min_similarity=0",
    "split.max_clip_s=12",
    # Two sources are too few for fractions to mean anything: all of them train.
    "plan.validation_fraction=0",
    "plan.test_fraction=0",
)


LOCAL_RECIPE = "espresso-small"
"""What a small local model is asked for."""

BLIND_SETTINGS = (
    "verify.leakage.enabled=true",
    # There is one model: it answers what was measured, and says nothing about questions that it wrote itself.
    "verify.leakage.endpoints=[default]",
    "verify.leakage.unjudged=keep",
    # A letter in JSON takes some ten tokens.
    "verify.leakage.max_tokens=32",
    # Larger errors than a data set should be filtered with, so that two cores need a few minutes: four or six trials of
    # a question with four options. Four at once show each option in each place: a liking for a place is right once.
    "verify.leakage.false_keep=0.1",
    "verify.leakage.leaky_rate=0.8",
    "verify.leakage.max_trials=20",
    "verify.leakage.trials_at_once=4",
)
"""How the same model answers blind, besides what a small local model is asked for. Every figure is the demo's own."""


def demo_request(
    output: str, runner: str, *, quiet: bool, recipe: str = "default", settings: tuple[str, ...] = ()
) -> Request:
    """The sample videos as a request; further settings come after the demo's own."""
    samples = resources.files("jobs").joinpath("samples").iterdir()
    videos = tuple(sorted(str(path) for path in samples if path.name.endswith(".mp4")))
    return Request(
        inputs=videos, output=output, recipe=recipe, settings=(*_SETTINGS, *settings), runner=runner, quiet=quiet
    )


def print_answers(output: str) -> None:
    """Print what the model's answers came to: those of each annotator, then those that it gave blind."""
    run = open_run(output)
    replies = list(Replies(run.store))
    console = Console()
    for annotator in (one for one in ASKING if any(reply.annotator == one.name for reply in replies)):
        texts = [reply.text for reply in replies if reply.annotator == annotator.name]
        fitting = sum(_fits(text, annotator.answer) for text in texts)
        found: list[ClipLabels] = [
            result for row in run.rows(run.step(f"annotate.{annotator.name}"))
            for result in Inputs(run, run.step("card"), 0).results(f"annotate.{annotator.name}", only_row=row)
        ]  # fmt: skip
        labels = sum(len(one.labels) for one in found)
        told = f"{annotator.name}: {len(texts)} replies kept, {fitting} of them fit the schema, labels made: {labels}"
        console.print(told, highlight=False)
    figures = blind_figures(run)
    for line in _told(figures, run) if figures else ():
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print("run it again: nothing will be asked", highlight=False)


@dataclass(frozen=True)
class BlindFigures:
    """What blind answering came to over all questions of a run."""

    questions: int
    """That were judged."""
    asked: int
    """Trials of them."""
    readable: int
    """Trials whose answer could be read."""
    counted: int
    """Trials that the tests rest on."""
    right: int
    """Of those that count."""
    chance: float
    """Share of those that count that guessing is right in, 0 to 1."""
    low: float
    """Lower end of the 95 % interval of the share that was right, 0 to 1."""
    high: float
    rejected: int
    """Questions."""
    unjudged: int
    """Questions that nobody judged, for the model wrote them."""
    failed: int
    """Questions of which too many trials came to nothing."""

    @property
    def share(self) -> float:
        """Of the trials that count, those that were right, 0 to 1."""
        return self.right / self.counted


def blind_figures(run: Run) -> BlindFigures | None:
    """What the verdicts of blind answering add up to; None where it judged nothing."""
    if all(step.name != RULE for step in run.steps):
        return None
    rows = [found for row in run.rows(run.step(RULE)) for found in run.store.read(RULE, row)]
    found = [verdict for row in rows for verdict in _verdicts(row) if verdict.rule == RULE]
    judged = [verdict for verdict in found if verdict.trials]
    if not judged:
        return None
    kept: Iterator[VerifiedLabel] = Inputs(run, run.step("card"), 0).results("verify.evidence")
    options = {one.label.label_id: len(one.label.qa.options) for one in kept if one.label.qa}
    trials = np.array([verdict.trials or 0 for verdict in judged])
    right = np.array([round((verdict.score or 0) * (verdict.trials or 0)) for verdict in judged])
    chances = [_chance(options.get(verdict.subject_id, 1)) for verdict in judged]
    outcomes = [opinion.outcome for verdict in judged for opinion in verdict.opinions]
    low, high = _interval(right, trials)
    return BlindFigures(
        questions=len(judged), asked=len(outcomes), readable=sum(outcome != "none" for outcome in outcomes),
        counted=int(trials.sum()), right=int(right.sum()), chance=float(np.average(chances, weights=trials)),
        low=low, high=high, rejected=sum(verdict.decision == "reject" for verdict in judged),
        unjudged=len(found) - len(judged), failed=sum(row["outcome"] == "failure" for row in rows),
    )  # fmt: skip


def _verdicts(row: dict[str, Any]) -> list[Verdict]:
    told = row["result"]["verdicts"] if row["result"] else [row["rejection"]["verdict"]] if row["rejection"] else []
    return [Verdict.model_validate(verdict) for verdict in told]


def _chance(n_options: int) -> float:
    return 1 / n_options if n_options > 1 else OPEN_CHANCE


def _interval(right: np.ndarray[Any, Any], trials: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Of the share of trials that were right, by drawing questions anew: trials on one question are not independent.

    The share of who guesses is chance although tests stop early, for it is one sum over another; whoever always picks
    one place is right once in each whole turn of the options, but a test may end within a turn.
    """
    if len(trials) < 2:
        return 0.0, 1.0  # one question says nothing about others

    def share(right: np.ndarray[Any, Any], trials: np.ndarray[Any, Any], axis: int) -> Any:
        return right.sum(axis=axis) / trials.sum(axis=axis)

    found = bootstrap(
        (right, trials), share, paired=True, vectorized=True, confidence_level=CONFIDENCE, method="percentile",
        random_state=0,
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)


def _told(figures: BlindFigures, run: Run) -> Iterator[str]:
    """The figures in sentences, and what such figures mean."""
    section = run.config.verify.leakage
    model = ", ".join(run.config.endpoints[name].model for name in section.endpoints)
    yield (
        f"{RULE}, {model} as blind answerer: {figures.asked} trials on {figures.questions} questions, "
        f"{figures.readable} of them with a readable answer"
    )
    yield (
        f"right: {figures.right} of {figures.counted} ({figures.share:.1%}), 95 % interval over the questions "
        f"{figures.low:.1%} to {figures.high:.1%}, chance {figures.chance:.1%}"
    )
    yield (
        f"rejected as answerable without the video: {figures.rejected} of {figures.questions}; not judged, because the "
        f"same model wrote them: {figures.unjudged}; failed: {figures.failed}"
    )
    if figures.low > figures.chance:
        yield "It does better than chance: some of these questions give their answer away."
        return
    is_told = "not told from chance" if figures.chance <= figures.high else "below chance"
    by_luck = section.false_reject * figures.questions
    yield (
        f"Its answers are {is_told}, and a model no better than chance can find no leak: that it keeps a question "
        f"proves nothing, and what it rejects, it rejects by luck (up to {by_luck:.1f} questions are expected) or "
        "because it likes one option better than the others."
    )


def _fits(text: str, answer: type[Answer]) -> bool:
    try:
        parse_answer(text, answer)
    except UnreadableError:
        return False
    return True
