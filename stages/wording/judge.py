"""The judge that looks at words only: language, safety, what a model left behind, options that give themselves away.

Here: `make_wording_judge`. Not here: the rules (`stages.wording.words`, `stages.wording.options`,
`stages.wording.language`), or whether what is said is true.
"""

from collections.abc import Callable, Iterator

from schemas.judging import WordingConfig
from schemas.label import Label, VerifiedLabel
from schemas.verdict import Verdict
from schemas.word_lists import word_lists
from stages.wording.language import LanguageJudge
from stages.wording.options import OptionRules
from stages.wording.texts import Fault, LabelText, counted, label_texts
from stages.wording.words import WordRules

RULE = "verify.wording"

WordingJudge = Callable[[VerifiedLabel], VerifiedLabel | Verdict]
"""The label with one more verdict, or a rejection."""


def make_wording_judge(config: WordingConfig) -> WordingJudge:
    """A judge with its lists and its identifier of languages loaded; made once a worker.

    A rejection's rule is `verify.wording.<what>`: `length`, `control`, `personal`, `instructions`, `blocked`,
    `profanity`, `markup`, `refusal`, `placeholder` (score: how many of the label's texts), `language` (the probability
    that it is none of the allowed), `option_empty`, `option_marker`, `blanket_option`, `option_repeats`,
    `option_contained`, `answer_in_question`, `grammar`, `option_length` (the ratio), `option_form`. The first of these
    decides; a label with none is kept with a verdict that says what was looked at. Personal data and swear words are
    never repeated.

    Raises StageError where `languages` names one that cannot be told.
    """
    lists = word_lists()
    words, options, languages = WordRules(config, lists), OptionRules(config, lists), LanguageJudge(config)

    def faults(label: Label, texts: tuple[LabelText, ...]) -> Iterator[Fault]:
        yield from words.faults(texts)
        yield from _foreign(languages, texts, config)
        yield from options.faults(label, texts)

    def judge(kept: VerifiedLabel) -> VerifiedLabel | Verdict:
        texts = label_texts(kept.label)
        fault = next(faults(kept.label, texts), None)
        looked_at = f"the words: {counted(texts)}"
        if fault:
            return Verdict(
                subject_id=kept.label.label_id, decision="reject", rule=f"{RULE}.{fault.rule}", score=fault.score,
                threshold=fault.threshold, reason=fault.reason, looked_at=looked_at,
            )  # fmt: skip
        told = languages.language(texts)
        written = f"written in {told[0]} ({told[1]:.2f})" if told else "too short to tell its language"
        verdict = Verdict(
            subject_id=kept.label.label_id, decision="keep", rule=RULE, score=0.0, threshold=0.0,
            reason=f"nothing in its words speaks against it; {written}", looked_at=looked_at,
        )  # fmt: skip
        return kept.judged(verdict)

    return judge


def _foreign(languages: LanguageJudge, texts: tuple[LabelText, ...], config: WordingConfig) -> Iterator[Fault]:
    found = languages.foreign(texts)
    if found:
        allowed = ", ".join(config.languages)
        reason = f"{found.what} is written in {found.language}; {allowed} may be"
        yield Fault("language", reason, round(found.probability, 4), config.min_language_probability)
