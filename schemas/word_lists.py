"""Words and wordings that labels are held against: what must not stand in them, and words that tell questions apart.

Here: the records and the files in `schemas/taxonomies/` that are shipped. Not here: reading a label with them
(`stages.wording.judge`, `stages.texts.contrasts`).
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml

from schemas.base import Record


class WordLists(Record):
    """What must not stand in a label; lists of regular expressions but for the first three."""

    name: str
    version: str
    profanity: tuple[str, ...]
    """Words and phrases, whole."""
    lookalikes: Mapping[str, str]
    """Latin letter to letters of other scripts that look like it."""
    leet: Mapping[str, str]
    """Sign to the letter that it stands for."""
    instructions: tuple[str, ...]
    """What would steer a model that reads the label."""
    tokens: tuple[str, ...]
    """Control tokens of models and of training sets, harmful wherever they stand."""
    markup: tuple[str, ...]
    """Markup that a model left in its answer."""
    refusals: tuple[str, ...]
    """What a model says of itself, or to whoever asked it."""
    placeholders: tuple[str, ...]
    """What should have been filled in."""
    capital_placeholders: tuple[str, ...]
    """The same, only in capitals."""
    blanket: tuple[str, ...]
    """Whole options that are about the other options, or say nothing."""


class Contrasts(Record):
    """Words by which two questions that are otherwise alike ask for different things."""

    name: str
    version: str
    strict: Mapping[str, tuple[str, ...]]
    """What words of one list tell apart (direction, colour), to those words: whichever of them stand in one question
    must stand in the other."""
    soft: Mapping[str, tuple[str, ...]]
    """The same, where one of the questions may hold more of them."""
    same: Mapping[str, tuple[str, ...]]
    """Word to other forms and synonyms of it, which count as that word."""
    relations: tuple[str, ...]
    """Words that mean something else with another word after them (`before`, `than`)."""
    negations: tuple[str, ...]
    """Words that deny; ways to deny do not differ."""
    idle: tuple[str, ...]
    """Words that tell nothing apart."""


@cache
def word_lists() -> WordLists:
    """The lists that are shipped."""
    return WordLists.model_validate(_shipped("wording.yaml"))


@cache
def contrasts() -> Contrasts:
    """The contrasts that are shipped."""
    return Contrasts.model_validate(_shipped("contrasts.yaml"))


def word_lists_sha256() -> str:
    """Hash of the lists that are shipped: they decide verdicts, and stand in no configuration."""
    return _hash("wording.yaml")


def contrasts_sha256() -> str:
    """The same for the contrasts."""
    return _hash("contrasts.yaml")


def _shipped(name: str) -> object:
    return yaml.safe_load(_content(name))


def _hash(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()


def _content(name: str) -> bytes:
    return resources.files("schemas").joinpath("taxonomies", name).read_bytes()
