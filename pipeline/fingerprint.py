"""Fingerprints: one hash over everything that decides a content."""

import hashlib
import json
from typing import Any


def fingerprint(*parts: Any) -> str:
    """SHA-256 over the canonical JSON of the parts, as 32 hexadecimal digits. Bytes count by their own hash."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    raise TypeError(f"no fingerprint for a {type(value).__name__}")
