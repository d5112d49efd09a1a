"""E.T. Instruct's conversations, in both its variants: `task, source, video, duration, src?, tgt?, conversations`.

Here: events, questions and key moments. Not here: shared words (`words`).

As published, times are seconds in the text, or tokens `<vid>` whose values stand in `src` (those of the human's
messages) and `tgt` (those of the answers), flat and in the order of the tokens. Which task a label is written as is
ours, where it is not of one of E.T. Bench's own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from data_cards.exports import words
from data_cards.exports.item import ExportItem, Format, LabelJson, Row, Skipped, by_kind

TOKEN = "<vid>"  # noqa: S105 - a word of the shape
_IMAGE = "<image>\n"
ALL_EVENTS = "Find every event in this video, and describe each with when it begins and ends."

Said = Sequence[str | float]
"""A message in pieces: a number is a time in seconds."""


@dataclass(frozen=True)
class _Variant:
    """How times are written."""

    time: Callable[[float], str]

    def row(self, item: ExportItem, task: str, asked: Said, answered: Said) -> Row:
        source, target = ([piece for piece in said if isinstance(piece, float)] for said in (asked, answered))
        said = ("".join(p if isinstance(p, str) else self.time(p) for p in pieces) for pieces in (asked, answered))
        human, gpt = said
        row: Row = {
            "task": task,
            "source": item.source_name,
            "video": item.video,
            "duration": round(item.duration_s, 3),
        }
        row |= {"src": source} if source else {}
        row |= {"tgt": target} if target else {}
        return row | {"conversations": words.turns(_IMAGE + human, gpt)}

    def rows(self, item: ExportItem) -> Iterator[Row | Skipped]:
        """Labels one by one, after all events of the clip in one conversation."""
        events = [label for label in item.labels if _is_event(label)]
        if events:
            yield self._events(item, events)
        rest = {**item.sample, "labels": [label for label in item.labels if not _is_event(label)]}
        yield from by_kind(
            {
                "qa": self._question,
                "moments": self._moments,
                "caption": "only captions of events have times to learn",
                "sv6d": "no task of E.T. Bench asks for it",
                "checklist": "no task of E.T. Bench asks for it",
                "trace": "no task of E.T. Bench asks for it",
            }
        )(_with(item, rest))

    def _events(self, item: ExportItem, events: Sequence[LabelJson]) -> Row:
        told: list[str | float] = []
        for label in sorted(events, key=lambda event: item.seconds(event["span"])):
            told += [*_stretch(*item.seconds(label["span"])), f", {label['caption']['text']} "]
        told[-1] = str(told[-1]).rstrip()
        return self.row(item, "dvc", [ALL_EVENTS], told)

    def _question(self, item: ExportItem, label: LabelJson) -> Row:
        qa = label["qa"]
        return self.row(item, qa["task"], [words.asked(qa)], [words.answered(qa)])

    def _moments(self, item: ExportItem, label: LabelJson) -> Row:
        spans = sorted(item.seconds(moment["span"]) for moment in label["moments"]["moments"])
        told: list[str | float] = []
        for number, span in enumerate(spans):
            told += [*([", "] if number else []), *_stretch(*span)]
        return self.row(item, "tvg" if len(spans) == 1 else "tal", [words.find(label)], [*told, "."])


def _is_event(label: LabelJson) -> bool:
    return bool(label["kind"] == "caption" and label["caption"].get("level", "clip") == "event")


def _stretch(start_s: float, end_s: float) -> Said:
    return (start_s, " - ", end_s, " seconds")


def _with(item: ExportItem, sample: dict[str, object]) -> ExportItem:
    return ExportItem(item.split, item.shard, item.clip_id, item.video, item.source_name, item.duration_s, sample)


_LEFT_OUT = (
    "evidence, reasoning and provenance; times that stand in a question's own words stay there; captions of the whole "
    "clip and of transitions, for no task asks for them"
)

TEXT_FORMAT = Format(
    name="etbench",
    file_kind="json",
    about="E.T. Instruct, times in the text",
    left_out=_LEFT_OUT,
    rows=_Variant(lambda time_s: f"{time_s:.1f}").rows,
)
TOKEN_FORMAT = Format(
    name="etbench_vid",
    file_kind="json",
    about="E.T. Instruct, times as tokens",
    left_out=_LEFT_OUT,
    rows=_Variant(lambda time_s: TOKEN).rows,  # noqa: ARG005 - every time is the same token
)
