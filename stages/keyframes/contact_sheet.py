"""A contact sheet: pictures of a clip side by side in one, a cheap input for a model that reads pictures (IG-VLM).

Here: laying out and encoding. Not here: which pictures (`stages.keyframes.strategies`).
"""

from collections.abc import Sequence
from math import ceil, sqrt

import cv2
import numpy as np

from schemas.config import DescribeConfig
from schemas.media import FrameSample
from schemas.signals import ContactSheet
from stages.pictures.samples import decode_sample

JPEG_QUALITY = 85
"""As good as the samples themselves by default."""


def contact_sheet(samples: Sequence[FrameSample], config: DescribeConfig, name: str) -> ContactSheet:
    """The pictures as one, in reading order: from left to right, then down.

    IG-VLM puts six pictures in three rows of two. Ours: as many columns as configured, or the grid nearest to a square;
    every picture has the size of the first, scaled so that the sheet is `describe.contact_sheet_width` pixels wide;
    cells that stay empty are black.

    Raises:
        ValueError: there is no picture.
        MediaError: a sample is no JPEG; names the file `name`.
    """
    if not samples:
        raise ValueError("a contact sheet of no picture")
    columns, rows = grid_of(len(samples), config.contact_sheet_columns)
    width = max(1, config.contact_sheet_width // columns)
    height = max(1, round(width * samples[0].height / samples[0].width))
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for number, sample in enumerate(samples):
        row, column = divmod(number, columns)
        picture = cv2.resize(decode_sample(sample, name), (width, height), interpolation=cv2.INTER_AREA)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(sheet[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return ContactSheet(
        width=sheet.shape[1],
        height=sheet.shape[0],
        columns=columns,
        rows=rows,
        pts=tuple(sample.pts for sample in samples),
        jpeg=jpeg.tobytes(),
    )


def grid_of(count: int, columns: int = 0) -> tuple[int, int]:
    """Columns and rows for so many pictures; with `columns` 0 as near to a square as they allow, no row empty."""
    columns = min(columns or ceil(sqrt(count)), count)
    return columns, ceil(count / columns)
