"""The text-only probe: questions that can be answered from their words alone, over a whole data set, without a model.

Here: `probe`, what becomes of each question, and the report. Not here: the classifier (`stages.priors.classifier`), the
rules that it is tested beside (`stages.priors.artefacts`) and what is found with them (`stages.priors.findings`).
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.judging import PriorsConfig
from schemas.priors import EVERYTHING, Artefact, GroupPriors, GuessRate, PriorsReport
from schemas.verdict import Verdict
from stages.priors.classifier import Guesses, guess
from stages.priors.features import Features, measure
from stages.priors.findings import THE_REST, Finding, Findings, find, tested_groups
from stages.priors.items import Bools, Ints, ProbeItem, Questions, gather

__all__ = ["RULE", "ProbeItem", "probe"]

RULE = "verify.priors"


@dataclass(frozen=True)
class _Fate:
    """What becomes of the questions. N = questions."""

    flagged: Bools
    """Shape (N,): something predicts it by more than luck."""
    rejected: Bools
    """Shape (N,)."""
    because: Ints
    """Shape (N,): position of the finding that explains it; -1 where there is none."""


def probe(items: Sequence[ProbeItem], config: PriorsConfig) -> tuple[PriorsReport, dict[str, Verdict]]:
    """What can be guessed of the questions from their words, and a verdict on each that the probe can say anything of.

    Questions without options to choose from get no verdict, and none gets one where they are fewer than
    `config.min_items`. What comes out depends on the items and `config`, and not on the items' order. Raises
    StageError where an id repeats or an answer is no option.
    """
    questions = gather(items)
    n_open_ended = len(items) - len(questions)
    if len(questions) < config.min_items:
        return _silence(len(questions), n_open_ended, config), {}
    features = measure(questions)
    guesses = guess(questions, features, config)
    findings = find(questions, features, guesses, config)
    fate = _fate(questions, guesses, findings, config)
    kept = np.flatnonzero(~fate.rejected)
    after = _after(questions, features, guesses, kept, config)
    report = PriorsReport(
        n_items=len(questions),
        n_open_ended=n_open_ended,
        n_fitted=guesses.n_fitted,
        held_out_by=guesses.held_out_by,
        action=config.action,
        significance=config.significance,
        n_tests=findings.n_tests,
        overall=_group(EVERYTHING, np.ones(len(questions), bool), questions, guesses, after, fate, config),
        groups=tuple(
            _group(name, questions.groups == group, questions, guesses, after, fate, config)
            for group, name in enumerate(questions.group_names)
        ),
        artefacts=_artefacts(findings),
        notes=_notes(questions, guesses, after, config),
    )
    return report, _verdicts(questions, guesses, findings, fate, config)


def _silence(n_items: int, n_open_ended: int, config: PriorsConfig) -> PriorsReport:
    note = f"{n_items} questions with options: nothing can be said of fewer than {config.min_items}"
    return PriorsReport(
        n_items=n_items, n_open_ended=n_open_ended, n_fitted=0, held_out_by="nothing", action=config.action,
        significance=config.significance, n_tests=0, overall=None, groups=(), artefacts=(), notes=(note,),
    )  # fmt: skip


def _fate(questions: Questions, guesses: Guesses, findings: Findings, config: PriorsConfig) -> _Fate:
    """Which questions are flagged, which go, and by which finding."""
    flagged = np.zeros(len(questions), bool)
    rejected = np.zeros(len(questions), bool)
    because = np.full(len(questions), -1)
    for number, finding in enumerate(findings.found):
        items = finding.rule.items[finding.flagged]
        because[items[~flagged[items]]] = number
        flagged[items] = True
    if config.action == "reject":
        rejected |= flagged
    elif config.action == "rebalance":
        by_p_value = sorted(range(len(findings.found)), key=lambda number: findings.found[number].rule.p_value)
        lots = _lots(questions, config.seed)
        right = guesses.probability[questions.answers]
        for number in by_p_value:
            items = _surplus(findings.found[number], rejected, right, lots)
            because[items] = number
            rejected[items] = True
    return _Fate(flagged | rejected, rejected, because)


def _surplus(finding: Finding, rejected: Bools, right: np.ndarray, lots: Ints) -> Ints:
    """As many of the questions that a rule gets right as take those that are left back to chance.

    Those go first of which the rule is surest, then those whose right option the classifier finds likeliest, then
    by lot.
    """
    rule = finding.rule
    is_left = ~rejected[rule.items]
    chance = rule.chance[is_left]
    excess = float(rule.hits[is_left].sum() - chance.sum())
    if excess <= 0:
        return np.zeros(0, np.int64)
    n_surplus = math.ceil(excess / (1 - float(chance.mean())) - 1e-9)
    predicted = np.flatnonzero(is_left & rule.hits)
    items = rule.items[predicted]
    order = np.lexsort((lots[items], -right[items], -rule.confidence[predicted]))
    return items[order[:n_surplus]]


def _lots(questions: Questions, seed: int) -> Ints:
    """Shape (N,): a number for each question that depends on its id and the seed alone."""
    digests = (hashlib.sha256(f"{seed}\x1f{name}".encode("utf-8", "replace")).digest() for name in questions.label_ids)
    return np.array([int.from_bytes(digest[:7], "big") for digest in digests], np.int64)


@dataclass(frozen=True)
class _After:
    """The classifier, learned afresh from the questions that are kept."""

    questions: Questions
    hits: Bools


def _after(
    questions: Questions, features: Features, guesses: Guesses, kept: Ints, config: PriorsConfig
) -> _After | None:
    """None where fewer are kept than anything can be said of."""
    if len(kept) == len(questions):
        return _After(questions, guesses.hits)
    if len(kept) < config.min_items:
        return None
    left = questions.subset(kept)
    return _After(left, guess(left, features.subset(questions.rows_of(kept)), config).hits)


def _group(
    name: str, members: Bools, questions: Questions, guesses: Guesses, after: _After | None, fate: _Fate,
    config: PriorsConfig,
) -> GroupPriors:  # fmt: skip
    left = None
    if after is not None:
        group = questions.groups[members][0]
        still = after.questions.groups == group if name != EVERYTHING else np.ones(len(after.questions), bool)
        left = _rate(after.questions, after.hits, still) if still.any() else None
    return GroupPriors(
        group=name,
        before=_rate(questions, guesses.hits, members),
        after=left,
        n_flagged=int(fate.flagged[members].sum()),
        n_rejected=int(fate.rejected[members].sum()),
        is_tested=int(members.sum()) >= config.min_items,
    )


def _rate(questions: Questions, hits: Bools, members: Bools) -> GuessRate:
    n_items, n_right = int(members.sum()), int(hits[members].sum())
    low, high = _interval(n_right, n_items)
    chance = float((1 / questions.n_options[members]).mean())
    return GuessRate(
        n_items=n_items, chance=chance, accuracy=n_right / n_items, interval_low=low, interval_high=high
    )  # fmt: skip


def _interval(n_right: int, n_items: int) -> tuple[float, float]:
    """The 95 % confidence interval of a rate (Wilson)."""
    from scipy.stats import binomtest

    interval = binomtest(n_right, n_items).proportion_ci(0.95, method="wilson")
    return max(0.0, float(interval.low)), min(1.0, float(interval.high))


def _artefacts(findings: Findings) -> tuple[Artefact, ...]:
    found = sorted(findings.found, key=lambda finding: finding.rule.p_value)
    return tuple(
        Artefact(
            kind=finding.rule.kind,
            stratum=finding.stratum,
            rule=finding.rule.words,
            n_items=len(finding.rule.items),
            n_right=finding.rule.n_right,
            expected=finding.rule.expected,
            statistic=finding.rule.statistic,
            p_value=finding.rule.p_value,
            n_flagged=int(finding.flagged.sum()),
        )
        for finding in found
    )


def _notes(questions: Questions, guesses: Guesses, after: _After | None, config: PriorsConfig) -> tuple[str, ...]:
    notes = []
    n_small = len(questions.group_names) - len(tested_groups(questions, config))
    if n_small:
        notes.append(
            f"{n_small} groups have fewer than {config.min_items} questions, and are tested only with the others"
        )
    if guesses.held_out_by == "question":
        notes.append("all questions are on one video: questions are held out one by one, and words are not tested")
    if guesses.n_fitted < len(questions):
        notes.append(f"the classifier learned from {guesses.n_fitted} of {len(questions)} questions, drawn by lot")
    if after is None:
        notes.append(f"fewer than {config.min_items} questions are kept: nothing can be said of them")
    return tuple(notes)


def _verdicts(
    questions: Questions, guesses: Guesses, findings: Findings, fate: _Fate, config: PriorsConfig
) -> dict[str, Verdict]:
    explained = [_explained(finding, len(questions)) for finding in findings.found]
    sound = _unexplained(questions, guesses, config)
    verdicts = {}
    for item, label_id in enumerate(questions.label_ids):
        number = int(fate.because[item])
        verdict = explained[number] if number >= 0 else sound[int(questions.groups[item])]
        decision = "reject" if fate.rejected[item] else "keep"
        reason = verdict.reason
        if fate.flagged[item] and not fate.rejected[item]:
            reason += "; " + _MERCY[config.action]
        verdicts[label_id] = verdict.replace(subject_id=label_id, decision=decision, reason=reason)
    return verdicts


_MERCY = {
    "flag": "kept, because such questions are only marked",
    "rebalance": "kept, because enough such questions go for the rest to be at chance",
}
"""Why a question that is predicted stays, by the action."""


def _explained(finding: Finding, n_questions: int) -> Verdict:
    """The verdict on each question that a finding gives away, its id apart."""
    rule = finding.rule
    n_right, n_items = rule.n_right, len(rule.items)
    low, high = _interval(n_right, n_items)
    return Verdict(
        subject_id="", decision="reject", rule=RULE, score=n_right / n_items, threshold=rule.expected / n_items,
        reason=f"{rule.words} in {n_right} of {n_items} questions of {_spell(finding.stratum)}, "
        f"{rule.expected:.0f} are expected by chance",
        looked_at=_looked_at(n_questions), trials=n_items, interval_low=low, interval_high=high,
    )  # fmt: skip


def _unexplained(questions: Questions, guesses: Guesses, config: PriorsConfig) -> dict[int, Verdict]:
    """By group, the verdict on questions that nothing gives away, its id apart; small groups share that of all."""
    everyone = np.ones(len(questions), bool)
    tested = set(tested_groups(questions, config))
    whole = _passed(questions, guesses, everyone, "all groups together")
    return {
        group: _passed(questions, guesses, questions.groups == group, name) if group in tested else whole
        for group, name in enumerate(questions.group_names)
    }


def _passed(questions: Questions, guesses: Guesses, members: Bools, name: str) -> Verdict:
    rate = _rate(questions, guesses.hits, members)
    n_right = round(rate.accuracy * rate.n_items)
    return Verdict(
        subject_id="", decision="keep", rule=RULE, score=rate.accuracy, threshold=rate.chance,
        reason=f"nothing in its words gives the right option away; the probe guesses {n_right} of {rate.n_items} "
        f"questions of {_spell(name)} right, {rate.chance * rate.n_items:.0f} are expected by chance",
        looked_at=_looked_at(len(questions)), trials=rate.n_items,
        interval_low=rate.interval_low, interval_high=rate.interval_high,
    )  # fmt: skip


def _looked_at(n_questions: int) -> str:
    return f"question and options of {n_questions} questions"


def _spell(name: str) -> str:
    return name if name in (THE_REST, "all groups together") else f"the group {name!r}"
