"""RULER-Bench's checklists: `category, task_name, prompt, checklist`.

Here: checklists. Not here: marking by them.
"""

from data_cards.exports.item import ExportItem, Format, LabelJson, Row, by_kind

_NO_CHECKLIST = "it is no checklist"
_PREFIX = "rule_"


def _checklist(item: ExportItem, label: LabelJson) -> Row:
    checklist = label["checklist"]
    return {
        "category": checklist["task"].removeprefix(_PREFIX),
        "task_name": checklist["task"],
        "prompt": checklist["prompt"],
        "checklist": [point["text"] for point in checklist["items"]],
        "video": item.video,
    }


FORMAT = Format(
    name="ruler",
    file_kind="json",
    about="the checklists of RULER-Bench",
    left_out="evidence and provenance; `video` is ours, for these tasks are about a clip",
    rows=by_kind(
        {
            "checklist": _checklist,
            "caption": _NO_CHECKLIST,
            "qa": _NO_CHECKLIST,
            "sv6d": _NO_CHECKLIST,
            "moments": _NO_CHECKLIST,
            "trace": _NO_CHECKLIST,
        }
    ),
)
