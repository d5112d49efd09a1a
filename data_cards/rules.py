"""Rules of verdicts in plain words: what it means that a label or clip was turned down by one.

Here: words. Not here: the settings that decide (`schemas.judging`), or who decides (`stages`, `annotators.judges`).
"""

from collections.abc import Mapping

from data_cards import wording
from schemas.label import REVIEW_RULE

RULE_WORDS: Mapping[str, str] = {
    REVIEW_RULE: "a person decided so",
    "probe": "the file was not taken for a source",
    "split": "the stretch of video did not make a clip",
    "verify.span": "it speaks of a time outside its clip",
    "verify.evidence": "a measurement contradicts its evidence",
    "verify.evidence.words": "a measurement contradicts what its words say",
    "verify.evidence.options": "a measurement confirms an option that is marked wrong",
    "verify.wording": "its words or its options may not stand as they are",
    "verify.wording.length": "one of its texts is longer than those of labels are",
    "verify.wording.control": "its words hold invisible or control characters",
    "verify.wording.personal": "its words hold personal data, such as an e-mail address or a telephone number",
    "verify.wording.instructions": "its words read as an instruction to a model",
    "verify.wording.blocked": "its words hold a word or phrase that the settings block",
    "verify.wording.profanity": "its words hold a swear word or slur",
    "verify.wording.markup": "its words hold markup or control tokens that a model left",
    "verify.wording.refusal": "a model speaks of itself in it, or of what it was given",
    "verify.wording.placeholder": "its words hold a placeholder, or the letter of an option",
    "verify.wording.language": "it is written in another language than the settings allow",
    "verify.wording.option_empty": "one of its options says nothing",
    "verify.wording.option_marker": "its options or its question bring letters or numbers of their own",
    "verify.wording.blanket_option": "one of its options speaks of the others, or says nothing",
    "verify.wording.option_repeats": "two of its options say the same",
    "verify.wording.option_contained": "one of its options contains another, so that both may be right",
    "verify.wording.answer_in_question": "its question holds the right option, and no wrong one",
    "verify.wording.grammar": "the right option alone fits the grammar of the question",
    "verify.wording.option_length": "the right option is much longer or shorter than the others",
    "verify.wording.option_form": "the right option alone has another form than the others",
    "verify.duplicates": "nearly the same question is there already",
    "verify.priors": "its answer can be guessed from question and options, without a model",
    "verify.consistency": "its author, asked again, says something else",
    "verify.consistency.min_agreement": "its author, asked again, agrees with it too little",
    "verify.consistency.trim": "its author, asked again, repeats none of its values",
    "verify.veracity": "an independent model found that the video contradicts its claims",
    "verify.veracity.min_supported": "independent models did not find enough of its claims in the video",
    "verify.leakage": "models answer it without the video more often than guessing explains",
    "verify.leakage.caption": "models answer it from captions alone more often than guessing explains",
    "verify.leakage.frame": "models answer it from a single frame more often than guessing explains",
    "verify.question_class": "its class of questions is left out",
    "verify.critic": "a critic marked it too low",
    "verify.critic.min_score": "a critic marked it lower than the least that is kept",
}
"""By rule, or by what a rule's name begins with; the longest counts."""


def rule_words(rule: str) -> str:
    """What it means that `rule` turned something down; empty for a rule that nobody described.

    Of `split.min_clip_s`, the words of `split`, with the setting that decided.
    """
    name = rule
    settings: list[str] = []
    while name and name not in RULE_WORDS:
        name, _, setting = name.rpartition(".")
        settings.insert(0, wording.term(setting))
    if not name:
        return ""
    return RULE_WORDS[name] + (f" ({', '.join(settings)})" if settings else "")
