"""A run that asks a model: what it costs, what it sends, what it leaves, and what happens when it is cut short.

The endpoint is a stand-in that speaks the real protocol over HTTP; `tests.answerer` answers soundly.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from annotators.table import ASKING
from data_cards.exports import FORMATS
from pipeline.settings import recipe_names
from tests.answerer import sound_answer
from tests.endpoint import Plan, Server, endpoint
from tests.product import assert_accounted_for, reelproof, results, start, status, written_at

REEL = str(resources.files("jobs").joinpath("samples", "reel.mp4"))
SETTINGS = ("--set", "split.stitch_min_similarity=0", "--set", "split.max_clip_s=12",
            "--set", "plan.validation_fraction=0", "--set", "plan.test_fraction=0")  # fmt: skip
PRICES = (
    "--set", "endpoints.default.input_usd_per_million=1", "--set", "endpoints.default.output_usd_per_million=4",
    "--set", "endpoints.judge.input_usd_per_million=1", "--set", "endpoints.judge.output_usd_per_million=4",
)  # fmt: skip
EXPORTED = {
    "sv6d": "llava", "videoespresso": "videoespresso", "cineaste": "mvbench", "editing": "videomme",
    "events": "etbench", "dense-text": "llava", "espresso-small": "vcgplus", "default": "mvbench",
    "fragments": "mvbench",
}  # fmt: skip
"""A shape for each recipe's labels."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over the reel, measured up to where asking begins. Tests work on copies."""
    output = tmp_path_factory.mktemp("measured") / "run"
    finished = reelproof(
        "run", "--input", REEL, "--output", str(output), *SETTINGS, "--until", "dedup", "--runner", "local"
    )
    assert finished.returncode == 0, finished.stderr
    return output


@pytest.fixture
def run(measured: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(measured, tmp_path / "run"))


@pytest.fixture
def server() -> Iterator[Server]:
    with endpoint(Plan(answer=sound_answer, input_usd_per_million=1.0, output_usd_per_million=4.0)) as found:
        yield found


def asking(run: Path, server: Server, recipe: str = "videoespresso", *more: str, runner: str = "local") -> list[str]:
    return [
        "run", "--input", REEL, "--output", str(run), *SETTINGS, "--recipe", recipe, "--runner", runner,
        "--model", "stand-in", "--judge-model", "another", "--base-url", server.base_url, *PRICES, *more,
    ]  # fmt: skip


def told(run: Path) -> list[dict[str, Any]]:
    """The kept replies."""
    return [json.loads(path.read_text()) for path in sorted(run.glob("replies/*/*.json"))]


@pytest.mark.parametrize("recipe", recipe_names())
def test_every_recipe_validates_exports_and_shows_in_the_report(
    recipe: str, run: Path, server: Server, tmp_path: Path
) -> None:
    finished = reelproof(*asking(run, server, recipe))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert_accounted_for(run)
    labels = [kept["label"] for kept in results(run, "verify.evidence")]
    asked = {one.name for one in ASKING} & {
        path.name.removeprefix("annotate.") for path in run.glob("tables/annotate.*")
    }
    makers = {label["provenance"]["annotator"] for label in labels}
    revisers = {origin["annotator"] for label in labels for origin in label["revisions"]}
    assert asked - {"names"} <= makers | revisers
    page = (run / "report" / "index.html").read_text()
    assert all(label["label_id"] in page for label in labels)
    card = (run / "README.md").read_text()
    assert server.base_url not in card
    assert ("What was asked of models" in card) == bool(asked)
    wrote = reelproof("export", str(run), "--format", EXPORTED[recipe], "--to", str(tmp_path / "export"), "--no-videos")
    assert wrote.returncode == 0, wrote.stderr
    assert EXPORTED[recipe] in FORMATS
    assert any((tmp_path / "export").glob("train.json*"))


def test_what_was_paid_is_what_the_server_counted_and_a_second_run_sends_nothing(run: Path, server: Server) -> None:
    assert reelproof(*asking(run, server)).returncode == 0
    sent = server.log.n_successes
    figures = status(run)
    assert len(told(run)) == sent > 20
    assert figures["tokens"] == server.log.input_tokens + server.log.output_tokens
    assert figures["cost_usd"] == pytest.approx(server.log.cost_usd)
    again = reelproof(*asking(run, server))
    assert again.returncode == 0, again.stderr
    assert server.log.n_tries == sent


def test_ray_and_the_plain_loop_ask_the_same(run: Path, server: Server, measured: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(measured, tmp_path / "other"))
    assert reelproof(*asking(run, server)).returncode == 0
    finished = reelproof(*asking(other, server, runner="ray"))
    assert finished.returncode == 0, finished.stderr
    assert {reply["key"] for reply in told(run)} == {reply["key"] for reply in told(other)}
    ids = [[label["label"]["label_id"] for label in results(folder, "verify.evidence")] for folder in (run, other)]
    assert ids[0] == ids[1]


def test_a_changed_prompt_never_gets_an_old_answer_and_leaves_other_annotators_alone(
    run: Path, server: Server, tmp_path: Path
) -> None:
    assert reelproof(*asking(run, server, "sv6d")).returncode == 0
    sent, before = server.log.n_successes, written_at(run)
    own = tmp_path / "own.j2"
    shipped = resources.files("annotators").joinpath("prompts", "sv6d.j2").read_text()
    own.write_text(shipped.replace("{% block user %}", "{% block user %}\nBe brief."))
    finished = reelproof(*asking(run, server, "sv6d", "--set", f"annotate.sv6d.prompt={own}"))
    assert finished.returncode == 0, finished.stderr
    assert server.log.n_successes == 2 * sent
    after = written_at(run)
    assert after["tables/annotate.measured/part-00000.parquet"] == before["tables/annotate.measured/part-00000.parquet"]
    assert after["tables/annotate.sv6d/part-00000.parquet"] != before["tables/annotate.sv6d/part-00000.parquet"]
    assert "Be brief." in (run / "README.md").read_text()


def test_a_dry_run_tells_requests_tokens_and_money_and_sends_nothing(run: Path, server: Server) -> None:
    finished = reelproof(*asking(run, server, "videoespresso", "--dry-run"))
    assert finished.returncode == 0, finished.stderr
    assert server.log.n_tries == 0
    rows = {line.split()[0]: line.split() for line in finished.stdout.splitlines() if line.split()}
    for name in ("caption", "qa", "distractors", "reasoning", "together"):
        requests, *_ = rows[name][-7:]
        assert int(requests.replace(",", "")) > 0, name
    assert "nothing was sent" in finished.stdout
    assert not list(run.glob("tables/annotate.*"))


def test_the_budget_stops_cleanly_and_a_higher_one_goes_on_where_it_stopped(run: Path, server: Server) -> None:
    stopped = reelproof(*asking(run, server, "videoespresso", "--max-cost-usd", "0.02"))
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    (line,) = [line for line in stopped.stderr.splitlines() if "budget reached" in line]
    assert line.endswith("run again with a higher limit to go on")
    assert 0 < server.log.cost_usd <= 0.02
    spent = server.log.n_successes
    assert len(told(run)) == spent
    finished = reelproof(*asking(run, server, "videoespresso", "--max-cost-usd", "5"))
    assert finished.returncode == 0, finished.stderr
    assert server.log.asked_after_success == []
    assert_accounted_for(run)


@pytest.mark.parametrize("runner", ["local", "ray"])
def test_a_token_limit_stops_too(runner: str, run: Path, server: Server) -> None:
    stopped = reelproof(*asking(run, server, "videoespresso", "--max-tokens", "9000", runner=runner))
    assert stopped.returncode == 3, stopped.stderr
    assert server.log.input_tokens + server.log.output_tokens <= 9000


@pytest.mark.parametrize("runner", ["local", "ray"])
def test_killed_while_asking_and_run_again_pays_nothing_twice(runner: str, run: Path) -> None:
    with endpoint(Plan(answer=sound_answer, latency_s=0.15)) as server:
        process = start(
            *asking(run, server, "videoespresso", "--set", "endpoints.default.max_in_flight=4", runner=runner)
        )
        deadline = time.monotonic() + 120
        while server.log.n_successes < 12 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert server.log.n_successes >= 12
        finished = reelproof(*asking(run, server, "videoespresso", runner=runner))
        assert finished.returncode == 0, finished.stderr
        # What was on its way when the process died was never received: at most as much as was in flight.
        assert len(server.log.asked_after_success) <= 4
        kept = {reply["key"] for reply in told(run)}
        assert len(kept) == len(told(run))
    assert_accounted_for(run)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(key="the right one"), ("OPENAI_API_KEY",)),
        (Plan(models=("another",), knows_all_models=False), ("stand-in", "model")),
    ],
    ids=["wrong key", "unknown model"],
)
def test_an_endpoint_that_cannot_work_ends_the_run_with_one_line(plan: Plan, words: tuple[str, ...], run: Path) -> None:
    with endpoint(plan) as server:
        environment = {**os.environ, "OPENAI_API_KEY": "sk-a-wrong-key-nobody-may-see"}
        finished = reelproof(*asking(run, server), env=environment)
        assert finished.returncode == 2, finished.stdout + finished.stderr
        (line,) = finished.stderr.strip().splitlines()
        assert line.startswith("reelproof: ")
        assert all(word in line for word in words)
        assert "nobody-may-see" not in finished.stdout + finished.stderr
        assert server.log.n_tries <= 64


def test_an_address_where_nobody_listens_is_named(run: Path, server: Server) -> None:
    arguments = asking(run, server, "sv6d", "--set", "endpoints.default.max_attempts=2")
    arguments[arguments.index("--base-url") + 1] = "http://127.0.0.1:9/v1"
    finished = reelproof(*arguments)
    assert finished.returncode in (1, 2), finished.stdout + finished.stderr
    assert "127.0.0.1:9" in finished.stdout + finished.stderr


def test_the_key_is_in_no_file_that_a_run_leaves(run: Path, server: Server) -> None:
    key = "sk-nobody-may-see-this-0123456789"
    finished = reelproof(*asking(run, server, "sv6d"), env={**os.environ, "OPENAI_API_KEY": key})
    assert finished.returncode == 0, finished.stderr
    leaks = [path for path in run.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert leaks == []
    assert key not in finished.stdout + finished.stderr


def test_faults_of_all_kinds_end_with_every_unit_accounted_for(run: Path) -> None:
    faults = {"rate_limited": 0.05, "server_error": 0.05, "cut_body": 0.05, "dropped": 0.05, "invalid": 0.1,
              "refused": 0.1, "truncated": 0.05}  # fmt: skip
    with endpoint(Plan(answer=sound_answer, faults=faults, seed=3)) as server:
        finished = reelproof(*asking(run, server, "videoespresso"))
        assert finished.returncode == 1, finished.stdout + finished.stderr
        assert_accounted_for(run)
        assert set(status(run)["failures"]) <= {"refused", "truncated", "invalid"}
        assert server.log.asked_after_success == []
        assert status(run)["cost_usd"] == pytest.approx(server.log.cost_usd)


def test_failed_units_are_asked_again_when_told_and_only_those(run: Path) -> None:
    with endpoint(Plan(answer=sound_answer, faults={"refused": 0.3}, seed=5)) as server:
        assert reelproof(*asking(run, server, "videoespresso")).returncode == 1
        failed = sum(step["failures"] for step in status(run)["steps"].values())
        assert failed
    with endpoint(Plan(answer=sound_answer)) as server:
        finished = reelproof(*asking(run, server, "videoespresso", "--retry-failures"))
        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert server.log.n_successes >= failed
    assert_accounted_for(run)


def test_the_batch_way_gives_the_same_labels_at_half_the_price(
    run: Path, server: Server, measured: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(measured, tmp_path / "other"))
    assert reelproof(*asking(run, server, "videoespresso")).returncode == 0
    finished = reelproof(*asking(other, server, "videoespresso", "--set", "endpoints.default.way=batch"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    labels = [
        [
            (found["label"]["label_id"], found["label"]["qa"], found["label"]["caption"])
            for found in results(folder, "verify.evidence")
        ]
        for folder in (run, other)
    ]
    assert labels[0] == labels[1]
    costs = [{one["annotator"]: one["cost_usd"] for one in status(folder)["asked"]} for folder in (run, other)]
    assert costs[0].keys() == costs[1].keys()
    for who, cost in costs[0].items():
        # Judges ask again by what was answered, which no batch can do.
        assert costs[1][who] == pytest.approx(cost if who.startswith("verify.") else cost / 2), who


def test_an_interrupt_while_asking_is_resumable(run: Path) -> None:
    with endpoint(Plan(answer=sound_answer, latency_s=0.3)) as server:
        process = start(*asking(run, server, "videoespresso", "--set", "endpoints.default.max_in_flight=2"))
        deadline = time.monotonic() + 120
        while server.log.n_successes < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert process.returncode == 130
        assert reelproof(*asking(run, server, "videoespresso")).returncode == 0
        assert server.log.asked_after_success == []


def test_a_recipe_that_asks_says_what_is_missing_where_no_model_is_named() -> None:
    finished = reelproof("settings", "--recipe", "videoespresso")
    assert finished.returncode == 2
    assert "--model NAME" in finished.stderr
