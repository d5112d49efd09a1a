"""The ledger behind Ray counts and refuses as the plain one does."""

import asyncio
import subprocess
import sys

from annotators.endpoint.budget import Accounts, Ledger, Limits, Tally
from annotators.endpoint.chat import BudgetReachedError
from annotators.endpoint.prices import Usage
from annotators.endpoint.tokens import Estimate
from jobs.cli import end_process
from pipeline.ray_runner import _connect
from pipeline.shared_budget import SharedBudget
from tests.product import ROOT

LIMITS, EARLIER = Limits(max_cost_usd=1.0), Tally(requests=3, cost_usd=0.25)
ESTIMATE = Estimate(input_tokens=100, output_tokens=50, cost_usd=0.3)


async def use(accounts: Accounts) -> str:
    """One of everything, and one request too many; returns what that is told."""
    first = await accounts.reserve("qa", ESTIMATE)
    second = await accounts.reserve("caption", ESTIMATE)
    refusal = ""
    try:
        await accounts.reserve("qa", ESTIMATE, wait=False)
    except BudgetReachedError as error:
        refusal = str(error)
    await accounts.settle(first, Usage(input_tokens=90, output_tokens=10), 0.1)
    await accounts.lose(second)
    await accounts.renew(second)
    await accounts.settle(second, None, None)
    await accounts.count_kept("qa")
    await accounts.record("qa", Usage(input_tokens=5, output_tokens=5), 0.05)
    return refusal


async def used_plain() -> str:
    """What is said and counted by a ledger of this process."""
    ledger = Ledger(LIMITS, EARLIER)
    refusal = await use(ledger)
    return f"{refusal} {ledger.snapshot().by_annotator}"


def used_shared() -> str:
    """The same, of a ledger behind Ray."""
    _connect()
    shared = SharedBudget.start(LIMITS, Ledger(LIMITS, EARLIER).snapshot())
    refusal = asyncio.run(use(shared))
    return f"{refusal} {shared.snapshot().by_annotator}"


def test_the_shared_ledger_says_and_counts_what_a_plain_one_does() -> None:
    # In a process of its own: one that was connected to Ray does not always end with its own exit code.
    command = [sys.executable, "-m", "tests.pipeline.test_shared_budget"]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert finished.returncode == 0, finished.stderr
    plain = asyncio.run(used_plain())
    assert "0.2500 of 1 USD" in plain
    assert finished.stdout.strip() == plain


if __name__ == "__main__":
    print(used_shared())
    end_process(0)
