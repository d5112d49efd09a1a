"""How many requests are under way at once: as many as the server takes well.

Here: `Limiter`. Not here: which failures there are (`annotators.faults`), or budgets (`annotators.budget`).

Ours, after TCP's additive increase and multiplicative decrease: it starts at the most, falls by a part when the server
says that it is too much, at most once for what was sent before it was last told, and grows by one for each round of
good replies. Slowness counts where it is a blow-up: replies that take over a second and, token for token, over twice as
long as they did. A server that only queues loses nothing by a long queue, so slowness takes three quarters at most.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

_DECREASE = 0.7
_BLOW_UP = 2.0
"""How many times slower than before is a blow-up."""
_QUICK_S = 1.0
"""Mean latency that is never called slow: below it, it is this machine that is busy."""
_SLOWNESS_LEAVES = 0.25
"""Share of the most that slowness alone never takes."""
_ROUND = 16
"""Fewest replies that a mean of latency is taken over."""
_FORGETTING = 1.05
"""How much slower the memory of the fastest round gets with each round: what lasts is accepted."""
_TOKENS_OF_NO_OUTPUT = 64
"""Output tokens that take about as long as everything else about a reply."""


class Slot:
    """Leave to have one request under way."""

    __slots__ = ("started_at",)

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at


class Limiter:
    """Slots for requests under way, for one event loop. Memory grows with who waits only."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._limit = float(most)
        self._clock = clock
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._decreased_at = -1.0
        self._paused_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._n_replies = 0
        self._latencies_s = 0.0
        self._paces = 0.0
        self._fastest: float | None = None

    @property
    def limit(self) -> int:
        """Most requests under way at once, now."""
        return max(1, int(self._limit))

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return self._in_flight

    @property
    def paused_s(self) -> float:
        """Seconds until the next request may go."""
        return max(0.0, self._paused_until - self._clock())

    async def acquire(self) -> Slot:
        """Wait for a slot; who waits longest gets the next one."""
        if self._waiting or not self._is_free():
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            self._wake()
            try:
                await turn
            except asyncio.CancelledError:
                self._give_up(turn)
                raise
        else:
            self._in_flight += 1
        return Slot(self._clock())

    def release(self) -> None:
        """Give a slot back."""
        self._in_flight -= 1
        self._wake()

    def succeeded(self, slot: Slot, output_tokens: int) -> None:
        """A reply came: a little more may be under way, unless replies have become much slower."""
        if self._in_flight >= self.limit - 1:
            self._limit = min(float(self.most), self._limit + 1.0 / max(1.0, self._limit))
        latency_s = self._clock() - slot.started_at
        self._n_replies += 1
        self._latencies_s += latency_s
        self._paces += latency_s / (_TOKENS_OF_NO_OUTPUT + output_tokens)
        if self._n_replies >= max(_ROUND, self.limit):
            self._judge_round(slot)

    def overloaded(self, slot: Slot) -> None:
        """The server said that it is too much, or did not reply in time."""
        self._decrease(slot, 1.0)

    def pause(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _judge_round(self, slot: Slot) -> None:
        pace, latency_s = self._paces / self._n_replies, self._latencies_s / self._n_replies
        self._n_replies, self._latencies_s, self._paces = 0, 0.0, 0.0
        if self._fastest is not None and latency_s > _QUICK_S and pace > _BLOW_UP * self._fastest:
            self._decrease(slot, max(1.0, self.most * _SLOWNESS_LEAVES))
        remembered = pace if self._fastest is None else self._fastest * _FORGETTING
        self._fastest = min(pace, remembered)

    def _decrease(self, slot: Slot, least: float) -> None:
        """Once for all requests that were sent before the last decrease could show."""
        if slot.started_at > self._decreased_at:
            self._decreased_at = self._clock()
            self._limit = min(self._limit, max(least, self._limit * _DECREASE))

    def _is_free(self) -> bool:
        return self._in_flight < self.limit and self._clock() >= self._paused_until

    def _wake(self) -> None:
        while self._waiting and self._is_free():
            turn = self._waiting.popleft()
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)
        if self._waiting and self._timer is None and self.paused_s > 0:
            self._timer = asyncio.get_running_loop().call_later(self.paused_s, self._pause_ended)

    def _pause_ended(self) -> None:
        self._timer = None
        self._wake()

    def _give_up(self, turn: "asyncio.Future[None]") -> None:
        """Who waited was cancelled, perhaps just as it got its slot."""
        if turn.done() and not turn.cancelled():
            self.release()
