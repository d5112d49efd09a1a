"""The filter stage of a run: judges that ask models are resumable, cached and budgeted, and everybody can see verdicts.

The endpoint is a stand-in that speaks the real protocol over HTTP; `tests.answerer` answers soundly.
"""

import json
import os
import signal
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.answerer import sound_answer
from tests.endpoint import Plan, Server, endpoint
from tests.jobs.test_asking import asking, measured, run, server
from tests.judge_answers_blind import Answerer
from tests.product import assert_accounted_for, reelproof, results, rows, start, status, written_at

__all__ = ["measured", "run", "server"]

ALL = (
    "--set", "verify.veracity.enabled=true", "--set", "verify.leakage.enabled=true",
    "--set", "verify.question_class.enabled=true", "--set", "verify.critic.enabled=true",
)  # fmt: skip
BLIND = ("--set", "verify.leakage.enabled=true", "--set", "verify.leakage.endpoints=[judge]")
JUDGES = ("verify.veracity", "verify.leakage", "verify.question_class", "verify.critic")


def packaged(run: Path) -> list[dict[str, Any]]:
    """The labels in the samples' JSON."""
    labels = []
    for shard in sorted(run.glob("shards/*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    file = tar.extractfile(member)
                    assert file is not None
                    labels += json.load(file)["labels"]
    return labels


def test_every_judge_says_why_and_everybody_can_see_it(run: Path, server: Server) -> None:
    finished = reelproof(*asking(run, server, "sv6d", *ALL, "--set", "verify.consistency.enabled=true"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert_accounted_for(run)
    told_by_judges = {verdict["rule"] for label in packaged(run) for verdict in label["verdicts"]}
    judges = ("verify.evidence", "verify.wording", "verify.duplicates", "verify.priors", "verify.consistency", *JUDGES)
    assert set(judges) <= {".".join(rule.split(".")[:2]) for rule in told_by_judges}
    page, card = (run / "report/index.html").read_text(), (run / "README.md").read_text()
    for judge in (*JUDGES, "verify.consistency"):
        assert judge in finished.stdout
        assert judge in card
        assert judge in page
    for label in packaged(run):
        asked = [verdict for verdict in label["verdicts"] if verdict["trials"]]
        assert label["kind"] != "qa" or asked
        assert label["route"] == "sft"


def test_a_judge_is_paid_once_whatever_is_run_again(run: Path, server: Server) -> None:
    assert reelproof(*asking(run, server, "default", *ALL)).returncode == 0
    sent, cost = server.log.n_successes, server.log.cost_usd
    assert sent > 100
    assert status(run)["cost_usd"] == pytest.approx(cost)
    before = written_at(run)
    again = reelproof(*asking(run, server, "default", *ALL))
    assert again.returncode == 0, again.stderr
    assert server.log.n_tries == sent
    assert written_at(run) == before
    # A threshold of one judge makes that judge and later ones stale: their replies are kept, so nothing is sent.
    changed = reelproof(*asking(run, server, "default", *ALL, "--set", "verify.critic.min_score=4.6",
                                 "--set", "verify.critic.sft_score=4.6"))  # fmt: skip
    assert changed.returncode == 0, changed.stderr
    assert server.log.n_tries == sent
    assert status(run)["rejections"]["verify.critic.min_score"] > 0
    after = written_at(run)
    for name in ("scan", "annotate.measured", "verify.leakage"):
        assert after[f"tables/{name}/part-00000.parquet"] == before[f"tables/{name}/part-00000.parquet"]


@pytest.mark.parametrize("runner", ["local", "ray"])
def test_killed_while_judging_and_run_again_pays_nothing_twice(runner: str, run: Path) -> None:
    with endpoint(Plan(answer=sound_answer, latency_s=0.1)) as server:
        few = ("--set", "endpoints.judge.max_in_flight=4")
        process = start(*asking(run, server, "default", *BLIND, *few, runner=runner))
        deadline = time.monotonic() + 120
        while server.log.n_successes < 40 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert server.log.n_successes >= 40
        finished = reelproof(*asking(run, server, "default", *BLIND, runner=runner))
        assert finished.returncode == 0, finished.stderr
        assert len(server.log.asked_after_success) <= 4
    assert_accounted_for(run)


def test_the_budget_stops_judges_and_a_higher_one_goes_on(run: Path, server: Server) -> None:
    stopped = reelproof(*asking(run, server, "default", *BLIND, "--max-cost-usd", "0.02"))
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    assert 0 < server.log.cost_usd <= 0.02
    finished = reelproof(*asking(run, server, "default", *BLIND, "--max-cost-usd", "5"))
    assert finished.returncode == 0, finished.stderr
    assert server.log.asked_after_success == []
    assert_accounted_for(run)


def test_a_dry_run_tells_what_judges_would_take(run: Path, server: Server) -> None:
    finished = reelproof(*asking(run, server, "default", *BLIND, "--dry-run"))
    assert finished.returncode == 0, finished.stderr
    assert server.log.n_tries == 0
    (line,) = [line for line in finished.stdout.splitlines() if "verify.leakage" in line]
    foretold = int(line.split("labels")[1].split()[0].replace(",", ""))
    assert reelproof(*asking(run, server, "default", *BLIND)).returncode == 0
    sent = sum(one["replies"] for one in status(run)["asked"] if one["annotator"] == "verify.leakage")
    assert sent / 2 < foretold < sent * 2


def test_questions_that_a_model_answers_blind_go_and_the_others_stay(run: Path) -> None:
    first = reelproof("run", "--output", str(run), "--until", "verify.questions", "--runner", "local")
    assert first.returncode == 0, first.stderr
    asked = [kept["label"] for kept in results(run, "verify.questions") if kept["label"]["qa"]]
    known = {label["qa"]["question"]: label["qa"]["options"][label["qa"]["answer_index"]] for label in asked[::2]}
    answerer = Answerer(knows=known)

    def answer(body: Mapping[str, Any]) -> dict[str, Any]:
        return answerer(body)

    with endpoint(Plan(answer=answer)) as server:
        finished = reelproof(*asking(run, server, "default", *BLIND))
        assert finished.returncode == 0, finished.stdout + finished.stderr
    rejected = {row["unit_id"] for row in rows(run, "verify.leakage") if row["outcome"] == "rejection"}
    leaking = {label["label_id"] for label in asked if known.get(label["qa"]["question"]) is not None
               and label["qa"]["options"][label["qa"]["answer_index"]] == known[label["qa"]["question"]]}  # fmt: skip
    assert leaking <= rejected
    guessed = {label["label_id"] for label in asked} - leaking
    assert len(rejected & guessed) <= max(2, 0.2 * len(guessed))
    for row in (row for row in rows(run, "verify.leakage") if row["outcome"] == "rejection"):
        verdict = row["rejection"]["verdict"]
        assert verdict["judges"]
        assert verdict["score"] >= verdict["threshold"] > 0.25
        assert verdict["interval_low"] <= verdict["score"] <= verdict["interval_high"]
        assert len(verdict["opinions"]) >= verdict["trials"] > 0
        assert verdict["cost_usd"] > 0


def test_an_author_never_judges_and_the_run_says_so_before_it_starts(run: Path, server: Server) -> None:
    arguments = asking(run, server, "cineaste")
    arguments[arguments.index("--judge-model") + 1] = "stand-in"
    finished = reelproof(*arguments)
    assert finished.returncode == 2
    (line,) = finished.stderr.strip().splitlines()
    assert "judge what it wrote" in line
    assert "--judge-model" in line
    assert server.log.n_tries == 0


def test_without_a_judge_model_the_option_is_named(run: Path, server: Server) -> None:
    arguments = [word for word in asking(run, server, "cineaste") if word not in ("--judge-model", "another")]
    finished = reelproof(*arguments)
    assert finished.returncode == 2
    assert "--judge-model NAME" in finished.stderr


def test_a_dry_run_counts_further_samples_of_segments_that_are_not_there_yet(run: Path, server: Server) -> None:
    finished = reelproof(*asking(run, server, "sv6d", "--set", "verify.consistency.enabled=true", "--dry-run"))
    assert finished.returncode == 0, finished.stderr
    (line,) = [line for line in finished.stdout.splitlines() if "verify.consistency" in line]
    # Of three samples of each clip, the first is the author's own.
    assert int(line.split("labels")[1].split()[0]) == 2 * len(results(run, "dedup"))
