"""Questions on fragments of a clip whose gold answers come from its shots and transitions, with no model.

Here: the public entry point. Not here: measuring (`stages`), or questions on the clip as a whole
(`annotators.measured`).

After SF²T and FineVidBench: counting, consistency, localisation, disorder detection and rearrangement. How each is
asked is ours. Fragments are stated in the question, by their times or by the change of shot that they lie at, so that
whoever has the clip can answer. Where order is asked for, both ways are mixed: with times alone, whoever sorts numbers
would be right without a look at the clip.
"""

from annotators.fragments.annotate import annotate_fragments

__all__ = ["annotate_fragments"]
