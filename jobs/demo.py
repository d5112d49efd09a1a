"""`reelproof demo`: the request that runs the whole pipeline on the sample videos that come with the package."""

from importlib import resources

from jobs.run import Request

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
