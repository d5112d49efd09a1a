"""How a worker's memory goes back to the system, where its libraries take and free large buffers all day.

Here: settings of glibc's allocator; nothing happens where the C library is another. Not here: what holds memory on
purpose.
"""

import ctypes
import sys

LARGE_BYTES = 2**20
"""Size from which a buffer is a mapping of its own, which goes back to the system when it is freed. Ours."""

# Parameters of `mallopt`, from glibc's malloc.h.
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def return_large_buffers() -> None:
    """Have large buffers go back to the system at once, in the whole process.

    Left alone, glibc raises the size from which it does so each time such a buffer is freed, up to 32 MiB. From then on
    those of a network lie on the heap, where what lives on between them keeps the holes from being given back: reading
    text on ten minutes of video took 1.7 GB, and 0.4 GB with this, in the same time.
    """
    _set(_M_MMAP_THRESHOLD, LARGE_BYTES)


def share_one_pool() -> None:
    """Have the threads of this process allocate from one pool.

    glibc gives each thread a pool of its own, and what one of them keeps no other can use: with the threads of slice
    after slice the process goes on growing. Two threads that decode do not contend for one.
    """
    _set(_M_ARENA_MAX, 1)


def _set(parameter: int, value: int) -> None:
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(parameter, value)
