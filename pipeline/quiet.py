"""Silence for libraries whose native code writes on the terminal.

Here: `native_stderr_closed`. Not here: what this project itself says (`jobs.progress`).
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def native_stderr_closed() -> Iterator[None]:
    """Nothing reaches file descriptor 2 while the block lasts; errors come as Python exceptions all the same."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
