"""One ledger for all processes of a run: a Ray actor that holds it, and what the others reach it by.

Here: `LedgerActor` and `SharedBudget`. Not here: what is counted and refused (`annotators.budget`).
"""

import asyncio
from typing import Any

import ray
from ray.exceptions import RayTaskError

from annotators.budget import Ledger, Limits, Snapshot, Tally
from annotators.chat import BudgetReachedError
from annotators.prices import Usage
from annotators.tokens import Estimate


class LedgerActor:
    """A ledger behind Ray: its methods run in one event loop, as `Ledger` wants it."""

    def __init__(self, limits: Limits, earlier: Tally) -> None:
        self._ledger = Ledger(limits, earlier)

    async def reserve(self, annotator: str, estimate: Estimate, *, wait: bool) -> int:
        """See `annotators.budget.Accounts`."""
        return await self._ledger.reserve(annotator, estimate, wait=wait)

    async def renew(self, ticket: int) -> None:
        """See `annotators.budget.Accounts`."""
        await self._ledger.renew(ticket)

    async def settle(self, ticket: int, usage: Usage | None, cost_usd: float | None) -> None:
        """See `annotators.budget.Accounts`."""
        await self._ledger.settle(ticket, usage, cost_usd)

    async def count_kept(self, annotator: str) -> None:
        """See `annotators.budget.Accounts`."""
        await self._ledger.count_kept(annotator)

    async def snapshot(self) -> Snapshot:
        """The state now."""
        return self._ledger.snapshot()


class SharedBudget:
    """The accounts of a run, from any of its processes."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    @classmethod
    def start(cls, limits: Limits, earlier: Tally) -> "SharedBudget":
        """Start the actor. Ray must be connected."""
        made = ray.remote(num_cpus=0)(LedgerActor).remote(limits, earlier)
        return cls(made)

    async def reserve(self, annotator: str, estimate: Estimate, *, wait: bool = True) -> int:
        """See `annotators.budget.Accounts`."""
        return int(await _answer(self._actor.reserve.remote(annotator, estimate, wait=wait)))

    async def renew(self, ticket: int) -> None:
        """See `annotators.budget.Accounts`."""
        await _answer(self._actor.renew.remote(ticket))

    async def settle(self, ticket: int, usage: Usage | None, cost_usd: float | None) -> None:
        """See `annotators.budget.Accounts`."""
        await _answer(self._actor.settle.remote(ticket, usage, cost_usd))

    async def count_kept(self, annotator: str) -> None:
        """See `annotators.budget.Accounts`."""
        await _answer(self._actor.count_kept.remote(annotator))

    def snapshot(self) -> Snapshot:
        """The state now."""
        found: Snapshot = ray.get(self._actor.snapshot.remote())
        return found


async def _answer(reference: Any) -> Any:
    """What the actor answers; what it raises of ours comes as it was raised there."""
    try:
        return await asyncio.wrap_future(reference.future())
    except RayTaskError as error:
        if isinstance(error.cause, BudgetReachedError):
            raise error.cause from error
        raise
