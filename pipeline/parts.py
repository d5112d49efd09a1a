"""Parts: fixed groups of slices, balanced by duration.

Here: assigning new slices to new parts, and keeping the old parts as they are. Not here: what is done to a part.
"""

import heapq
import math
from collections.abc import Iterable, Sequence

from pipeline.grid import Run
from pipeline.store import Store
from pipeline.tables import read_row, write_row
from schemas.config import GridConfig
from schemas.media import PartSlice, Source
from schemas.verdict import Result


def balance(slices: Sequence[PartSlice], config: GridConfig) -> list[list[PartSlice]]:
    """Spread slices over parts so that the longest part is short: longest slice first, into the emptiest part.

    The number of parts follows from the configuration and the slices alone, never from the machine. Within a part
    slices keep the order in which they came.
    """
    if not slices:
        return []
    total_s = sum(member.slice.span.duration_s for member in slices)
    by_duration = math.ceil(total_s / config.part_duration_s)
    by_count = math.ceil(len(slices) / config.max_slices_per_part)
    wanted = max(by_duration, by_count, config.min_parts)
    n_parts = min(wanted, len(slices))
    heap = [(0.0, part) for part in range(n_parts)]
    members: list[list[int]] = [[] for _ in range(n_parts)]
    for index in sorted(range(len(slices)), key=lambda i: (-slices[i].slice.span.duration_s, i)):
        seconds, part = heapq.heappop(heap)
        members[part].append(index)
        if len(members[part]) < config.max_slices_per_part:
            heapq.heappush(heap, (seconds + slices[index].slice.span.duration_s, part))
    return [[slices[index] for index in sorted(part)] for part in members]


def update_parts(run: Run) -> None:
    """Bring the parts in line with what `probe` found.

    A slice that is unchanged keeps its part for ever. Slices that are gone or changed leave theirs, and new ones open
    new parts.
    """
    probed = {
        slice_.slice_id: PartSlice(slice=slice_, video=source.video)
        for source in probed_sources(run)
        for slice_ in source.slices
    }
    rows = run.store.rows("parts")
    placed: set[str] = set()
    for row in rows:
        members = list(read_row(run.store, "parts", row, PartSlice))
        kept = [member for member in members if probed.get(member.slice.slice_id) == member]
        placed.update(member.slice.slice_id for member in kept)
        _write_part(run.store, row, kept)
    new = [member for slice_id, member in probed.items() if slice_id not in placed]
    for number, part in enumerate(balance(new, run.config.grid), start=max(rows, default=-1) + 1):
        _write_part(run.store, number, part)


def probed_sources(run: Run) -> Iterable[Source]:
    """The sources that `probe` let through, in the order of the listing."""
    for row in run.store.rows("listing"):
        for found in run.store.read("probe", row):
            if found["outcome"] == "result":
                yield Source.model_validate(found["result"])


def _write_part(store: Store, row: int, members: Sequence[PartSlice]) -> None:
    results = [Result(unit_id=m.slice.slice_id, subject=m.slice.name, value=m) for m in members]
    write_row(store, "parts", row, results, PartSlice)
