"""What the footer of a cell says about it: enough for resume and for the funnel, without reading a row."""

from pydantic import Field

from schemas.base import Record


class FileStamp(Record):
    """A file that belongs to a cell, beside its table."""

    path: str
    """Below the run's folder."""
    size_bytes: int = Field(ge=0)
    sha256: str


class CellInfo(Record):
    """The footer of one cell."""

    fingerprint: str
    """Hash of all that decided the content: step, version, configuration, inputs."""
    identity: str
    """What later steps hash in their turn: the fingerprint, or the content's hash where the step cuts off change."""
    units: int = Field(ge=0)
    results: int = Field(ge=0)
    rejections: int = Field(ge=0)
    failures: int = Field(ge=0)
    hands_on: int = Field(ge=0)
    """Units that the results hand to the next step: a slice's clips, a clip's labels."""
    files: tuple[FileStamp, ...] = ()
    code_version: str
