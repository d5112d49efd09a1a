"""`reelproof demo`: the request that runs the whole pipeline on the sample videos that come with the package."""

from importlib import resources

from rich.console import Console

from annotators.answer_schema import UnreadableError, parse_answer
from annotators.answers import Answer
from annotators.endpoint.replies import Replies
from annotators.table import ASKING
from jobs.run import Request
from jobs.status import open_run
from pipeline.grid import Inputs
from schemas.label import ClipLabels

_SETTINGS = (
    "card.title=Reelproof demo",
    "card.license=cc-by-3.0",
    # The reel is short: clips of several shots have more to ask about.
    "split.stitch_min_similarity=0",
    "split.max_clip_s=12",
    # Two sources are too few for fractions to mean anything: all of them train.
    "plan.validation_fraction=0",
    "plan.test_fraction=0",
)


LOCAL_RECIPE = "espresso-small"
"""What a small local model is asked for."""


def demo_request(
    output: str, runner: str, *, quiet: bool, recipe: str = "default", settings: tuple[str, ...] = ()
) -> Request:
    """The sample videos as a request; further settings come after the demo's own."""
    samples = resources.files("jobs").joinpath("samples").iterdir()
    videos = tuple(sorted(str(path) for path in samples if path.name.endswith(".mp4")))
    return Request(
        inputs=videos, output=output, recipe=recipe, settings=(*_SETTINGS, *settings), runner=runner, quiet=quiet
    )


def print_answers(output: str) -> None:
    """Print, for each annotator, how many replies there are, how many fit their schema, and what became of them."""
    run = open_run(output)
    replies = list(Replies(run.store))
    console = Console()
    for annotator in (one for one in ASKING if any(reply.annotator == one.name for reply in replies)):
        texts = [reply.text for reply in replies if reply.annotator == annotator.name]
        fitting = sum(_fits(text, annotator.answer) for text in texts)
        found: list[ClipLabels] = [
            result for row in run.rows(run.step(f"annotate.{annotator.name}"))
            for result in Inputs(run, run.step("card"), 0).results(f"annotate.{annotator.name}", only_row=row)
        ]  # fmt: skip
        labels = sum(len(one.labels) for one in found)
        told = f"{annotator.name}: {len(texts)} replies kept, {fitting} of them fit the schema, labels made: {labels}"
        console.print(told, highlight=False)
    console.print("run it again: nothing will be asked", highlight=False)


def _fits(text: str, answer: type[Answer]) -> bool:
    try:
        parse_answer(text, answer)
    except UnreadableError:
        return False
    return True
