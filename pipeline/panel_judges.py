"""The judges that ask a panel of models, or a label's own author, bound to the stages that they measure with.

Here: one factory a judge. Not here: what a judge asks (`annotators.judges`), or how units reach it (`pipeline.plan`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.grid import CODE_VERSION
from schemas.config import RunConfig
from schemas.label import Label
from schemas.time import Span

if TYPE_CHECKING:
    from annotators.judges.consistency import ConsistencyJudge
    from annotators.judges.critic import CriticJudge
    from annotators.judges.veracity import VeracityJudge
    from schemas.agreement import Consistency


def veracity(config: RunConfig) -> "VeracityJudge":
    """Who has the statements of a label marked."""
    from annotators.judges.veracity import VeracityJudge
    from stages.statements import statements

    return VeracityJudge(config.verify.veracity, config.endpoints, statements)


def critic(config: RunConfig) -> "CriticJudge":
    """Who marks labels on five axes and routes them."""
    from annotators.judges.critic import CriticJudge

    return CriticJudge(config.verify.critic, config.endpoints, CODE_VERSION)


def consistency(config: RunConfig) -> "ConsistencyJudge":
    """Who asks the author of SV6D labels again; what compares free text is loaded once.

    Raises ValueError where that annotator is off.
    """
    from annotators.judges.consistency import ConsistencyJudge
    from stages.consensus import consistency_of, trimmed
    from stages.text_vectors import make_text_embedder

    author, section = config.annotate.sv6d, config.verify.consistency
    if author.prompt is None:
        raise ValueError("verify.consistency judges what annotate.sv6d wrote, which is off")
    measure = section.measure
    embedder = make_text_embedder(measure.embedder, "verify.consistency.measure.embedder")

    def compare(label: Label, own: Sequence[Label], others: Sequence[Sequence[Label]], clip: Span) -> "Consistency":
        return consistency_of(label, own, others, clip, author.taxonomy, section, measure, embedder)

    return ConsistencyJudge(section, author, config.endpoints[author.endpoint], CODE_VERSION, compare, trimmed)
