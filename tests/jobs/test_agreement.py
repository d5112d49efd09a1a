"""`reelproof agreement`: a model beside the measured annotator, a person beside a run, and wrong requests in one line.

The run is a real one over the sample reel; its model is a stand-in that speaks the real protocol.
"""

import csv
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from jobs.agreement_errors import AgreementError
from jobs.cli import app
from pipeline.grid import GridError
from pipeline.settings import SettingsError
from schemas.taxonomy import sv6d_taxonomy
from tests.answerer import prompt_of
from tests.endpoint import Plan, endpoint
from tests.product import ROOT, labels, reelproof, results

PAGE = (ROOT / "docs" / "agreement.md").read_text()
REEL = str(resources.files("jobs").joinpath("samples", "reel.mp4"))
SETTINGS = ("--set", "split.stitch_min_similarity=0", "--set", "split.max_clip_s=12")
COLUMNS = ("clip_id", "start_s", "end_s", "dimension", "attribute", "value")
Row = dict[str, Any]


def sv6d_answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """A segment for each shot, half of it right; the clip's last segment rests on a claim that no picture bears out."""
    told = prompt_of(body)
    found = re.search(r"The clip lasts ([\d.]+) seconds", told)
    assert found
    stretches = re.findall(r"^\s*\d+: ([\d.]+) s to ([\d.]+) s$", told, re.MULTILINE) or [("0", found[1])]
    said = (("aesthetics", "brightness", "medium"), ("camera", "motion", "static"), ("subject", "shot_size", "medium"))
    segments = []
    for number, (start, end) in enumerate(stretches, 1):
        wrong = {"quantity": "black", "text": "", "value": None} if 1 < number == len(stretches) else None
        seen = {"start_s": float(start), "end_s": float(end), "modality": "frame", "observation": "So it looks."}
        values = [{"dimension": d, "attribute": a, "value": v, "evidence": [1]} for d, a, v in said]
        segments.append({
            "start_s": float(start), "end_s": float(end), "evidence": [{**seen, "claim": wrong}], "values": values,
        })  # fmt: skip
    return {"segments": segments}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with SV6D labels of the measured annotator and of a model that was asked for measured attributes too."""
    folder = tmp_path_factory.mktemp("agreement")
    taxonomy = sv6d_taxonomy().model_dump(mode="json")
    for attribute in (attribute for dimension in taxonomy["dimensions"] for attribute in dimension["attributes"]):
        attribute["measured"] = False
    (folder / "mine.yaml").write_text(yaml.safe_dump(taxonomy))
    with endpoint(Plan(answer=sv6d_answer)) as server:
        finished = reelproof(
            "run", "--input", REEL, "--output", str(folder / "run"), *SETTINGS, "--runner", "local", "--quiet",
            "--set", "annotate.sv6d.enabled=true", "--set", f"annotate.sv6d.taxonomy={folder / 'mine.yaml'}",
            "--until", "verify.questions", "--model", "stand-in", "--base-url", server.base_url,
        )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return folder / "run"


def said(*more: str) -> str:
    """What the command prints."""
    finished = CliRunner().invoke(app, ["agreement", *more], catch_exceptions=False)
    assert finished.exit_code == 0
    return finished.stdout


def told(*arguments: str) -> dict[str, Any]:
    """The same as JSON."""
    values: dict[str, Any] = json.loads(said(*arguments, "--json", "--by-clip"))
    return values


def clips(run: Path) -> dict[str, float]:
    """Start of each clip on its source's timeline, in seconds."""
    return {found["clip"]["clip_id"]: found["clip"]["span"]["start_s"] for found in results(run, "dedup")}


def rows_of(run: Path, annotator: str = "measured") -> list[Row]:
    """A run's kept labels as a person would have written them."""
    starts = clips(run)
    kept = [found["label"] for found in results(run, "verify.evidence")]
    return [
        {
            "clip_id": label["clip_id"], "start_s": label["span"]["start_s"] - starts[label["clip_id"]],
            "end_s": label["span"]["end_s"] - starts[label["clip_id"]], "segment": label["label_id"],
            **{name: value[name] for name in ("dimension", "attribute", "value")},
        }
        for label in kept if label["kind"] == "sv6d" and label["provenance"]["annotator"] == annotator
        for value in label["sv6d"]["values"]
    ]  # fmt: skip


def written(path: Path, rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows as a file; its ending says of which kind."""
    rows = list(rows)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return str(path)


def row(clip_id: str = "one", start_s: Any = 0, end_s: Any = 4, **more: Any) -> Row:
    values = {"dimension": "camera", "attribute": "motion", "value": "static"}
    return {"clip_id": clip_id, "start_s": start_s, "end_s": end_s, **values, **more}


# runs


def test_a_run_agrees_with_itself(run: Path) -> None:
    answer = said(str(run), str(run))
    assert re.search(rf"^agreement 1\.000 over \d+ segments on {len(clips(run))} clips$", answer, re.MULTILINE)
    assert re.search(r"aesthetics +1\.000", answer)
    assert "note:" not in answer


def test_a_model_is_held_against_the_measured_annotator(run: Path) -> None:
    sides = (str(run), str(run), "--annotator-a", "sv6d", "--annotator-b", "measured")
    found, shared = told(*sides), told(*sides, "--shared")
    kept = [label for label in (one["label"] for one in results(run, "verify.evidence")) if label["kind"] == "sv6d"]
    by = [label["provenance"]["annotator"] for label in kept]
    assert [found["overall"][name] for name in ("segments_a", "segments_b")] == [by.count("sv6d"), by.count("measured")]
    assert 0 < found["overall"]["agreement"] < shared["overall"]["agreement"] < 1
    camera = shared["overall"]["dimensions"]["camera"]
    assert 0 < camera["same"] <= camera["compared"]
    assert set(shared["overall"]["dimensions"]) == {"aesthetics", "camera"}
    assert any("only A speaks of subject.shot_size" in note for note in found["notes"])


def test_the_sides_can_be_exchanged(run: Path) -> None:
    one = told(str(run), str(run), "--annotator-a", "sv6d", "--annotator-b", "measured")["overall"]
    other = told(str(run), str(run), "--annotator-a", "measured", "--annotator-b", "sv6d")["overall"]
    assert one["agreement"] == pytest.approx(other["agreement"])
    assert (one["segments_a"], one["quality_a"]) == (other["segments_b"], other["quality_b"])


def test_clips_come_to_the_whole(run: Path) -> None:
    found = told(str(run), str(run), "--annotator-a", "sv6d", "--annotator-b", "measured")
    assert set(found["clips"]) == set(clips(run))
    weights = [clip["segments_a"] + clip["segments_b"] for clip in found["clips"].values()]
    agreements = [clip["agreement"] for clip in found["clips"].values()]
    expected = sum(w * a for w, a in zip(weights, agreements, strict=True)) / sum(weights)
    assert found["overall"]["agreement"] == pytest.approx(expected)
    for clip in found["clips"].values():
        assert len(clip["pairs"]) + len(clip["unmatched_a"]) == clip["segments_a"]


def test_rejected_labels_are_compared_only_where_they_are_asked_for(run: Path) -> None:
    sides = (str(run), str(run), "--annotator-a", "sv6d")
    n_said = len(labels(run, "annotate.sv6d"))
    assert told(*sides)["overall"]["segments_a"] < n_said
    assert told(*sides, "--unverified")["overall"]["segments_a"] == n_said


def test_a_run_that_no_judge_has_seen_says_how_to_compare_it(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(copy / "tables" / "verify.questions")
    with pytest.raises(AgreementError, match="--unverified takes what annotators said"):
        said(str(copy), str(run))
    assert told(str(copy), str(run), "--unverified")["overall"]["agreement"] == 1.0


def test_settings_decide(run: Path) -> None:
    sides = (str(run), str(run), "--annotator-a", "sv6d", "--annotator-b", "measured", "--shared")
    strict, lenient = (told(*sides, "--set", f"agreement.unmatched_penalty={p}") for p in (0.1, 0.5))
    assert strict["overall"]["agreement"] < lenient["overall"]["agreement"]
    heavy = told(*sides, "--set", "agreement.weights.camera=9", "--set", "agreement.alpha=0.1")
    assert (heavy["settings"]["weights"]["camera"], heavy["settings"]["alpha"]) == (9.0, 0.1)


# a person's file


@pytest.mark.parametrize("name", ["mine.csv", "mine.jsonl"])
def test_a_person_who_writes_what_was_measured_agrees_wholly(name: str, run: Path, tmp_path: Path) -> None:
    path = written(tmp_path / name, rows_of(run))
    found = told(path, str(run), "--annotator-b", "measured")
    assert found["overall"]["agreement"] == pytest.approx(1.0)
    assert found["notes"] == []
    assert found["a"] == {"place": path, "annotator": None, "kind": "file", "labels": "person"}


def test_a_person_is_compared_on_the_clips_that_they_labelled(run: Path, tmp_path: Path) -> None:
    first = sorted(clips(run))[0]
    path = written(tmp_path / "mine.csv", [row for row in rows_of(run) if row["clip_id"] == first])
    found = told(str(run), path, "--annotator-a", "measured")
    assert list(found["clips"]) == [first]
    assert found["overall"]["agreement"] == pytest.approx(1.0)


def test_what_a_person_sees_otherwise_lowers_the_agreement(run: Path, tmp_path: Path) -> None:
    rows = rows_of(run)
    late = [{**row, "start_s": row["start_s"] + 0.5, "end_s": row["end_s"] + 0.5} for row in rows]
    other = [{**row, "value": "zoom_out"} if row["attribute"] == "motion" else row for row in rows]
    fewer = [row for row in rows if row["segment"] != rows[0]["segment"]]
    for number, changed in enumerate((late, other, fewer)):
        path = written(tmp_path / f"{number}.csv", changed)
        assert 0.3 < told(path, str(run), "--annotator-b", "measured")["overall"]["agreement"] < 0.99


def test_names_may_be_written_as_people_write_them(run: Path, tmp_path: Path) -> None:
    rows = rows_of(run)
    odd = [{**row, "dimension": row["dimension"].title(), "attribute": row["attribute"].replace("_", " "),
            "value": f" {row['value'].replace('_', '-').upper()} "} for row in rows]  # fmt: skip
    found = told(written(tmp_path / "odd.csv", odd), str(run), "--annotator-b", "measured")
    assert found["overall"]["agreement"] == pytest.approx(1.0)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_spreadsheets_in_other_countries_can_be_read(delimiter: str, run: Path, tmp_path: Path) -> None:
    path = Path(written(tmp_path / "mine.csv", rows_of(run)))
    path.write_text("\ufeff" + path.read_text().replace(",", delimiter))
    assert told(str(path), str(run), "--annotator-b", "measured")["overall"]["agreement"] == pytest.approx(1.0)


def test_unknown_clips_and_values_are_told(run: Path, tmp_path: Path) -> None:
    known = sorted(clips(run))[0]
    rows = [row(known), row(known, value="wobble [red]"), row("nowhere")]
    answer = said(written(tmp_path / "mine.csv", rows), str(run))
    assert "1 clips of" in answer
    assert "nowhere" in answer
    assert (
        "1 values are not in the taxonomy, and differ from every other; line 3: camera.motion = 'wobble [red]'"
        in answer
    )


def test_a_span_far_outside_the_clip_is_told_as_a_fault(run: Path, tmp_path: Path) -> None:
    known = sorted(clips(run))[0]
    path = written(tmp_path / "mine.csv", [row(known), row(known, 9999, 10003)])
    assert told(path, str(run))["overall"]["quality_a"]["outside"] == pytest.approx(0.5)


def test_two_people_are_compared_without_a_run(tmp_path: Path) -> None:
    a = written(tmp_path / "a.csv", [row(segment="x"), row(start_s=4, end_s=8, value="pan_left")])
    b = written(tmp_path / "b.jsonl", [row(), row(start_s=4, end_s=8, value="pan_right", duration_s=6)])
    found = told(a, b)["overall"]
    assert found["temporal"] == pytest.approx(1.0)
    assert found["dimensions"]["camera"] == {
        "agreement": pytest.approx(0.75), "compared": 2, "same": 1, "only_a": 0, "only_b": 0,
    }  # fmt: skip
    assert found["quality_a"]["outside"] == pytest.approx(0.25)
    assert (
        told(a, written(tmp_path / "c.csv", [row(), row(start_s=4, end_s=8)]))["overall"]["quality_a"]["outside"] == 0
    )


def test_values_of_one_segment_may_stand_anywhere_in_the_file(tmp_path: Path) -> None:
    more: Row = {"dimension": "aesthetics", "attribute": "brightness", "value": "dark"}
    rows = [row(segment="1"), row(segment="2", start_s=4, end_s=8), row(segment="1", **more)]
    found = told(written(tmp_path / "a.csv", rows), written(tmp_path / "b.csv", [rows[2], rows[1], rows[0]]))["overall"]
    assert (found["segments_a"], found["agreement"]) == (2, 1.0)


def test_a_dimension_that_is_no_name_is_printed_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [row(dimension="[bold]mood[/x]", clip_id="[/red]")])
    answer = said(path, path, "--by-clip")
    assert "[bold]mood[/x]" in answer
    assert "[/red]" in answer


def test_the_page_shows_what_comes_out(run: Path, tmp_path: Path) -> None:
    (text,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (shown,) = re.findall(r"^\$ reelproof agreement mine.csv .*?\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    path = tmp_path / "mine.csv"
    path.write_text(text)
    answer = said(str(path), str(run), "--annotator-b", "measured", "--shared", "--by-clip")
    lines = [line.rstrip() for line in answer.splitlines()]
    expected = [line for line in shown.splitlines() if not line.startswith("note:")]
    assert [line for line in lines if not line.startswith("note:")] == expected


# wrong requests

HEADER = ",".join(COLUMNS) + "\n"
GOOD = "one,0,4,camera,motion,static\n"


@pytest.mark.parametrize(
    ("name", "content", "answer"),
    [
        ("a.csv", "", "line 1: no column 'clip_id'; the columns are clip_id, start_s"),
        ("a.csv", "clip_id,start_s,end_s,dimension,value\n", "line 1: no column 'attribute'"),
        ("a.csv", HEADER, "holds no labels"),
        ("a.csv", HEADER + GOOD + "one,zero,4,camera,motion,static\n", "line 3: start_s is a number of seconds"),
        ("a.csv", HEADER + "one,0,nan,camera,motion,static\n", "line 2: end_s is a number of seconds, not 'nan'"),
        ("a.csv", HEADER + "one,0,1e400,camera,motion,static\n", "line 2: end_s is a number of seconds"),
        ("a.csv", HEADER + "one,-1,4,camera,motion,static\n", "line 2: start_s counts seconds from"),
        ("a.csv", HEADER + "one,0,1e9,camera,motion,static\n", "line 2: end_s counts seconds"),
        ("a.csv", HEADER + "one,5,4,camera,motion,static\n", "line 2: the segment ends at 4 s, before it"),
        ("a.csv", HEADER + "one,0,4,camera,motion, \n", "line 2: value is empty"),
        ("a.csv", HEADER + "one,0,4,camera,motion\n", "line 2: value is empty"),
        ("a.csv", HEADER + "one,0,4,camera,motion,static,more\n", "line 2: more cells than the first line has columns"),
        ("a.csv", HEADER + 'one,0,4,camera,motion,"sta\n', "line 2: unexpected end of data"),
        (
            "a.csv", "segment," + HEADER + "1," + GOOD + "1,one,1,4,camera,angle,low\n",
            "line 3: segment '1' lies at 1 s to 4 s, and at 0 s to 4 s in line 2",
        ),
        (
            "a.csv", "duration_s," + HEADER + "12," + GOOD + "13," + GOOD,
            "line 3: the clip one is 13 s long, and 12 s in line 2",
        ),
        ("a.csv", "duration_s," + HEADER + "0," + GOOD, "line 2: a clip of 0 s has no segments"),
        ("a.jsonl", "{}\n", "line 1: clip_id is empty"),
        ("a.jsonl", '\n{"clip_id": "one"\n', "line 2: no JSON"),
        ("a.jsonl", "[1]\n", "line 1: an object with clip_id"),
        ("a.jsonl", json.dumps(row(value=3)), "line 1: value is a text, not 3"),
        ("a.jsonl", json.dumps(row(start_s=True)), "line 1: start_s is a number of seconds, not True"),
        ("a.jsonl", json.dumps(row(start_s=[0])), "line 1: start_s is a number of seconds, not [0]"),
        ("a.jsonl", "[" * 100_000, "line 1: no JSON"),
        ("a.jsonl", b"\xff\xfe", "cannot be read"),
        ("a.jsonl", None, "cannot be read"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_answered_with_its_line_and_the_cause(
    name: str, content: str | bytes | None, answer: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    other = written(tmp_path / "good.csv", [row()])
    with pytest.raises(AgreementError) as caught:
        said(other, str(path))
    assert str(caught.value).startswith(str(path))
    assert answer in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["{run}", "{run}", "--annotator-a", "nobody"], "has no sv6d labels by 'nobody', only by measured, sv6d"),
        (["{file}", "{file}", "--annotator-b", "sv6d"], "is a person's file: only a run has annotators"),
        (["{file}", "{run}"], "have no clip in common: one names 'one', the other 'reel"),
        (["{file}", "{file}", "--set", "agreement.beta=1"], "no setting 'agreement.beta'; known: alpha, weights"),
        (
            ["{file}", "{file}", "--set", "agreement.weights.mood=1"],
            "no setting 'agreement.weights.mood'; known",
        ),
        (
            ["{file}", "{file}", "--set", "agreement.weights=1"],
            "is a section; set one of its keys, for example agreement.weights.subject",
        ),
        (["{file}", "{file}", "--set", "agreement.alpha.x=1"], "agreement.alpha: input should be a valid number"),
        (
            ["{file}", "{file}", "--set", "agreement.alpha=2"],
            "agreement.alpha: input should be less than",
        ),
        (["{file}", "{file}", "--set", "agreement.alpha"], "write it as agreement.key=value"),
        (["{file}", "{file}", "--set", "split.max_clip_s=3"], "write it as agreement.key=value"),
        (["{file}", "{file}", "--set", "agreement.alpha=["], "--set 'agreement.alpha=['"),
        (
            ["{file}", "{file}", "--set", "agreement.embedder=no/model"],
            "agreement.embedder: the model 'no/model' is not",
        ),
        (["{file}", "{file}", "--set", "agreement.embedder=tfidf"], "agreement.embedder: what compares"),
        (["{file}", "{other}", "--shared"], "speak of no attribute in common: A of camera.motion; B of camera.angle"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(arguments: list[str], answer: str, run: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "mine.csv", [row()])
    other = written(tmp_path / "other.csv", [row(attribute="angle", value="low")])
    with pytest.raises((AgreementError, SettingsError)) as caught:
        said(*(argument.format(run=run, file=file, other=other) for argument in arguments))
    assert answer in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_run_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    file = written(tmp_path / "mine.csv", [row()])
    with pytest.raises(GridError, match="holds no run"):
        said(str(tmp_path), file)
    finished = reelproof("agreement", str(tmp_path), file)
    assert (finished.returncode, finished.stderr.count("\n")) == (2, 1)


def test_a_damaged_cell_is_named_in_one_line(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    for path in (copy / "tables" / "verify.questions").glob("*.parquet"):
        content = path.read_bytes()
        path.write_bytes(content[:4] + bytes(len(content) // 2 - 4) + content[len(content) // 2 :])
    with pytest.raises(AgreementError, match=r"run cannot be read: ") as caught:
        said(str(copy), str(run))
    assert "\n" not in str(caught.value)
