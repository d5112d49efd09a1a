"""`reelproof run --dry-run`: what asking would take, as a table.

Here: showing it. Not here: counting it (`pipeline.forecast`).
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table

from annotators.endpoint.prices import prices_as_of, tariff
from jobs.tables import print_table
from pipeline.forecast import Forecast, forecast
from pipeline.grid import Run
from schemas.asking import EndpointConfig


def print_forecast(run: Run, console: Console) -> None:
    """Print requests, tokens and money of each annotator and judge that would ask a model."""
    found = list(forecast(run))
    if not found:
        console.print("nobody in this recipe asks a model: nothing would be sent", highlight=False)
        return
    print_table(_table(found))
    for line in _notes(run, found):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _table(found: Sequence[Forecast]) -> Table:
    names = ("asks about", "requests", "kept", "pictures", "tokens in", "out", "USD", "at most")
    figures = (Column(name, justify="right", no_wrap=True) for name in names)
    table = Table(Column("who asks", no_wrap=True), *figures, box=None, padding=(0, 1))
    for one in found:
        about = f"{'≈ ' if one.is_made_up else ''}{one.units:,} {one.unit}{'' if one.units == 1 else 's'}"
        counts = (one.requests, one.kept, one.pictures, one.input_tokens, one.likely_output_tokens)
        table.add_row(
            one.annotator, about, *(f"{count:,}" for count in counts), _usd(one.likely_usd), _usd(one.most_usd)
        )
    if len(found) > 1:
        counted = ("requests", "kept", "pictures", "input_tokens", "likely_output_tokens")
        totals = (f"{sum(getattr(one, name) for one in found):,}" for name in counted)
        money = (_usd(_sum([getattr(one, name) for one in found])) for name in ("likely_usd", "most_usd"))
        table.add_row("together", "", *totals, *money)
    return table


def _notes(run: Run, found: Sequence[Forecast]) -> list[str]:
    lines = [
        "nothing was sent; repairs of answers are not counted",
        "out, USD: likely; at most: were every answer as long as it may be",
    ]
    if any(one.is_made_up for one in found):
        lines.append("≈ goes on from labels that are not there yet: counted as many as the settings ask for")
    asked = {name for step in run.config.asking() for name in run.config.asked_by(step)}
    return lines + [_price_note(name, run.config.endpoints[name]) for name in sorted(asked)]


def _price_note(name: str, endpoint: EndpointConfig) -> str:
    prices, day = tariff(endpoint), prices_as_of(endpoint.model)
    if not prices.is_known:
        setting = f"endpoints.{name}.input_usd_per_million and output_usd_per_million"
        return f"{endpoint.model}: no price is known; set {setting}. Pictures: {prices.pictures.words}"
    since = f", as of {day}" if day and endpoint.input_usd_per_million is None and prices.input else ""
    told = f"${prices.input:g} in, ${prices.output:g} out per million tokens{since}"
    return f"{endpoint.model}: {told}. Pictures: {prices.pictures.words}"


def _sum(figures: Sequence[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None


def _usd(figure: float | None) -> str:
    return "unknown" if figure is None else f"{figure:.4f}" if figure < 1 else f"{figure:,.2f}"
