"""A sample's JSON tells all verdicts, and `datasets` reads shards whatever their labels were judged by."""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset

from data_cards.card import ShardFile, render_card
from data_cards.statistics import DatasetStatistics
from pipeline.sample import sample_json
from schemas.config import RunConfig
from schemas.dataset import ShardAssignment
from schemas.label import VerifiedLabel
from tests.data_cards import builders


def reviewed(kept: VerifiedLabel) -> VerifiedLabel:
    """Accepted by a person, and judged by nobody else."""
    return kept.judged(builders.judged(kept.label).verdicts[-1])


def sample(number: int, judged_by: str) -> tuple[str, bytes]:
    """Key and JSON of a sample whose first label was judged by `nobody`, `people` or `models`; or that has none."""
    clip = builders.make_clip(f"video-{number}.mp4")
    label = builders.qa_label(clip, 3)
    first = {"nobody": builders.kept(label), "people": reviewed(builders.kept(label)), "models": builders.judged(label)}
    labels = (first[judged_by], *builders.make_labels(clip)) if judged_by in first else ()
    assignment = ShardAssignment(
        clip=clip, part=0, split="train", shard="train-000000", position=number, n_labels=len(labels)
    )
    return clip.clip_id, sample_json(assignment, builders.make_description(clip), labels, {})


def write_shard(path: Path, judged_by: Sequence[str]) -> None:
    with tarfile.open(path, "w") as tar:
        for number, who in enumerate(judged_by):
            key, content = sample(number, who)
            for ending, data in {"mp4": b"not decoded here", "json": content, "00.jpg": builders.jpeg(0)}.items():
                member = tarfile.TarInfo(f"{key}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def rules(found: Any) -> list[list[str]]:
    """The rules of the verdicts on the first label of each sample."""
    values = found.select_columns(["json"])[:]["json"]
    return [[verdict["rule"] for verdict in one["labels"][0]["verdicts"]] if one["labels"] else [] for one in values]


EXPECTED = {
    "nobody": ["verify.evidence"],
    "people": ["verify.evidence", "review"],
    "models": ["verify.evidence", "verify.veracity", "verify.leakage", "verify.critic", "review"],
    "": [],
}


@pytest.mark.parametrize(
    "judged_by",
    [
        ["models", *["nobody"] * 7],
        ["nobody", "models"] * 4,
        ["nobody"] * 7 + ["people"],
        ["people", *["nobody"] * 5, "", ""],
    ],
    ids=["opinions first", "mixed", "a person's last", "no labels at the end"],
)
def test_shards_whose_samples_have_and_lack_opinions_open_with_datasets(judged_by: list[str], tmp_path: Path) -> None:
    write_shard(tmp_path / "train-000000.tar", judged_by)
    files = str(tmp_path / "train-*.tar")
    found = load_dataset("webdataset", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert rules(found) == [EXPECTED[who] for who in judged_by]


def test_with_the_columns_that_the_card_states_any_order_opens(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    judged_by = ["nobody"] * 6 + ["", "people", "models"]
    write_shard(tmp_path / "shards" / "train-000000.tar", judged_by)
    shard = ShardFile(name="train-000000.tar", split="train", size_bytes=1, sha256="00", n_samples=len(judged_by))
    text = render_card(builders.make_summary([]), DatasetStatistics(samples=9), RunConfig(), [shard], ())
    (tmp_path / "README.md").write_text(text)
    found = load_dataset(str(tmp_path), split="train", cache_dir=str(tmp_path / "cache"))
    assert rules(found) == [EXPECTED[who] for who in judged_by]
    opinions = found.select_columns(["json"])[8]["json"]["labels"][0]["verdicts"][2]["opinions"]
    assert [opinion["outcome"] for opinion in opinions] == ["right", "wrong", "wrong", "wrong"]


def test_a_verdict_says_who_judged_and_its_fields_have_one_type_each() -> None:
    labels = [json.loads(sample(0, who)[1])["labels"][0] for who in ("nobody", "people", "models")]
    assert [label["verdicts"][-1]["judges"] for label in labels] == [["reelproof"], ["Ada"], ["Ada"]]
    for label in labels:
        assert all(isinstance(label[name], str) for name in ("question_class", "route", "preferred_over"))
        for verdict in label["verdicts"]:
            assert isinstance(verdict["trials"], int)
            assert isinstance(verdict["interval_low"], float)
    leakage = labels[2]["verdicts"][2]
    assert (leakage["trials"], leakage["interval_low"], leakage["interval_high"]) == (4, 0.0063, 0.8059)
