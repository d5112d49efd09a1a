"""What asking has cost, and how much more it may.

Here: `Ledger`, which lets nobody send a request that could exceed the limits, and counts what came of it. Not here:
estimates (`endpoint.tokens`), prices (`endpoint.prices`), or how the ledger is shared among processes.

A request is reserved at the most that it may take, and settled at what it took. Spent and reserved together never
exceed a limit. What can still be exceeded is an estimate: a server may count more input tokens than we do.
"""

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Protocol

from annotators.endpoint.chat import BudgetReachedError
from annotators.endpoint.prices import Usage
from annotators.endpoint.tokens import Estimate

_ROUNDING_USD = 1e-9
"""Sums of many prices differ from their limit by less than this."""


class PriceUnknownError(BudgetReachedError):
    """There is a limit to the money, and nobody knows what the model costs."""


@dataclass(frozen=True)
class Limits:
    """How much may be spent; None where there is no limit. What earlier runs spent counts."""

    max_cost_usd: float | None = None
    max_tokens: int | None = None
    """Input and output together."""


@dataclass(frozen=True)
class Tally:
    """Sums over requests; two add up with `+`."""

    requests: int = 0
    """Answered and paid."""
    kept: int = 0
    """Answered by a reply kept from before."""
    failed: int = 0
    """Given up without a reply."""
    in_flight: int = 0
    lost: int = 0
    """Tries that were sent and whose reply never came whole: the server may have charged for them."""
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0
    """Of replies that came."""
    lost_tokens: int = 0
    lost_usd: float = 0.0
    """At most, of tries that were lost; counted towards the limits."""
    reserved_tokens: int = 0
    reserved_usd: float = 0.0
    unpriced: int = 0
    """Requests whose price is unknown: `cost_usd` is without them."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Tally)))

    @property
    def tokens(self) -> int:
        """Input and output of replies that came."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True)
class Snapshot:
    """The state of a ledger at one moment."""

    started_at: float
    """Seconds since 1970."""
    earlier: Tally
    """What earlier runs of the same folder spent."""
    by_annotator: Mapping[str, Tally]
    """This run's."""

    @property
    def total(self) -> Tally:
        """This run's, over all annotators."""
        return sum(self.by_annotator.values(), Tally())


class Accounts(Protocol):
    """Whoever keeps the accounts: a `Ledger` here, or one in another process."""

    async def reserve(self, annotator: str, estimate: Estimate, *, wait: bool = True) -> int:
        """Set aside what a request may take, and return a ticket for it.

        Where only requests under way stand against it, it waits for them, unless told not to. Raises
        BudgetReachedError; PriceUnknownError where the cost is limited and unknown.
        """
        ...

    async def lose(self, ticket: int) -> None:
        """A try was sent and its reply lost: count it as spent in full. The ticket holds nothing from now on."""
        ...

    async def renew(self, ticket: int) -> None:
        """Set aside once more what a ticket that holds nothing held. Raises BudgetReachedError, and waits as above."""
        ...

    async def settle(self, ticket: int, usage: Usage | None, cost_usd: float | None) -> None:
        """Count what the request took, or that it failed, and let its reservation go."""
        ...

    async def count_kept(self, annotator: str) -> None:
        """A kept reply was used."""
        ...

    async def record(self, annotator: str, usage: Usage, cost_usd: float | None) -> None:
        """Count a reply that was paid without a reservation: an earlier run asked for it."""
        ...


@dataclass
class _Reservation:
    annotator: str
    estimate: Estimate
    is_held: bool


class Ledger:
    """The accounts of one run, for one event loop."""

    def __init__(self, limits: Limits | None = None, earlier: Tally | None = None) -> None:
        self.limits = limits or Limits()
        self.started_at = time.time()
        self._earlier = earlier or Tally()
        self._tallies: dict[str, Tally] = {}
        self._tickets: dict[int, _Reservation] = {}
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()
        self._released = asyncio.Event()
        self._used_usd = self._earlier.cost_usd
        self._used_tokens = self._earlier.tokens
        self._reserved_usd = 0.0
        self._reserved_tokens = 0

    async def reserve(self, annotator: str, estimate: Estimate, *, wait: bool = True) -> int:
        """See `Accounts`."""
        await self._hold(estimate, wait=wait)
        ticket = next(self._numbers)
        self._tickets[ticket] = _Reservation(annotator, estimate, is_held=True)
        self._add(annotator, Tally(in_flight=1))
        return ticket

    async def lose(self, ticket: int) -> None:
        """See `Accounts`."""
        reservation = self._tickets[ticket]
        taken = reservation.estimate
        self._used_usd += taken.cost_usd or 0.0
        self._used_tokens += taken.tokens
        self._add(reservation.annotator, Tally(lost=1, lost_tokens=taken.tokens, lost_usd=taken.cost_usd or 0.0))
        self._release(reservation)

    async def renew(self, ticket: int) -> None:
        """See `Accounts`."""
        reservation = self._tickets[ticket]
        if not reservation.is_held:
            await self._hold(reservation.estimate, wait=True)
            reservation.is_held = True

    async def settle(self, ticket: int, usage: Usage | None, cost_usd: float | None) -> None:
        """See `Accounts`. A ticket that was settled before is passed over."""
        reservation = self._tickets.pop(ticket, None)
        if reservation is None:
            return
        if usage is None:
            self._add(reservation.annotator, Tally(failed=1))
        else:
            self._use(reservation.annotator, usage, cost_usd)
        self._add(reservation.annotator, Tally(in_flight=-1))
        self._release(reservation)

    async def count_kept(self, annotator: str) -> None:
        """See `Accounts`."""
        self._add(annotator, Tally(kept=1))

    async def record(self, annotator: str, usage: Usage, cost_usd: float | None) -> None:
        """See `Accounts`."""
        self._use(annotator, usage, cost_usd)

    def go_on_from(self, before: Snapshot) -> None:
        """Take over the accounts of another ledger of this run, which has nothing under way any more."""
        spent = before.earlier + before.total
        self._earlier, self._tallies = before.earlier, dict(before.by_annotator)
        self._used_usd = spent.cost_usd + spent.lost_usd
        self._used_tokens = spent.tokens + spent.lost_tokens

    def snapshot(self) -> Snapshot:
        """The state now."""
        held: dict[str, Tally] = dict(self._tallies)
        for reservation in self._tickets.values():
            if reservation.is_held:
                waiting = reservation.estimate
                held[reservation.annotator] += Tally(
                    reserved_tokens=waiting.tokens, reserved_usd=waiting.cost_usd or 0.0
                )
        return Snapshot(self.started_at, self._earlier, held)

    async def _hold(self, estimate: Estimate, *, wait: bool) -> None:
        if estimate.cost_usd is None and self.limits.max_cost_usd is not None:
            raise PriceUnknownError("the cost is limited, and the price of the model is unknown")
        if wait:
            await self._wait_until_fits(estimate)
        if not self._fits(estimate, self._reserved_usd, self._reserved_tokens):
            raise BudgetReachedError(self._reached(estimate))
        self._reserved_usd += estimate.cost_usd or 0.0
        self._reserved_tokens += estimate.tokens

    async def _wait_until_fits(self, estimate: Estimate) -> None:
        """Wait while it would fit if all that is under way took nothing. One waits at a time, the others in line."""
        if not self._turn.locked() and self._fits(estimate, self._reserved_usd, self._reserved_tokens):
            return
        async with self._turn:
            while self._fits(estimate, 0.0, 0) and not self._fits(estimate, self._reserved_usd, self._reserved_tokens):
                self._released.clear()
                await self._released.wait()

    def _release(self, reservation: _Reservation) -> None:
        if not reservation.is_held:
            return
        reservation.is_held = False
        self._reserved_usd -= reservation.estimate.cost_usd or 0.0
        self._reserved_tokens -= reservation.estimate.tokens
        if not self._reserved_tokens:
            self._reserved_usd = 0.0  # no trace of rounding stays
        self._released.set()

    def _fits(self, estimate: Estimate, reserved_usd: float, reserved_tokens: int) -> bool:
        most_usd, most_tokens = self.limits.max_cost_usd, self.limits.max_tokens
        usd = self._used_usd + reserved_usd + (estimate.cost_usd or 0.0)
        tokens = self._used_tokens + reserved_tokens + estimate.tokens
        return (most_usd is None or usd <= most_usd + _ROUNDING_USD) and (most_tokens is None or tokens <= most_tokens)

    def _reached(self, estimate: Estimate) -> str:
        parts = []
        if self.limits.max_cost_usd is not None:
            parts.append(
                f"{self._used_usd:.4f} of {self.limits.max_cost_usd:g} USD spent, "
                f"the next request may take {estimate.cost_usd or 0.0:.4f}"
            )
        if self.limits.max_tokens is not None:
            parts.append(
                f"{self._used_tokens:,} of {self.limits.max_tokens:,} tokens spent, "
                f"the next request may take {estimate.tokens:,}"
            )
        return f"budget reached: {'; '.join(parts)}"

    def _use(self, annotator: str, usage: Usage, cost_usd: float | None) -> None:
        self._used_usd += cost_usd or 0.0
        self._used_tokens += usage.input_tokens + usage.output_tokens
        paid = Tally(
            requests=1, input_tokens=usage.input_tokens, cached_input_tokens=usage.cached_input_tokens,
            output_tokens=usage.output_tokens, reasoning_tokens=usage.reasoning_tokens, cost_usd=cost_usd or 0.0,
            unpriced=1 if cost_usd is None else 0,
        )  # fmt: skip
        self._add(annotator, paid)

    def _add(self, annotator: str, tally: Tally) -> None:
        self._tallies[annotator] = self._tallies.get(annotator, Tally()) + tally
