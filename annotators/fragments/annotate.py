"""Labels of one clip: at most so many questions of each fragment task.

Here: which maker answers to which task, and how drafts become labels. Not here: what they ask.
"""

from collections.abc import Callable, Mapping

from annotators.fragments import order, single
from annotators.measured.draft import Abstention, Draft, numbered
from annotators.measured.draw import Draw
from annotators.measured.facts import ClipFacts
from schemas.asking import FragmentsConfig
from schemas.config import MeasuredConfig
from schemas.label import ClipLabels, Label
from schemas.provenance import Provenance
from schemas.signals import ClipDescription

ANNOTATOR = "fragments"
ANNOTATOR_VERSION = "1"
"""Changes whenever the same measurements lead to other labels."""
FAMILY = "sf2t"
"""Family of these tasks in the task list."""

MAKERS: Mapping[str, Callable[[ClipFacts, Draw], Draft | Abstention]] = {
    "fragment_counting": single.counting,
    "fragment_consistency": single.consistency,
    "fragment_localisation": single.localisation,
    "fragment_disorder_detection": order.disorder_detection,
    "fragment_rearrangement": order.rearrangement,
}
"""Who makes the questions of each task."""


def annotate_fragments(description: ClipDescription, config: FragmentsConfig, code_version: str) -> ClipLabels:
    """Questions on fragments of one clip, each with evidence that `stages.evidence.check` can check.

    The same description, settings and code version give the same labels, on every machine. Where a task has no answer
    beyond doubt, `abstentions` says why. Raises KeyError where the task list names a fragment task without a maker.
    """
    facts = ClipFacts(description, MeasuredConfig(n_options=config.n_options, seed=config.seed))
    provenance = Provenance(
        annotator=ANNOTATOR, annotator_version=ANNOTATOR_VERSION, code_version=code_version, seed=config.seed
    )
    labels: list[Label] = []
    abstentions = []
    for task in config.tasks.names(FAMILY):
        draw = Draw(config.seed, description.clip.clip_id, task)
        drafts, reason = _drafts(facts, draw, MAKERS[task], config.max_items_per_task)
        labels += [draft.label(description.clip.clip_id, task, draw, provenance) for draft in drafts]
        if not drafts:
            abstentions.append(f"{task}: {reason}")
    found = numbered(labels, ANNOTATOR)
    return ClipLabels(clip_id=description.clip.clip_id, labels=found, abstentions=tuple(abstentions))


def _drafts(
    facts: ClipFacts, draw: Draw, make: Callable[[ClipFacts, Draw], Draft | Abstention], most: int
) -> tuple[list[Draft], str]:
    """Different questions, at most so many; why there are none, otherwise nothing."""
    doubt = _doubt(facts)
    if doubt:
        return [], doubt
    made = [make(facts, draw) for _ in range(most)]
    drafts = {draft.question: draft for draft in made if isinstance(draft, Draft)}
    reasons = [found.reason for found in made if isinstance(found, Abstention)]
    return list(drafts.values()), reasons[0] if reasons and not drafts else ""


def _doubt(facts: ClipFacts) -> str | None:
    """Why the clip's shots cannot be spoken of with certainty; None where they can."""
    if not facts.joints_fit:
        return "the shots and transitions of the clip do not meet exactly, or a shot is black"
    if min(shot.span.duration_s for shot in facts.shots) < single.MIN_SEEN_S:
        return "a shot is so short that it may pass for a flash"
    return "the kind of a slow change could not be told" if facts.has_unnamed_transition else None
