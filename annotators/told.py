"""What earlier annotators said, in lines that a later one is told: captions with times, evidence with numbers.

Here: choosing and wording. Not here: fencing it as data, which the prompts do with the filter `data`.
"""

from collections.abc import Sequence

from annotators.facts import stretch
from annotators.subject import ClipSubject, latest
from schemas.evidence import Evidence
from schemas.label import Caption, Label

CHARS_PER_TOKEN = 4
"""Letters that a token stands for, roughly, in English. Ours."""
CAPTIONS_SHARE = 0.25
"""Share of the token budget that captions may take. Ours."""
_LEVELS = ("clip", "event", "transition")
"""Most important first."""


def captions_told(subject: ClipSubject, token_budget: int) -> str:
    """Captions of the clip in their latest state, one a line in order of time; empty where there are none.

    Where they are too long for their share of the budget, whole ones are left out: transitions first, then late events.
    """
    room = int(token_budget * CAPTIONS_SHARE) * CHARS_PER_TOKEN
    kept: list[tuple[Label, str]] = []
    for label, caption in _by_importance(subject):
        line = f"{stretch(subject, label.span)}: {' '.join(caption.text.split())}"
        if len(line) <= room:
            kept.append((label, line))
            room -= len(line) + 1
    kept.sort(key=lambda told: (told[0].span.start_pts, -told[0].span.end_pts))
    return "\n".join(line for _, line in kept)


def evidence_told(subject: ClipSubject, evidence: Sequence[Evidence]) -> str:
    """Pieces of evidence, one a line, numbered from 1."""
    return "\n".join(
        f"{number}. {stretch(subject, piece.span)}, {piece.modality}: {' '.join(piece.observation.split())}"
        for number, piece in enumerate(evidence, 1)
    )


def _by_importance(subject: ClipSubject) -> list[tuple[Label, Caption]]:
    said = latest((*subject.labels.get("caption", ()), *subject.labels.get("names", ())))
    captions = [(label, label.caption) for label in said if label.caption]
    captions.sort(key=lambda told: (_LEVELS.index(told[1].level), told[0].span.start_pts))
    return captions
