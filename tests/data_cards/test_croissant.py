"""The Croissant description validates, and its records can be read from the shards."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import mlcroissant
import pytest

from data_cards.card import ShardFile
from data_cards.croissant import croissant_metadata
from schemas.config import CardConfig, RunConfig
from tests.data_cards import builders
from tests.data_cards.test_card import write_tar

READ_RECORDS = """
import json, sys, mlcroissant
for record in mlcroissant.Dataset(jsonld=sys.argv[1]).records("samples"):
    print(json.dumps({name: value.decode() for name, value in record.items()}))
"""


def described(shards: list[ShardFile], config: RunConfig | None = None) -> dict[str, object]:
    clips = [builders.make_report_clip()]
    return croissant_metadata(
        builders.make_summary(clips), builders.make_statistics(clips), config or RunConfig(), shards
    )


def test_it_validates_without_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shards = [write_tar(tmp_path / name, ["a-0", "a-1"]) for name in ("train-000000.tar", "test-000000.tar")]
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(jsonld=described(shards))
    assert not dataset.metadata.ctx.issues.errors
    assert "not standard" not in caplog.text


def test_the_records_are_the_samples(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    shards = [write_tar(tmp_path / "shards" / f"train-00000{n}.tar", [f"s{n}-0", f"s{n}-1"]) for n in range(2)]
    path = tmp_path / "croissant.json"
    path.write_text(json.dumps(described(shards)))
    # A process of its own: mlcroissant names its cache of extracted tars once, when it is imported.
    environment = os.environ | {"CROISSANT_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", READ_RECORDS, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["samples/key"] for record in records] == ["s0-0", "s0-1", "s1-0", "s1-1"]
    assert [json.loads(record["samples/json"])["clip_id"] for record in records] == ["s0-0", "s0-1", "s1-0", "s1-1"]
    assert {record["samples/mp4"] for record in records} == {"not decoded here"}


def test_every_tar_has_its_size_and_checksum(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "train-000000.tar", ["a-0"])
    metadata = described([shard])
    first = metadata["distribution"][0]  # type: ignore[index]
    assert first["sha256"] == shard.sha256
    assert first["contentSize"] == f"{shard.size_bytes} B"
    assert first["contentUrl"] == "shards/train-000000.tar"


def test_a_title_is_a_title_whatever_it_holds() -> None:
    config = RunConfig(card=CardConfig(title='a "b" <c>\n{"@type": "x"}'))
    metadata = described(
        [ShardFile(name="train-000000.tar", split="train", size_bytes=1, sha256="0" * 64, n_samples=1)], config
    )
    assert mlcroissant.Dataset(jsonld=metadata).metadata.name == 'a "b" <c> {"@type": "x"}'


def test_without_a_shard_there_is_no_record_set() -> None:
    metadata = described([])
    assert metadata["distribution"] == []
    assert "recordSet" not in metadata
