"""The data set's page: README.md with the front matter that the Hub and `datasets` read.

Here: `ShardFile`, the front matter and `render_card`. Not here: the words of the page (`templates/card.md.j2`), the
counting (`data_cards.statistics`), or writing any file.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from pydantic import Field

from data_cards import wording
from data_cards.priors_view import priors_view
from data_cards.rules import rule_words
from data_cards.statistics import DatasetStatistics
from schemas.base import Record
from schemas.config import RunConfig
from schemas.dataset import DatasetSplit
from schemas.summary import Problem, RunSummary

SPLITS: tuple[DatasetSplit, ...] = ("train", "validation", "test")
"""In the order in which they are always listed."""

MAX_PROBLEMS = 50
"""Of each, rejections, failures and damage, that the card quotes; the report shows more, the tables hold all."""

_SIZE_CATEGORIES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)

_TASK_CATEGORIES = {
    "caption": ("video-text-to-text",),
    "qa": ("video-text-to-text", "visual-question-answering"),
    "sv6d": ("video-classification",),
    "checklist": ("video-text-to-text",),
    "moments": ("video-text-to-text",),
    "trace": ("video-text-to-text",),
}
"""The Hub's task categories that each kind of label serves."""


class ShardFile(Record):
    """One tar of the data set."""

    name: str
    """File name within `shards/`: `train-000000.tar`."""
    split: DatasetSplit
    size_bytes: int = Field(ge=0)
    sha256: str
    n_samples: int = Field(ge=0)


def front_matter(statistics: DatasetStatistics, config: RunConfig, shards: Sequence[ShardFile]) -> dict[str, Any]:
    """The card's metadata block, as the Hub defines it.

    `configs` names the shards of each split that has any, so that `datasets.load_dataset` needs no code.
    """
    present = [split for split in SPLITS if any(shard.split == split for shard in shards)]
    kinds = [tally.name for tally in statistics.label_kinds]
    metadata: dict[str, Any] = {
        "pretty_name": wording.plain_line(config.card.title),
        "license": wording.plain_line(config.card.license),
        "language": [wording.plain_line(config.card.language)],
        "task_categories": list(dict.fromkeys(task for kind in kinds for task in _TASK_CATEGORIES[kind])),
        "tags": ["video", "webdataset", "reelproof", "temporal-grounding", "evidence"],
        "size_categories": [size_category(statistics.samples)],
    }
    if present:
        files = [{"split": split, "path": f"shards/{split}-*.tar"} for split in present]
        metadata["configs"] = [{"config_name": "default", "data_files": files}]
        metadata["dataset_info"] = [{"config_name": "default", "features": _features(config)}]
    return metadata


def _features(config: RunConfig) -> list[dict[str, str]]:
    """The columns of the data set, as `datasets` writes them in a card.

    Stated, not left to be guessed: guessing reads five samples, and fails where these differ in their number of
    keyframes, or at the first label with a part that theirs lack.
    """
    pictures = [f"{number:02d}.jpg" for number in range(config.describe.keyframes_per_clip)]
    types = {
        "mp4": "video",
        "json": "json",
        **dict.fromkeys(pictures, "image"),
        "__key__": "string",
        "__url__": "string",
    }
    return [{"name": name, "dtype": dtype} for name, dtype in types.items()]


def size_category(n_samples: int) -> str:
    """The Hub's name for a data set of that many samples."""
    return next((name for limit, name in _SIZE_CATEGORIES if n_samples < limit), "n>1B")


def render_card(
    summary: RunSummary,
    statistics: DatasetStatistics,
    config: RunConfig,
    shards: Sequence[ShardFile],
    problems: Sequence[Problem],
) -> str:
    """README.md of the data set: YAML front matter, then Markdown.

    Whatever comes from files, videos or models is shown as the characters it has and is never markup.

    Args:
        summary: the run in figures.
        statistics: what the packaged samples hold.
        config: what the run was told to do.
        shards: the tars, in order.
        problems: rejections, failures and damage; the first `MAX_PROBLEMS` of each are quoted.
    """
    metadata = front_matter(statistics, config, shards)
    return _template().render(
        front_matter=wording.Markdown(wording.yaml_text(metadata)),
        summary=summary,
        statistics=statistics,
        config=config,
        config_yaml=wording.Markdown(wording.yaml_text(wording.shown_settings(config))),
        command=wording.Markdown(wording.reproduce_command(config)),
        prompts=wording.prompts_of(config),
        shards=sorted(shards, key=lambda shard: (SPLITS.index(shard.split), shard.name)),
        rejected=[problem for problem in problems if problem.outcome == "rejection"],
        failed=[problem for problem in problems if problem.outcome == "failure"],
        damage=[problem for problem in problems if problem.outcome == "damage"],
        max_problems=MAX_PROBLEMS,
        first_split=next((split for split in SPLITS if any(shard.split == split for shard in shards)), None),
        thresholds={count.name: wording.threshold_of(config, count.name) for count in summary.rejections},
        meanings={count.name: rule_words(count.name) for count in summary.rejections},
        leakage=config.verify.leakage,
        priors=priors_view(summary.priors) if summary.priors else None,
        answer_rows=answer_rows(statistics),
        check_rows=check_rows(statistics),
    )


def answer_rows(statistics: DatasetStatistics) -> list[tuple[int, tuple[int, ...]]]:
    """For each number of options, how often the right one stands at each position."""
    sizes = sorted({tally.n_options for tally in statistics.answers})
    counts = {tally.key: tally.count for tally in statistics.answers}
    return [(size, tuple(counts.get((size, position), 0) for position in range(size))) for size in sizes]


def check_rows(statistics: DatasetStatistics) -> list[tuple[str, Mapping[str, int]]]:
    """For each modality, the pieces of evidence by the outcome of their check; then what labels say in `words`."""
    modalities = sorted({tally.modality for tally in statistics.checks}, key=lambda name: (name == "words", name))
    counts = {tally.key: tally.count for tally in statistics.checks}
    outcomes = ("confirmed", "contradicted", "unchecked")
    return [(name, {outcome: counts.get((name, outcome), 0) for outcome in outcomes}) for name in modalities]


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("data_cards"),
        # The output is Markdown: `finalize` escapes every value for it, where HTML escaping would not do.
        autoescape=False,  # noqa: S701
        finalize=wording.markdown_text,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    plain = ("grouped", "figure", "share", "byte_size", "duration", "money", "term", "code_block")
    environment.filters |= {name: getattr(wording, name) for name in plain}
    return environment.get_template("card.md.j2")
