"""On-screen text: RapidOCR over frame samples, its fragments joined into lines, boxes as shares of the picture.

Here: the reader, made once per worker, and what becomes of its answers. Not here: which samples are read
(`stages.describe`), or comparing text (`stages.evidence.check`).
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from schemas.config import DescribeConfig
from schemas.media import FrameSample
from schemas.signals import TextDetection
from stages.errors import StageError
from stages.pictures.samples import decode_sample

MAX_SIDE_PX = 736
"""Longer side, in pixels, above which a sample is made smaller for finding text; smaller ones are not enlarged."""

MIN_CHARACTERS = 2
"""Letters and digits that a line must have: a single one is more often a texture that looks like it."""

_SAME_LINE_OVERLAP = 0.6
"""Share of the lower box's height that two fragments of one line have in common."""
_MAX_GAP_HEIGHTS = 0.8
"""Gap between two fragments of one line, in heights of the line."""


@dataclass(frozen=True)
class _Fragment:
    """Text in an axis-aligned box, in pixels."""

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


class TextReader:
    """Finds and reads text on frame samples. Holds its models, so that one is made per worker."""

    def __init__(self, engine: Any, min_score: float) -> None:
        """`engine` is a `rapidocr.RapidOCR`; text read with less than `min_score` (0 to 1) is left out."""
        self._engine = engine
        self._min_score = min_score

    def read(self, sample: FrameSample, name: str) -> tuple[TextDetection, ...]:
        """The lines of text on a sample, from top to bottom, then from left to right; lone characters are left out.

        Raises MediaError, naming the file `name`, where the sample is no JPEG.
        """
        picture = decode_sample(sample, name)
        height, width = picture.shape[:2]
        found = self._engine(np.ascontiguousarray(picture[..., ::-1]), use_cls=False)
        if found.boxes is None or found.txts is None:
            return ()
        answers = zip(found.txts, found.scores, found.boxes, strict=True)
        fragments = [_fragment(text, float(score), box) for text, score, box in answers if score >= self._min_score]
        lines = join_fragments(fragment for fragment in fragments if fragment.text)
        return tuple(
            _detection(line, sample.pts, width, height)
            for line in lines
            if sum(map(str.isalnum, line.text)) >= MIN_CHARACTERS
        )


def resolve_text_setting(config: DescribeConfig) -> DescribeConfig:
    """The configuration with `text: auto` replaced by what is installed here: `rapidocr` or `none`."""
    if config.text != "auto":
        return config
    return config.replace(text="rapidocr" if _is_installed() else "none")


def make_reader(config: DescribeConfig) -> TextReader | None:
    """The reader that the configuration asks for; None where text is not to be read.

    The models are those inside the `rapidocr` package (PP-OCR); nothing is fetched. Raises StageError where `rapidocr`
    is asked for and not installed, or comes without its models.
    """
    if resolve_text_setting(config).text == "none":
        return None
    if not _is_installed():
        raise StageError("describe.text is rapidocr, which is not installed: install reelproof[ocr], or set it to none")
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    parameters = {
        "Global.log_level": "critical",
        "Global.use_cls": False,
        "Det.model_path": _model(models, "det"),
        "Rec.model_path": _model(models, "rec"),
        "Det.limit_type": "max",
        "Det.limit_side_len": MAX_SIDE_PX,
        # One thread: workers run side by side, and sums in one order give the same scores every time.
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return TextReader(rapidocr.RapidOCR(params=parameters), config.text_min_score)


def join_fragments(fragments: Iterable[_Fragment]) -> list[_Fragment]:
    """Fragments joined where they stand side by side on one line, with a space between and the lower score.

    Returns lines from top to bottom, then from left to right.
    """
    lines: list[_Fragment] = []
    for fragment in sorted(fragments, key=lambda f: (f.left, f.top)):
        home = next((position for position, line in enumerate(lines) if _continues(line, fragment)), None)
        if home is None:
            lines.append(fragment)
        else:
            lines[home] = _joined(lines[home], fragment)
    return sorted(lines, key=lambda line: (line.top, line.left))


def _is_installed() -> bool:
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def _model(folder: Path, task: str) -> str:
    """The model for a task in the package's folder; the first by name, for there is one."""
    paths = sorted(folder.glob(f"*_{task}_*.onnx"))
    if not paths:
        raise StageError(f"describe.text is rapidocr, but the package has no model for {task!r} in {folder.name}/")
    return str(paths[0])


def _fragment(text: str, score: float, box: Any) -> _Fragment:
    """From a text and its quadrilateral, shape (4, 2), in pixels."""
    corners = np.asarray(box, dtype=np.float64)
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    visible = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFKC", text))
    return _Fragment(" ".join(visible.split()), score, float(left), float(top), float(right), float(bottom))


def _continues(line: _Fragment, fragment: _Fragment) -> bool:
    height = min(line.bottom - line.top, fragment.bottom - fragment.top)
    overlap = min(line.bottom, fragment.bottom) - max(line.top, fragment.top)
    gap = fragment.left - line.right
    return overlap >= _SAME_LINE_OVERLAP * height and -height <= gap <= _MAX_GAP_HEIGHTS * height


def _joined(line: _Fragment, fragment: _Fragment) -> _Fragment:
    return _Fragment(
        text=f"{line.text} {fragment.text}",
        score=min(line.score, fragment.score),
        left=min(line.left, fragment.left),
        top=min(line.top, fragment.top),
        right=max(line.right, fragment.right),
        bottom=max(line.bottom, fragment.bottom),
    )


def _detection(line: _Fragment, pts: int, width: int, height: int) -> TextDetection:
    """Pixels as shares of the picture; a box that reaches over the edge ends there."""
    left, right = (min(1.0, max(0.0, x / width)) for x in (line.left, line.right))
    top, bottom = (min(1.0, max(0.0, y / height)) for y in (line.top, line.bottom))
    score = min(1.0, line.score)
    return TextDetection(text=line.text, score=score, pts=pts, left=left, top=top, right=right, bottom=bottom)
