"""People decide: what they reject is gone, what they accept stays, and only what depends on it is made again."""

import csv
import json
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.corpus import textured_frame, write_video
from tests.endpoint import Plan, endpoint
from tests.judge_answers_blind import Answerer
from tests.product import reelproof, results, rows, status, written_at

SETTINGS = (
    "grid.max_slices_per_part=1", "split.stitch_min_similarity=2", "plan.validation_fraction=0",
    "plan.test_fraction=0", "verify.evidence.luma_tolerance=0",
)  # fmt: skip
"""Each video is a part; claims about light must be exact, so some labels are rejected."""


def write(folder: Path, number: int) -> None:
    frames = [
        np.roll(textured_frame(2 * number + shot, 108, 192), 2 * index, axis=1)
        for shot in range(2)
        for index in range(60)
    ]
    write_video(folder / f"video-{number}.mp4", frames, fps=25)


def arguments(videos: Path, output: Path, runner: str = "local") -> list[str]:
    settings = (word for setting in SETTINGS for word in ("--set", setting))
    return ["run", "--input", str(videos), "--output", str(output), "--runner", runner, "--quiet", *settings]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for number in range(2):
        write(folder, number)
    return folder


@pytest.fixture(scope="module")
def finished(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("finished") / "run"
    made = reelproof(*arguments(videos, output))
    assert made.returncode == 0, made.stderr
    return output


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def decide(run: Path, *more: str, runner: str = "local") -> dict[str, Any]:
    """`reelproof review` to its end; what it tells as JSON."""
    made = reelproof("review", str(run), *more, "--json", "--quiet", "--runner", runner)
    assert made.returncode == 0, made.stderr
    told: dict[str, Any] = json.loads(made.stdout)
    return told


def exported(run: Path, path: Path) -> list[dict[str, str]]:
    decide(run, "--export", str(path))
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def saved(path: Path, found: list[dict[str, str]], decided: Mapping[str, str], delimiter: str = ",") -> str:
    """The exported table with decisions filled in, as a spreadsheet saves it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]), delimiter=delimiter)
        writer.writeheader()
        for row in found:
            decision = decided.get(row["label_id"], "")
            writer.writerow({**row, "decision": decision, "reviewer": "Ada" if decision else ""})
    return str(path)


def packaged(run: Path) -> dict[str, Any]:
    """The labels in the shards."""
    found = {}
    for path in run.glob("shards/*.tar"):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    content = tar.extractfile(member)
                    assert content
                    found.update({label["label_id"]: label for label in json.load(content)["labels"]})
    return found


def one_of_each(found: list[dict[str, str]]) -> tuple[str, str]:
    """A label of the first video that was kept, and one that was rejected."""
    first = [row for row in found if row["source"] == "video-0.mp4"]
    return tuple(next(row["label_id"] for row in first if row["outcome"] == name) for name in ("kept", "rejected"))  # type: ignore[return-value]


def test_the_table_has_every_label_with_what_it_says_and_what_became_of_it(run: Path, tmp_path: Path) -> None:
    found = exported(run, tmp_path / "labels.csv")
    judged = {row["unit_id"]: row for row in rows(run, "verify.evidence")}
    assert {row["label_id"] for row in found} == judged.keys()
    assert len(found) == len(judged)
    for row in found:
        judgement = judged[row["label_id"]]
        assert row["outcome"] == {"result": "kept", "rejection": "rejected"}[judgement["outcome"]]
        if row["outcome"] == "rejected":
            assert row["reason"] == judgement["rejection"]["verdict"]["reason"]
            assert row["rule"] == "verify.evidence"
        assert row["text"] or row["question"]
        assert row["decision"] == row["reviewer"] == row["note"] == ""
    questions = [row for row in found if row["kind"] == "qa"]
    assert all(row["answer"] in row["options"].splitlines() for row in questions if row["options"])
    assert {row["source"] for row in found} == {"video-0.mp4", "video-1.mp4"}


def test_an_exported_table_is_never_written_over(run: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("somebody's work")
    made = reelproof("review", str(run), "--export", str(tmp_path / "labels.csv"))
    assert made.returncode == 2
    assert "is there already" in made.stderr
    assert (tmp_path / "labels.csv").read_text() == "somebody's work"


def test_decisions_win_and_only_what_depends_on_them_is_made_again(run: Path, tmp_path: Path) -> None:
    found = exported(run, tmp_path / "labels.csv")
    kept, rejected = one_of_each(found)
    before = written_at(run)
    assert kept in packaged(run)
    assert rejected not in packaged(run)

    file = saved(tmp_path / "decided.csv", found, {kept: "Reject", rejected: "yes"}, delimiter=";")
    told = decide(run, file)
    assert (told["accepted"], told["rejected"], told["new"]) == (1, 1, 2)
    assert told["undecided_rows"] == len(found) - 2

    shown = packaged(run)
    assert kept not in shown
    assert [verdict["rule"] for verdict in shown[rejected]["verdicts"]] == ["verify.evidence", "review"]
    assert [verdict["decision"] for verdict in shown[rejected]["verdicts"]] == ["reject", "keep"]
    figures = status(run)
    assert figures["rejections"]["review"] == 1
    assert figures["reviews"] == {"accepted": 1, "rejected": 1, "without_effect": 0}
    assert figures["cells"]["stale"] == figures["cells"]["missing"] == 0

    after = written_at(run)
    changed = {path for path in after if after[path] != before.get(path)}
    assert {path.split("/")[1] for path in changed} == {
        "reviews",
        "verify.evidence",
        "verify.wording",
        "survey",
        "verify.questions",
        "plan",
        "package",
        "card",
    }
    for judge in ("verify.evidence", "verify.wording"):
        assert [path for path in changed if judge in path] == [f"tables/{judge}/part-00000.parquet"]

    told = decide(run, file)
    assert (told["accepted"], told["rejected"], told["new"], told["changed"]) == (1, 1, 0, 0)
    assert written_at(run) == after


def test_a_question_that_a_model_answers_blind_stays_where_a_person_accepts_it_and_nobody_asks_again(
    run: Path, tmp_path: Path
) -> None:
    asked = [kept["label"]["qa"] for kept in results(run, "verify.questions") if kept["label"]["qa"]]
    answers = Answerer(knows={qa["question"]: qa["options"][qa["answer_index"]] for qa in asked})
    with endpoint(Plan(answer=lambda body: answers(body))) as server:
        blind = (
            "--base-url", server.base_url, "--judge-model", "stand-in", "--set", "verify.leakage.enabled=true",
            "--set", "verify.leakage.endpoints=[judge]",
        )  # fmt: skip
        again = ("run", "--output", str(run), "--runner", "local", "--quiet", *blind)
        judged = reelproof(*again)
        assert judged.returncode == 0, judged.stdout + judged.stderr
        found = exported(run, tmp_path / "labels.csv")
        leaking = [row["label_id"] for row in found if row["rule"] == "verify.leakage"]
        assert len(leaking) > 1
        accepted, left = leaking[:2]
        assert packaged(run).keys().isdisjoint(leaking)
        n_sent = server.log.n_tries
        assert n_sent > 0

        told = decide(run, saved(tmp_path / "decided.csv", found, {accepted: "accept"}))
        assert (told["accepted"], told["rejected"]) == (1, 0)
        shown = packaged(run)
        assert left not in shown
        verdicts = shown[accepted]["verdicts"]
        assert [one["rule"] for one in verdicts][-2:] == ["verify.leakage", "review"]
        assert [one["decision"] for one in verdicts][-2:] == ["reject", "keep"]
        assert [one["rule"] for one in verdicts].count("verify.leakage") == 1
        assert verdicts[-2]["trials"] > 0
        assert verdicts[-1]["judges"] == ["Ada"]

        before = written_at(run)
        assert reelproof(*again).returncode == 0
        assert written_at(run) == before
        assert server.log.n_tries == n_sent
        assert status(run)["judges"]["verify.leakage"]["rejected"] == len(leaking) - 1


def test_a_decision_can_be_turned_round_and_taken_back(run: Path, tmp_path: Path) -> None:
    found = exported(run, tmp_path / "labels.csv")
    kept, rejected = one_of_each(found)
    before = packaged(run)
    decide(run, saved(tmp_path / "one.csv", found, {kept: "reject", rejected: "accept"}))
    told = decide(run, saved(tmp_path / "two.csv", found, {kept: "accept"}))
    assert (told["accepted"], told["new"], told["changed"]) == (1, 0, 1)
    before_review = [verdict["rule"] for verdict in before[kept]["verdicts"]]
    assert before_review[0] == "verify.evidence"
    assert [verdict["rule"] for verdict in packaged(run)[kept]["verdicts"]] == [*before_review, "review"]
    assert decide(run, "--clear", "all")["cleared"] == 2
    assert packaged(run) == before
    assert not list(run.glob("tables/reviews/*"))
    made = reelproof("review", str(run), "--clear", kept)
    assert made.returncode == 2
    assert f"no decision about '{kept}'" in made.stderr


def test_decisions_outlive_more_videos_and_those_without_a_label_are_told(
    videos: Path, run: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more"
    more.mkdir()
    found = exported(run, tmp_path / "labels.csv")
    kept, rejected = one_of_each(found)
    decide(run, saved(tmp_path / "decided.csv", found, {kept: "reject", rejected: "accept"}), "--no-run")
    assert kept in packaged(run)
    write(more, 7)
    again = (*arguments(videos, run), "--input", str(more))
    assert reelproof(*again).returncode == 0
    assert status(run)["sources"] == 3
    assert kept not in packaged(run)
    assert rejected in packaged(run)

    finished = reelproof(*again, "--set", "split.max_clip_s=1.5", "--set", "split.min_clip_s=1")
    assert finished.returncode == 0, finished.stderr
    assert sorted(decide(run)["decisions"]["outdated"]) == sorted([kept, rejected])
    assert status(run)["reviews"] == {"accepted": 1, "rejected": 1, "without_effect": 2}
    assert "2 of them have no effect" in reelproof("review", str(run)).stdout


def test_all_labels_of_a_clip_can_be_decided_with_one_row_and_one_of_them_otherwise(run: Path, tmp_path: Path) -> None:
    found = exported(run, tmp_path / "labels.csv")
    clip = found[0]["clip_id"]
    ids = [row["label_id"] for row in found if row["clip_id"] == clip]
    lines = f"clip_id,label_id,decision\n{clip},,drop\n,{ids[0]},keep\n"
    (tmp_path / "decided.csv").write_text(lines)
    told = decide(run, str(tmp_path / "decided.csv"), "--reviewer", "Grace")
    assert (told["accepted"], told["rejected"]) == (1, len(ids) - 1)
    shown = packaged(run)
    assert [label_id for label_id in ids if label_id in shown] == ids[:1]
    assert shown[ids[0]]["verdicts"][-1]["reason"] == "Grace decided so"


def test_a_file_about_an_older_label_decides_nothing(run: Path, tmp_path: Path) -> None:
    found = exported(run, tmp_path / "labels.csv")
    kept, _ = one_of_each(found)
    older = [{**row, "label_version": "0123456789abcdef"} for row in found]
    told = decide(run, saved(tmp_path / "older.csv", older, {kept: "reject"}))
    assert told["outgrown"] == [kept]
    assert (told["accepted"], told["rejected"]) == (0, 0)
    assert kept in packaged(run)


def test_ray_and_the_plain_loop_follow_decisions_alike(run: Path, tmp_path: Path) -> None:
    found = exported(run, tmp_path / "labels.csv")
    other = Path(shutil.copytree(run, tmp_path / "other"))
    kept, rejected = one_of_each(found)
    second = next(row["label_id"] for row in found if row["source"] == "video-1.mp4")
    file = saved(tmp_path / "decided.csv", found, {kept: "reject", rejected: "accept", second: "reject"})
    assert decide(run, file) == decide(other, file, runner="ray")
    assert results(run, "verify.evidence") == results(other, "verify.evidence")
    for shard in run.glob("shards/*"):
        assert shard.read_bytes() == (other / "shards" / shard.name).read_bytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("label_id,decision\nnobody,accept\n", ("line 2", "no label 'nobody'")),
        ("label_id,decision\n\n,accept\n", ("line 3", "neither label_id nor clip_id")),
        ("label_id,decision\n{label},maybe\n", ("line 2", "no decision 'maybe'")),
        ("label_id,decision\n{label},accept\n{label},reject\n", ("line 3", "accepted in line 2")),
        ("clip_id,label_id,decision\nelsewhere,{label},accept\n", ("line 2", "is not of clip 'elsewhere'")),
        ("clip_id,decision\nnowhere,accept\n", ("line 2", "no clip with labels 'nowhere'")),
        ("some text\nand more\n", ("line 1", "no CSV with the columns")),
        ("", ("line 1", "no CSV with the columns")),
        ('label_id,decision\n"{label},accept\n', ("line 2", "not CSV")),
        ('[{{"label_id": "nobody", "decision": "accept"}}]', ("item 1", "no label 'nobody'")),
        ('[{{"label_id": 3, "decision": "accept"}}]', ("item 1", "values are texts")),
    ],
)
def test_a_file_that_cannot_be_followed_is_told_in_one_line_and_decides_nothing(
    content: str, words: tuple[str, ...], finished: Path, tmp_path: Path
) -> None:
    label = next(rows(finished, "verify.evidence"))["unit_id"]
    path = tmp_path / "decided.csv"
    path.write_text(content.format(label=label))
    made = reelproof("review", str(finished), str(path), "--no-run")
    assert made.returncode == 2
    (line,) = made.stderr.strip().splitlines()
    assert all(word in line for word in (str(path), *words))
    assert not list(finished.glob("tables/reviews/*"))
