"""Tables on standard output, in which no figure is ever cut off.

Here: `print_table`. Not here: what stands in them (`jobs.status`, `jobs.dry_run`).
"""

import sys

from rich.console import Console
from rich.table import Table

_WIDEST = 500
"""Characters that a table may take at most: more than any needs. Ours."""


def print_table(table: Table) -> None:
    """Print a table in the width that it needs: a pipe has no width, and a terminal that is narrower wraps the lines.

    A table that has to fit ends its names and numbers in `…`.
    """
    console = Console(file=sys.stdout)
    needed = console.measure(table, options=console.options.update(max_width=_WIDEST)).maximum
    Console(file=sys.stdout, width=max(console.width, needed)).print(table)
