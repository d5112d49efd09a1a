"""The local runner: every step, every row, one cell after the other. Read this first.

The Ray runner (`pipeline.ray_runner`) must leave the same cells.
"""

from pipeline.grid import Run, StepWorker, Watcher, up_to


def run_local(run: Run, until: str | None, watch: Watcher) -> None:
    """Fill the grid, column by column, up to the step `until`."""
    for step in up_to(run.steps, until):
        rows = run.rows(step)
        watch.starts(step, len(rows))
        if rows:
            worker = StepWorker(run, step)
            try:
                with worker.telling(watch):
                    for row in rows:
                        watch.done(step.name, row, worker.ensure(row))
            finally:
                worker.close()
        if step.after:
            step.after(run)
