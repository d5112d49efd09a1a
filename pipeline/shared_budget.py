"""One ledger for all processes of a run: a Ray actor, and what the others reach it by.

Here: `SharedBudget`. Not here: what is counted and refused (`annotators.endpoint.budget`).
"""

import asyncio
from typing import Any

import ray
from ray.exceptions import RayTaskError

from annotators.endpoint.budget import Accounts, Ledger, Limits, Snapshot
from annotators.endpoint.chat import AskingError
from annotators.endpoint.prices import Usage
from annotators.endpoint.tokens import Estimate


class SharedBudget(Accounts):
    """The accounts of a run, from any of its processes."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    @classmethod
    def start(cls, limits: Limits, before: Snapshot) -> "SharedBudget":
        """Start the actor: a ledger that goes on from what is spent, whose methods run in one event loop.

        Ray must be connected.
        """
        actor: Any = ray.remote(num_cpus=0)(Ledger).remote(limits)
        ray.get(actor.go_on_from.remote(before))
        return cls(actor)

    async def reserve(self, annotator: str, estimate: Estimate, *, wait: bool = True) -> int:
        """See `Accounts`."""
        return int(await _answer(self._actor.reserve.remote(annotator, estimate, wait=wait)))

    async def lose(self, ticket: int) -> None:
        """See `Accounts`."""
        await _answer(self._actor.lose.remote(ticket))

    async def renew(self, ticket: int) -> None:
        """See `Accounts`."""
        await _answer(self._actor.renew.remote(ticket))

    async def settle(self, ticket: int, usage: Usage | None, cost_usd: float | None) -> None:
        """See `Accounts`."""
        await _answer(self._actor.settle.remote(ticket, usage, cost_usd))

    async def count_kept(self, annotator: str) -> None:
        """See `Accounts`."""
        await _answer(self._actor.count_kept.remote(annotator))

    async def record(self, annotator: str, usage: Usage, cost_usd: float | None) -> None:
        """See `Accounts`."""
        await _answer(self._actor.record.remote(annotator, usage, cost_usd))

    def snapshot(self) -> Snapshot:
        """The state now."""
        found: Snapshot = ray.get(self._actor.snapshot.remote())
        return found


async def _answer(reference: Any) -> Any:
    """What the actor answers; what it raises of ours comes as it was raised there."""
    try:
        return await asyncio.wrap_future(reference.future())
    except RayTaskError as error:
        if isinstance(error.cause, AskingError):
            raise error.cause from error
        raise
