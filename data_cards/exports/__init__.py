"""Packaged samples in the shapes that others have published, for code that reads those, and as sets to train with.

Here: the table of formats: one module a shape, and `routes` for the critic's sets. Not here: reading shards and writing
files (`jobs.export`).

All times are seconds from the start of the packaged clip, all boxes shares of width and height as left, top, right,
bottom from the top left corner, unless a format says otherwise. What a format cannot express is skipped and counted.
"""

from collections.abc import Mapping

from data_cards.exports import (
    etbench,
    llava,
    mvbench,
    qvhighlights,
    routes,
    ruler,
    vcgplus,
    videoespresso,
    videomme,
    videorefer,
)
from data_cards.exports.item import ExportItem, Format, Row, SampleError, Skipped, Tally, export_item

FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        llava.FORMAT,
        videoespresso.FORMAT,
        mvbench.FORMAT,
        videomme.FORMAT,
        etbench.TEXT_FORMAT,
        etbench.TOKEN_FORMAT,
        vcgplus.FORMAT,
        videorefer.FORMAT,
        ruler.FORMAT,
        qvhighlights.FORMAT,
        routes.SFT_FORMAT,
        routes.GRPO_FORMAT,
        routes.DPO_FORMAT,
    )
}
"""Every format by its name."""

__all__ = ["FORMATS", "ExportItem", "Format", "Row", "SampleError", "Skipped", "Tally", "export_item"]
