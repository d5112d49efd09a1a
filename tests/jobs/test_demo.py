"""The demo's data set: what a stranger sees after the first command."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import av
import duckdb
import polars as pl
import pyarrow.parquet as pq
import webdataset
from datasets import load_dataset

from tests.product import assert_accounted_for, reelproof, results, status

TRUTH = Path("jobs/samples/reel.truth.json")


def samples(run: Path) -> list[dict[str, Any]]:
    """The samples as `webdataset` gives them."""
    shards = [str(path) for path in sorted(run.glob("shards/*.tar"))]
    return list(webdataset.WebDataset(shards, shardshuffle=False))


def test_every_unit_is_accounted_for(demo_run: Path) -> None:
    assert_accounted_for(demo_run)


def test_status_tells_what_is_promised(demo_run: Path) -> None:
    told = status(demo_run)
    assert told["sources"] == 2
    assert told["cells"]["stale"] == told["cells"]["missing"] == 0
    assert told["failures"] == {}
    assert told["tokens"] == told["cost_usd"] == 0
    assert told["labels"] == sum(told["labels_by_kind"].values()) > 50
    assert {"slices", "shots", "clips", "rejections"} <= told.keys()
    assert {"units", "results", "rejections", "failures"} <= told["steps"]["scan"].keys()


def test_the_labels_ask_at_least_ten_kinds_of_questions(demo_run: Path) -> None:
    assert len(status(demo_run)["labels_by_task"]) >= 10


def test_the_shards_open_with_datasets(demo_run: Path, tmp_path: Path) -> None:
    files = str(demo_run / "shards/train-*.tar")
    found = load_dataset("webdataset", data_files=files, split="train", cache_dir=str(tmp_path))
    assert len(found) == status(demo_run)["samples"]
    assert {"mp4", "json", "00.jpg"} <= set(found.column_names)


def test_the_folder_opens_with_datasets_as_the_card_says(demo_run: Path, tmp_path: Path) -> None:
    found = load_dataset(str(demo_run), cache_dir=str(tmp_path))
    assert {split: len(rows) for split, rows in found.items()} == {"train": status(demo_run)["samples"]}


def test_every_video_plays_and_has_exactly_the_frames_of_its_span(demo_run: Path) -> None:
    found = samples(demo_run)
    assert found
    for sample in found:
        told = json.loads(sample["json"])
        with av.open(io.BytesIO(sample["mp4"]), mode="r") as container:
            times = [frame.time for frame in container.decode(video=0)]
        assert len(times) == told["n_frames"], sample["__key__"]
        assert times[0] == 0
        span = told["span"]
        assert times[-1] < span["end_s"] - span["start_s"]


def test_every_label_points_into_its_clip_and_says_where_it_comes_from(demo_run: Path) -> None:
    for sample in samples(demo_run):
        told = json.loads(sample["json"])
        length = told["span"]["end_s"] - told["span"]["start_s"]
        for label in told["labels"]:
            assert label["evidence"]
            indices = [check["evidence_index"] for check in label["checks"] if check["statement"] is None]
            assert indices == list(range(len(label["evidence"])))
            assert {check["outcome"] for check in label["checks"]} == {"confirmed"}
            assert label["provenance"]["annotator"] == "measured"
            for span in (evidence["span"] for evidence in label["evidence"]):
                assert 0 <= span["start_in_clip_s"] <= span["end_in_clip_s"] <= length + 1e-6


def test_nothing_published_tells_where_the_sources_lay(demo_run: Path) -> None:
    folder = str(TRUTH.parent.absolute())
    for path in [*demo_run.glob("*.*"), *demo_run.glob("shards/*"), *demo_run.glob("report/*")]:
        if path.name != "run.json":
            assert folder.encode() not in path.read_bytes(), path.name


def test_the_index_finds_each_member_by_its_offset(demo_run: Path) -> None:
    for index in demo_run.glob("shards/*.parquet"):
        tar = index.with_suffix(".tar").read_bytes()
        with tarfile.open(fileobj=io.BytesIO(tar)) as members:
            names = members.getnames()
        for row in pq.read_table(index).to_pylist():
            video = tar[row["video_offset"] : row["video_offset"] + row["video_size_bytes"]]
            assert hashlib.sha256(video).hexdigest() == row["video_sha256"]
            told = json.loads(tar[row["json_offset"] : row["json_offset"] + row["json_size_bytes"]])
            assert told["clip_id"] == row["clip_id"]
            assert f"{row['sample_key']}.mp4" in names


def test_the_cells_open_in_the_tools_people_have(demo_run: Path, tmp_path: Path) -> None:
    clips = len(results(demo_run, "describe"))
    path = str(demo_run / "tables/describe/*.parquet")
    query = "select count(*), avg(result.luma_mean) from read_parquet(?) where outcome = 'result'"
    count, luma = duckdb.execute(query, [path]).fetchall()[0]
    assert count == clips
    assert 0 < luma < 1
    assert pl.read_parquet(path, columns=["unit_id", "outcome"]).height == clips
    assert len(load_dataset("parquet", data_files=path, split="train", cache_dir=str(tmp_path))) == clips


def test_what_words_give_away_is_told_wherever_the_run_is(demo_run: Path) -> None:
    told = status(demo_run)
    priors = told["priors"]
    (survey,) = results(demo_run, "survey")
    assert priors == survey["priors"]
    assert priors["overall"]["before"]["n_items"] == sum(told["labels_by_task"].values()) > 0
    assert json.loads((demo_run / "stats.json").read_text())["run"]["priors"] == priors
    accuracy = f"{100 * priors['overall']['before']['accuracy']:.1f} %"
    for text in (
        (demo_run / "README.md").read_text(),
        (demo_run / "report/index.html").read_text(),
        reelproof("status", str(demo_run)).stdout,
    ):
        assert accuracy in text


def test_statements_in_words_are_told_on_the_page_and_counted(demo_run: Path) -> None:
    checks = [check for kept in results(demo_run, "verify.questions") for check in kept["checks"] if check["statement"]]
    assert checks
    counted = json.loads((demo_run / "stats.json").read_text())["statistics"]["checks"]
    assert sum(row["count"] for row in counted if row["modality"] == "words") == len(checks)
    page = (demo_run / "report/index.html").read_text()
    assert page.count('<dl class="check">') == sum(
        len(kept["checks"]) for kept in results(demo_run, "verify.questions")
    )


def test_the_card_and_its_figures_are_there(demo_run: Path) -> None:
    card = (demo_run / "README.md").read_text()
    assert card.startswith("---\n")
    assert "verify.evidence" in card
    assert json.loads((demo_run / "stats.json").read_text())["statistics"]["samples"] == status(demo_run)["samples"]
    assert json.loads((demo_run / "croissant.json").read_text())["@type"] == "sc:Dataset"
    assert "<html" in (demo_run / "report/index.html").read_text()
