"""The annotator that needs no model: labels written straight from what was measured.

Here: the public entry point. Not here: measuring (`stages`), or holding labels against signals
(`stages.evidence.check`).
"""

from annotators.measured.annotate import annotate_clip

__all__ = ["annotate_clip"]
