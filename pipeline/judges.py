"""The judges that ask models, bound to what decides for them and to their settings.

Here: one factory a judge. Not here: what they ask (`annotators.judges`), or how they decide (`stages`).
"""

from collections.abc import Callable, Mapping

from annotators.judges.judge import Judge
from schemas.config import RunConfig

JUDGES: Mapping[str, Callable[[RunConfig], Judge]] = {}
"""By name."""
