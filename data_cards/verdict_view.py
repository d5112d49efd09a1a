"""Verdicts as the report shows them: who decided what, by which number, and who said what.

Here: plain values for the templates. Not here: their look (`templates/verdicts.html.j2`), or any deciding.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from data_cards import wording
from data_cards.rules import rule_words
from data_cards.scale import Scale
from schemas.label import REVIEW_RULE, Label
from schemas.verdict import Opinion, Verdict

MAX_OPINIONS = 200
"""Opinions of one verdict that the page lists; the sample's JSON has all."""


@dataclass(frozen=True)
class OpinionView:
    """What one judge said once."""

    judge: str
    about: str
    outcome: str
    """In words, with the score and the frame where there is one."""
    reason: str


@dataclass(frozen=True)
class VerdictView:
    """One verdict."""

    rule: str
    words: str
    """What it means to be turned down by the rule; empty where the label was kept."""
    decision: str
    """`kept` or `rejected`."""
    reason: str
    facts: tuple[str, ...]
    """Score against threshold, trials with their interval, what was looked at, who was asked, what it cost."""
    opinions: tuple[OpinionView, ...]
    left_out: int
    """Opinions that are not listed."""
    is_review: bool


def verdict_view(verdict: Verdict, label: Label, scale: Scale) -> VerdictView:
    """The verdict in words; frames are named by their time in the clip."""
    is_rejected = verdict.decision == "reject"
    return VerdictView(
        rule=verdict.rule,
        words=rule_words(verdict.rule) if is_rejected else "",
        decision="rejected" if is_rejected else "kept",
        reason=verdict.reason,
        facts=tuple(_facts(verdict)),
        opinions=tuple(_opinion(opinion, label, scale) for opinion in verdict.opinions[:MAX_OPINIONS]),
        left_out=max(0, len(verdict.opinions) - MAX_OPINIONS),
        is_review=verdict.rule == REVIEW_RULE,
    )


def _facts(verdict: Verdict) -> Iterator[str]:
    if verdict.score is not None:
        against = f" against {wording.figure(verdict.threshold)}" if verdict.threshold is not None else ""
        yield f"score {wording.figure(verdict.score)}{against}"
    if verdict.trials is not None:
        yield f"{wording.grouped(verdict.trials)} trial{'' if verdict.trials == 1 else 's'}"
    if verdict.interval_low is not None and verdict.interval_high is not None:
        yield f"95 % interval {wording.figure(verdict.interval_low, 3)} to {wording.figure(verdict.interval_high, 3)}"
    if verdict.looked_at:
        yield f"looked at {verdict.looked_at}"
    if verdict.judges and verdict.rule != REVIEW_RULE:
        yield f"asked {', '.join(verdict.judges)}"
    if verdict.cost_usd:
        yield wording.money(verdict.cost_usd)


def _opinion(opinion: Opinion, label: Label, scale: Scale) -> OpinionView:
    words = [wording.term(opinion.outcome)]
    if opinion.score is not None:
        words.append(wording.figure(opinion.score))
    if opinion.pts is not None:
        words.append(f"frame {scale.text(label.span.replace(start_pts=opinion.pts, end_pts=opinion.pts))}")
    return OpinionView(opinion.judge, opinion.about, ", ".join(words), opinion.reason)
