"""Where a label comes from: who said it, with which prompt and parameters, at what cost."""

from pydantic import Field

from schemas.base import Record


class Provenance(Record):
    """Everything needed to say who made a label and to make it again."""

    annotator: str
    annotator_version: str
    code_version: str
    """Version of this package."""
    model: str = "none"
    """`none` where no model was asked."""
    model_revision: str = ""
    prompt_name: str = ""
    prompt_sha256: str = ""
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    reply_key: str = ""
    """The kept reply that it was read from: `replies/<first two characters>/<key>.json`."""
    repairs: int = Field(default=0, ge=0)
    """How often the model was asked to mend its answer."""
    input_tokens: int = Field(default=0, ge=0)
    """Its share of the tokens, and below of the cost, of the requests that led to it: the labels of one answer divide
    them evenly, so that sums over labels are right."""
    output_tokens: int = Field(default=0, ge=0)
    cost_usd: float = Field(default=0.0, ge=0)
