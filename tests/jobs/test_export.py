"""`reelproof export`: whole or not at all, with the clips that its rows name, and nothing skipped without a count."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from data_cards.exports import FORMATS
from jobs.export import SUMMARY, Exported, ExportError, ExportRequest, export, print_export

ASKING = ("videoespresso", "mvbench", "videomme")
"""Formats that hold nothing but questions with options."""
NOT_MEASURED = ("videorefer", "ruler", "qvhighlights", "sft", "grpo", "dpo")
"""Formats of parts that no measured label has, and of sets that only a critic routes labels to."""


def ask(run: Path | str, to: Path | str, name: str = "llava", **options: Any) -> Exported:
    return export(ExportRequest(str(run), name, str(to), **options))


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def index(run: Path) -> dict[str, dict[str, Any]]:
    """The rows of the shards' indices, by clip."""
    return {row["clip_id"]: row for path in run.glob("shards/*.parquet") for row in pq.read_table(path).to_pylist()}


def packaged(run: Path) -> Iterator[dict[str, Any]]:
    """The JSON of every sample."""
    for path in sorted(run.glob("shards/*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    content = tar.extractfile(member)
                    assert content
                    yield json.load(content)


def with_shard(tmp_path: Path, name: str, members: dict[str, bytes]) -> Path:
    """A folder with nothing but one shard of these members."""
    run = tmp_path / "run"
    (run / "shards").mkdir(parents=True)
    with tarfile.open(run / "shards" / name, "w") as tar:
        for path, content in members.items():
            header = tarfile.TarInfo(path)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return run


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in NOT_MEASURED])
def test_every_label_of_the_run_is_written_or_counted(name: str, demo_run: Path, tmp_path: Path) -> None:
    exported = ask(demo_run, tmp_path / "out", name)
    labels = sum(len(sample["labels"]) for sample in packaged(demo_run))
    assert exported.tally.labels + exported.tally.skipped.total() == labels
    assert exported.tally.samples == len(index(demo_run))
    path = exported.files["train"]
    rows = load_dataset("json", data_files=path, split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == exported.tally.rows


@pytest.mark.parametrize("name", NOT_MEASURED)
def test_a_shape_that_fits_no_label_is_refused_with_all_reasons(name: str, demo_run: Path, tmp_path: Path) -> None:
    kinds = [label["kind"] for sample in packaged(demo_run) for label in sample["labels"]]
    with pytest.raises(ExportError) as raised:
        ask(demo_run, tmp_path / "out", name)
    assert all(f"{kinds.count(kind)} {kind} (" in str(raised.value) for kind in set(kinds))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ASKING)
def test_questions_come_through_as_they_are_in_the_samples(name: str, demo_run: Path, tmp_path: Path) -> None:
    rows = json.loads(Path(ask(demo_run, tmp_path / "out", name).files["train"]).read_text())
    asked = [label["qa"]["question"] for sample in packaged(demo_run) for label in sample["labels"] if "qa" in label]
    assert [row["question"] for row in rows] == asked


def test_the_clips_are_those_of_the_shards_byte_for_byte_and_play(demo_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep/er/out"
    exported = ask(demo_run, out)
    rows = json.loads((out / "train.json").read_text())
    clips = {row["video"] for row in rows}
    assert len(clips) == exported.clips > 0
    known = index(demo_run)
    for video in clips:
        row = known[Path(video).stem]
        assert hashlib.sha256((out / video).read_bytes()).hexdigest() == row["video_sha256"]
        with av.open(str(out / video)) as container:
            assert sum(1 for _ in container.decode(video=0)) == row["n_frames"]
    assert listed(out) == sorted([*clips, "export.json", "train.json"])


def test_pictures_come_along_where_they_are_wanted_each_once(demo_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ask(demo_run, out, videos=False, pictures=True)
    expected = [f"pictures/{s['clip_id']}.{k['member']}" for s in packaged(demo_run) for k in s["keyframes"]]
    assert [path for path in listed(out) if path.startswith("pictures/")] == sorted(expected)
    assert not (out / "videos").exists()
    picture = cv2.imdecode(np.frombuffer((out / expected[0]).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.size > 0


def test_clips_that_no_row_names_are_not_written(demo_run: Path, tmp_path: Path) -> None:
    exported = ask(demo_run, tmp_path / "out", "mvbench")
    asked = {sample["clip_id"] for sample in packaged(demo_run) if any("qa" in label for label in sample["labels"])}
    assert {path.stem for path in (tmp_path / "out/videos").iterdir()} == asked
    assert exported.clips == len(asked)


def test_the_summary_and_the_terminal_say_the_same(
    demo_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported = ask(demo_run, tmp_path / "out", "mvbench")
    print_export(exported)
    told = capsys.readouterr().out
    summary = json.loads((tmp_path / "out" / SUMMARY).read_text())
    assert (summary["format"], summary["files"], summary["is_of_unfinished_run"]) == ("mvbench", ["train.json"], False)
    (skipped,) = summary["skipped"]
    assert f"skipped {skipped['count']} sv6d: {skipped['reason']}" in told
    assert f"{summary['labels']} of {summary['labels'] + skipped['count']} labels in {summary['rows']} rows" in told
    assert str(tmp_path / "out/train.json") in told


def test_two_exports_are_the_same(demo_run: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        ask(demo_run, tmp_path / name)
    files = listed(tmp_path / "a")
    assert files == listed(tmp_path / "b")
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in files)


def test_shards_alone_are_enough(demo_run: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_run / "shards", tmp_path / "downloaded/shards")
    assert ask(tmp_path / "downloaded", tmp_path / "out").tally.rows > 0


def test_a_run_that_was_cut_short_is_said_to_be(
    demo_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(demo_run / "shards", tmp_path / "run/shards")
    file = json.loads((demo_run / "run.json").read_text())
    (tmp_path / "run/run.json").write_text(json.dumps({**file, "ended_at": None}))
    print_export(ask(tmp_path / "run", tmp_path / "out"))
    assert "the run is not finished" in capsys.readouterr().out


def test_an_export_may_come_from_a_bucket_and_go_to_one(demo_run: Path, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    for shard in (demo_run / "shards").iterdir():
        memory.pipe_file(f"/export-run/shards/{shard.name}", shard.read_bytes())
    exported = ask("memory://export-run", "memory://export-to/a")
    ask(demo_run, tmp_path / "out")
    assert exported.files["train"] == "memory://export-to/a/train.json"
    for path in listed(tmp_path / "out"):
        assert memory.cat_file(f"/export-to/a/{path}") == (tmp_path / "out" / path).read_bytes()
    with pytest.raises(ExportError, match="is not empty"):
        ask(demo_run, "memory://export-to/a")


def test_an_empty_folder_is_filled_and_a_full_one_left_alone(demo_run: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert ask(demo_run, tmp_path / "empty").tally.rows > 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="is not empty"):
        ask(demo_run, tmp_path / "full")
    with pytest.raises(ExportError, match="is not empty"):
        ask(demo_run, tmp_path / "full/mine.txt")
    assert listed(tmp_path / "full") == ["mine.txt"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "coco"}, "there is no format 'coco'; there are llava"),
        ({"split": "dev"}, "there is no split 'dev'"),
        ({"split": "test"}, "has nothing in the split 'test', only in train"),
        ({"directory": "/nowhere/at/all"}, "holds no shards"),
        ({"directory": "nosuch://bucket/run"}, "'nosuch://bucket/run' cannot be reached: "),
        ({"format": "qvhighlights"}, "no label can be written as qvhighlights: "),
        ({"format": "sft"}, "(no critic routed it: only labels that verify.critic saw"),
        ({"to": "/dev/null/out"}, "cannot export"),
    ],
)
def test_a_wrong_request_is_one_clear_line_and_leaves_nothing(
    changes: dict[str, str], said: str, demo_run: Path, tmp_path: Path
) -> None:
    request = {"directory": str(demo_run), "format": "llava", "to": str(tmp_path / "out")} | changes
    with pytest.raises(ExportError) as raised:
        export(ExportRequest(**request))  # type: ignore[arg-type]
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "no label can be written as llava: there are none"),
        ({"a.json": b"{"}, "cannot be read: Expecting property name"),
        ({"a.json": b"\xff"}, "cannot be read"),
        ({"a.json": b"{}"}, "is not of the form reelproof-sample/1"),
        ({"a.mp4": b""}, "a sample lacks 'json'"),
        ({"../a.json": b"{}"}, "no member of a sample"),
        ({"/tmp/a.json": b"{}"}, "no member of a sample"),  # noqa: S108 - a hostile name
    ],
)
def test_a_shard_that_is_not_ours_is_refused(members: dict[str, bytes], said: str, tmp_path: Path) -> None:
    run = with_shard(tmp_path, "train-000000.tar", members)
    with pytest.raises(ExportError, match=said):
        ask(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_shard_cut_short_is_refused(demo_run: Path, tmp_path: Path) -> None:
    (tmp_path / "run/shards").mkdir(parents=True)
    whole = (demo_run / "shards/train-000000.tar").read_bytes()
    (tmp_path / "run/shards/train-000000.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ExportError, match=r"train-000000\.tar cannot be read"):
        ask(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_splits_become_files_of_their_own(demo_run: Path, tmp_path: Path) -> None:
    (tmp_path / "run/shards").mkdir(parents=True)
    for split in ("train", "test"):
        shutil.copy(demo_run / "shards/train-000000.tar", tmp_path / f"run/shards/{split}-000000.tar")
    both = ask(tmp_path / "run", tmp_path / "both", "etbench", videos=False)
    assert set(both.files) == {"train", "test"}
    only = ask(tmp_path / "run", tmp_path / "only", "etbench", split="test", videos=False)
    assert set(only.files) == {"test"}
    assert (tmp_path / "both/test.json").read_bytes() == (tmp_path / "only/test.json").read_bytes()
    assert only.tally.rows * 2 == both.tally.rows
