"""Rules of verdicts in plain words: what it means that a label or clip was turned down by one.

Here: words. Not here: the settings that decide (`schemas.judging`), or who decides (`stages`, `annotators.judges`).
"""

from collections.abc import Mapping

from data_cards import wording
from schemas.label import REVIEW_RULE

_WORDS: Mapping[str, str] = {
    REVIEW_RULE: "a person decided so",
    "probe": "the file was not taken for a source",
    "split": "the stretch of video did not make a clip",
    "verify.span": "it speaks of a time outside its clip",
    "verify.evidence": "a measurement contradicts its evidence",
    "verify.evidence.words": "a measurement contradicts what its words say",
    "verify.wording": "its words or its options may not stand as they are",
    "verify.duplicates": "nearly the same question is there already",
    "verify.priors": "its answer can be guessed from question and options, without a model",
    "verify.consistency": "its author, asked again, says something else",
    "verify.veracity": "an independent model did not find its claims in the video",
    "verify.leakage": "models answer it without the video more often than guessing explains",
    "verify.question_class": "its class of questions is left out",
    "verify.critic": "a critic marked it too low",
}
"""By rule, or by what a rule's name begins with; the longest counts."""


def rule_words(rule: str) -> str:
    """What it means that `rule` turned something down; empty for a rule that nobody described.

    Of `verify.wording.max_length_ratio`, the words of `verify.wording`, with the setting that decided.
    """
    name = rule
    settings: list[str] = []
    while name and name not in _WORDS:
        name, _, setting = name.rpartition(".")
        settings.insert(0, wording.term(setting))
    if not name:
        return ""
    return _WORDS[name] + (f" ({', '.join(settings)})" if settings else "")
