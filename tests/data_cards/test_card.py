"""The card is what the Hub, `datasets` and a careful reader need."""

import hashlib
import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import Image, load_dataset
from markdown_it import MarkdownIt

from data_cards.card import ShardFile, render_card, size_category
from data_cards.statistics import DatasetStatistics
from schemas.config import CardConfig, RunConfig, SplitConfig
from schemas.dataset import DatasetSplit
from schemas.judging import LeakageConfig, VerifyConfig
from schemas.priors import PriorsReport
from schemas.summary import Problem
from tests.data_cards import builders

HOSTILE = "| <script>alert(1)</script> --- : #\n---\nlicense: mit\n```\n# Title"


def shard(split: DatasetSplit, number: int = 0) -> ShardFile:
    return ShardFile(name=f"{split}-{number:06d}.tar", split=split, size_bytes=10_240, sha256="ab" * 32, n_samples=2)


def card(
    config: RunConfig | None = None, problems: tuple[Problem, ...] = (), shards: tuple[ShardFile, ...] = ()
) -> str:
    clips = [builders.make_report_clip("a.mp4"), builders.make_report_clip("b.mp4", 3.0)]
    summary, statistics = builders.make_summary(clips), builders.make_statistics(clips)
    return render_card(summary, statistics, config or RunConfig(), shards or (shard("train"),), problems)


def front_matter(text: str) -> Any:
    """As `huggingface_hub` cuts it out."""
    match = re.match(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\n|\Z))", text)
    assert match
    return yaml.safe_load(match[2])


def write_tar(path: Path, keys: list[str]) -> ShardFile:
    """Samples that differ in labels and number of keyframes: what makes guessed features fail."""
    with tarfile.open(path, "w") as tar:
        for number, key in enumerate(keys):
            qa = {"question": "?", "options": ["x", "y"]} if number > 5 else None
            sample = json.dumps({"clip_id": key, "labels": [{"qa": qa}] if number % 2 else []}).encode()
            pictures = {f"{place:02d}.jpg": builders.jpeg(place) for place in range(number % 3)}
            for ending, data in {"mp4": b"not decoded here", "json": sample, **pictures}.items():
                member = tarfile.TarInfo(f"{key}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    split = path.name.partition("-")[0]
    data = path.read_bytes()
    return ShardFile.model_validate(
        {
            "name": path.name,
            "split": split,
            "size_bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "n_samples": len(keys),
        }
    )


def test_datasets_loads_the_folder_with_no_code(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "shards").mkdir(parents=True)
    (folder / "stats.json").write_text("{}")
    train = write_tar(folder / "shards" / "train-000000.tar", [f"a-{n}" for n in range(9)])
    test = write_tar(folder / "shards" / "test-000000.tar", ["b-0", "b-1"])
    (folder / "shards" / "train-000000.parquet").write_bytes(b"the index must not be taken for data")
    (folder / "README.md").write_text(card(shards=(train, test)))
    loaded = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 9, "test": 2}
    rows = loaded["train"].remove_columns("mp4").cast_column("01.jpg", Image(decode=False))
    assert [row["__key__"] for row in rows] == [f"a-{n}" for n in range(9)]
    assert rows[7]["json"]["labels"][0]["qa"]["options"] == ["x", "y"]
    assert [row["01.jpg"] is None for row in rows] == [True, True, False] * 3


def test_the_code_in_the_card_loads_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shards").mkdir()
    shards = (write_tar(tmp_path / "shards" / "validation-000000.tar", ["a-0", "a-1"]),)
    text = card(shards=shards)
    (tmp_path / "README.md").write_text(text)
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        names: dict[str, Any] = {}
        exec(code.replace("path/to/this/folder", str(tmp_path)), names)  # noqa: S102 our own card
        assert names["video"] == b"not decoded here"
        assert names["labels"] == []


def test_the_front_matter_is_what_the_hub_reads() -> None:
    metadata = front_matter(card(RunConfig(card=CardConfig(license="cc-by-4.0", language="de"))))
    assert metadata["license"] == "cc-by-4.0"
    assert metadata["language"] == ["de"]
    assert metadata["size_categories"] == ["n<1K"]
    assert metadata["task_categories"] == ["video-text-to-text", "visual-question-answering", "video-classification"]
    assert {"webdataset", "video"} <= set(metadata["tags"])


def test_a_split_without_a_shard_is_left_out() -> None:
    files = front_matter(card(shards=(shard("validation"), shard("train"))))["configs"][0]["data_files"]
    assert files == [
        {"split": "train", "path": "shards/train-*.tar"},
        {"split": "validation", "path": "shards/validation-*.tar"},
    ]


def test_a_run_without_a_sample_still_has_a_card() -> None:
    text = render_card(builders.make_summary([]), DatasetStatistics(), RunConfig(), (), builders.make_problems())
    assert "configs" not in front_matter(text)
    assert "no clip came through" in text


def test_hostile_text_adds_neither_metadata_nor_markup() -> None:
    problems = (
        Problem(outcome="failure", step="scan", subject=HOSTILE, kind="MediaError", message=HOSTILE),
        Problem(outcome="rejection", step="split", subject=HOSTILE, kind="split.min_clip_s", message=HOSTILE),
        Problem(outcome="damage", step="scan", subject=HOSTILE, kind="damage", message=HOSTILE),
    )
    harmless = tuple(problem.replace(subject="x", message="y") for problem in problems)
    config = RunConfig(card=CardConfig(title=HOSTILE, license=HOSTILE, language=HOSTILE))
    text, plain = card(config, problems), card(RunConfig(), harmless)
    assert front_matter(text)["pretty_name"] == " ".join(HOSTILE.split())
    assert front_matter(text).keys() == front_matter(plain).keys()
    assert "<script" not in MarkdownIt("commonmark").enable("table").render(body(text))
    assert structure(text) == structure(plain)


def body(text: str) -> str:
    return text.split("\n---\n", 1)[1]


def structure(text: str) -> list[str]:
    """Every block of the page; hostile text must not add or end one."""
    return [token.type for token in MarkdownIt("commonmark").enable("table").parse(body(text))]


def test_every_table_is_a_table() -> None:
    text = body(card(problems=builders.make_problems()))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    rows = sum(token.type == "tr_open" for token in tokens)
    delimiters = sum(bool(re.fullmatch(r"[| :-]+", line)) and "-" in line for line in lines)
    assert rows == len(lines) - delimiters


def test_the_funnel_accounts_for_every_unit() -> None:
    text = card()
    for step in builders.make_summary([builders.make_report_clip()] * 2).steps:
        cells = [step.step.replace("_", r"\_"), step.unit, step.units, step.results, step.rejections, step.failures]
        assert "| " + " | ".join(str(cell) for cell in cells) + " |" in text


def test_rejections_state_the_threshold_that_decided() -> None:
    text = card(RunConfig(split=SplitConfig(min_clip_s=3.25)))
    assert r"| split.min\_clip\_s | 3.25 | 9 |" in text


def test_judges_are_told_with_what_came_in_and_who_was_asked() -> None:
    text = card()
    assert "| verify.evidence | 26 | 15 | 11 | 0 | nobody | 0 | \\$0.00 |" in text
    assert "| verify.leakage | 15 | 12 | 2 | 1 | blind-7b | 120 | \\$0.0200 |" in text
    assert "People accepted 2 and rejected 1 labels" in text
    assert "1 of these decisions have no effect" in text
    assert r"| verify.evidence | — | 14 | a measurement contradicts its evidence |" in text


def test_error_rates_are_stated_where_blind_answering_was_asked_for() -> None:
    asked = LeakageConfig(enabled=True, false_reject=0.01, false_keep=0.1, leaky_rate=0.5)
    text = " ".join(card(RunConfig(verify=VerifyConfig(leakage=asked))).split())
    assert "at most 1 % of the questions that are answered at the guessing rate, and to keep at most 10 %" in text
    assert "50 % of the way from guessing to always" in text
    assert "sequential test" not in card()


def test_what_words_give_away_is_told_before_and_after_filtering() -> None:
    text = " ".join(card().split())
    assert "200 questions with options; 7 more are open-ended, and left alone." in text
    assert "| qa/why | 180 | 25.0 % | 50.0 % (42.8 to 57.2 %) | 60 | 60 | 120 | 25.0 % (18.1 to 33.5 %) |" in text
    assert "| a/small | 20 | 50.0 % | 45.0 % (25.8 to 65.8 %) | 0 | 0 | 20 | — |" in text
    assert "- by its length: the right option is the longest in 90 of 180 questions of qa/why, where 45.0" in text
    assert "What could not be said: 1 groups have fewer than 30 questions" in text
    order = [text.index(f"| {name} |") for name in ("all questions", "qa/why", "a/small")]
    assert order == sorted(order)


def test_too_few_questions_are_told_in_one_line_and_a_probe_that_is_off_not_at_all() -> None:
    clips = [builders.make_report_clip()]
    summary, statistics = builders.make_summary(clips), builders.make_statistics(clips)

    def shown(priors: PriorsReport | None) -> str:
        return render_card(summary.replace(priors=priors), statistics, RunConfig(), (shard("train"),), ())

    few = shown(builders.no_priors()).split("### What can be guessed from the words alone")[1].split("###")[0]
    assert "What could not be said: 9 questions with options: nothing can be said of fewer than 30." in few
    assert "|" not in few
    assert "No rule was found" not in few
    assert "classifier" not in few
    assert "guessed from the words" not in shown(None)


def test_what_words_of_options_give_away_is_no_markup() -> None:
    clips = [builders.make_report_clip()]
    summary, statistics = builders.make_summary(clips), builders.make_statistics(clips)

    def shown(text: str) -> str:
        priors = builders.make_priors(group=text, rule=text).replace(notes=(text,))
        return render_card(summary.replace(priors=priors), statistics, RunConfig(), (shard("train"),), ())

    assert structure(shown(HOSTILE)) == structure(shown("harmless"))
    assert "<script" not in MarkdownIt("commonmark").enable("table").render(body(shown(HOSTILE)))


def test_checks_of_words_are_a_row_of_their_own() -> None:
    clip = builders.make_report_clip()
    clip = clip.replace(labels=tuple(map(builders.made_of_words, clip.labels)))
    text = render_card(
        builders.make_summary([clip]), builders.make_statistics([clip]), RunConfig(), (shard("train"),), ()
    )
    rows = [line for line in text.splitlines() if line.count("|") == 5 and "---" not in line]
    table = rows[rows.index("| Modality | Confirmed | Contradicted | Unchecked |") :]
    assert f"| words | {len(clip.labels)} | {len(clip.labels)} | 0 |" in table
    assert "| Evidence confirmed by measurement | 75.0 % |" in text


def test_failures_and_rejections_are_quoted_apart() -> None:
    text = card(problems=builders.make_problems())
    rejections, failures = text.split("### Rejections")[1].split("### Failures")
    assert "It lasts 0.8 s." in rejections
    failures, damage = failures.split("### Damage")
    assert "no frame could be decoded" in failures
    assert "3 packets are missing" in damage
    assert "no frame could be decoded" not in rejections


def test_the_configuration_can_be_read_back() -> None:
    config = RunConfig(card=CardConfig(title=HOSTILE), split=SplitConfig(max_clip_s=12.0))
    block = re.search(r"```yaml\n(.*?)\n```", card(config), re.DOTALL)
    assert block
    assert RunConfig.model_validate(yaml.safe_load(block[1])) == config


@pytest.mark.parametrize(
    ("n_samples", "expected"), [(0, "n<1K"), (1000, "1K<n<10K"), (2 * 10**6, "1M<n<10M"), (10**9, "n>1B")]
)
def test_size_categories_are_the_hubs(n_samples: int, expected: str) -> None:
    assert size_category(n_samples) == expected


def test_the_same_run_gives_the_same_card() -> None:
    assert card(problems=builders.make_problems()) == card(problems=builders.make_problems())
