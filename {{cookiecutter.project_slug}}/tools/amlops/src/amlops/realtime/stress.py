"""Stress test: rates that rise until the deployment no longer holds, the knee."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from amlops.errors import UserError
from amlops.realtime.figures import LoadFigures
from amlops.realtime.load import Plan, check_rate, measure
from amlops.workspace.online import ScoringTarget

# Of the asked rate so many must be answered well, in per cent.
LEAST_ACHIEVED = 95
# Rates that `--start` and `--step` try at most.
_MOST_RATES = 50
# What is planned for is this part of what held: one instance may be down, load comes in waves.
PLANNED_SHARE = 0.7
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Rule:
    """When a rate holds: all three bounds are kept; see `sentence`."""

    max_p99_ms: float
    max_error_rate: float

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return (
            f"A rate holds when 99 of 100 requests are answered within {self.max_p99_ms:g} ms of the moment they were "
            f"scheduled for, at most {self.max_error_rate:g} % fail, and at least {LEAST_ACHIEVED} % of the rate is "
            "answered. The knee is the first rate that does not hold."
        )

    def fault(self, figures: LoadFigures) -> str | None:
        """Why a rate does not hold; None when it does."""
        if figures.error_rate > self.max_error_rate:
            worst = max(figures.errors, key=lambda kind: figures.errors[kind])
            return f"{figures.error_rate:.3g} % errors, most of them {worst}; the bound is {self.max_error_rate:g} %"
        if figures.p99_ms is None or figures.p99_ms > self.max_p99_ms:
            p99 = "none was answered" if figures.p99_ms is None else f"p99 is {figures.p99_ms:.4g} ms"
            return f"{p99}; the bound is {self.max_p99_ms:g} ms"
        if figures.achieved_rate < LEAST_ACHIEVED / 100 * figures.asked_rate:
            return f"{figures.achieved_rate:.4g} of {figures.asked_rate:g} requests per second were answered"
        return None


def judged(figures: LoadFigures, rule: Rule) -> dict[str, Any]:
    """The figures with `held` and `reason`; held is None when the generator itself was too slow to tell."""
    reason = rule.fault(figures)
    held: bool | None = reason is None
    if reason is not None and not figures.generator_kept_rate:
        late = f"the load generator could not keep the rate ({figures.generator_late_ms:.3g} ms late)"
        held, reason = None, f"{late}: {reason}"
    return {"rate": figures.asked_rate, "held": held, "reason": reason, **figures.record()}


def stress(
    target: ScoringTarget,
    payloads: Sequence[bytes],
    rates: Iterator[float] | Sequence[float],
    rule: Rule,
    *,
    duration: float,
    warm_up: float,
    until_knee: bool,
    tell: Tell,
) -> dict[str, Any]:
    """Measure one rate after the other.

    Args:
        duration: seconds each is measured.
        warm_up: seconds of load before that do not count.
        until_knee: stop at the first rate that does not hold.
        tell: gets a line for each rate.

    Returns:
        `rates`: the figures of each. `highest_rate_held`: the highest below the knee; null when none held. `knee`: the
        first that did not hold; null when all did. `rule`: in words.

    Raises:
        UserError: a rate is not above 0, or aiohttp is missing.
    """
    rows: list[dict[str, Any]] = []
    for rate in rates:
        plan = Plan.lasting(rate, duration, warm_up, timeout=max(10.0, 4 * rule.max_p99_ms / 1000))
        rows.append(judged(measure(target, payloads, plan), rule))
        tell(line(rows[-1]))
        if rows[-1]["held"] is None or (until_knee and not rows[-1]["held"]):
            break
    below = list(itertools.takewhile(lambda row: row["held"], rows))
    knee = next((row["rate"] for row in rows if row["held"] is False), None)
    highest = below[-1]["rate"] if below else None
    return {"rule": rule.sentence, "highest_rate_held": highest, "knee": knee, "rates": rows}


def line(row: dict[str, Any]) -> str:
    """A rate's figures in one line."""
    percentiles = "  ".join(f"{key[:3]} {_ms(row[key])}" for key in ("p50_ms", "p95_ms", "p99_ms"))
    word = {True: "held", False: "did not hold", None: "not known"}[row["held"]]
    reason = f": {row['reason']}" if row["reason"] else ""
    return f"{row['rate']:g}/s  {percentiles}  errors {row['error_rate']:.3g} %  {word}{reason}"


def read_rates(rates: str | None, start: float | None, step: float | None, *, until_knee: bool) -> Iterator[float]:
    """The rates of `--rates`, or of `--start` and `--step`. Raises UserError."""
    if (rates is None) == (start is None) or (start is None) != (step is None):
        raise UserError("--rates: give them, or --start and --step; for example --rates 50,100,200")
    if rates is None:
        assert start is not None and step is not None  # noqa: S101 (for the types)
        check_rate(start, "--start")
        check_rate(step, "--step")
        if not until_knee:
            raise UserError("--start: goes with --until-knee, or there is no end; or give --rates 50,100,200")
        return (start + number * step for number in range(_MOST_RATES))
    try:
        found = [float(word) for word in rates.replace(" ", ",").split(",") if word]
    except ValueError:
        found = []
    if not found or sorted(set(found)) != found:
        raise UserError(f"--rates: '{rates}' must be rising numbers; for example --rates 50,100,200")
    for rate in found:
        check_rate(rate, "--rates")
    return iter(found)


def scaled(held: float | None, nodes: int, prod_nodes: int | None, prod_rate: float | None) -> dict[str, Any] | None:
    """What prod would hold, or needs, if the rate grows with the instances; None when nothing held.

    Args:
        held: requests per second that `nodes` instances held.
        prod_nodes: instances in prod.
        prod_rate: requests per second in prod.
    """
    if held is None:
        return None
    each = held / nodes
    result: dict[str, Any] = {"instances_tested": nodes, "rate_per_instance": round(each, 3)}
    said = [f"{nodes} instance(s) held {held:g}/s, {each:.4g}/s each."]
    if prod_nodes is not None:
        whole, planned = each * prod_nodes, PLANNED_SHARE * each * prod_nodes
        result |= {"prod_nodes": prod_nodes, "prod_rate_held": round(whole, 3), "prod_rate_planned": round(planned, 3)}
        said.append(f"{prod_nodes} in prod would hold {whole:.4g}/s; plan with {planned:.4g}/s.")
    if prod_rate is not None:
        needed = max(1, math.ceil(prod_rate / (PLANNED_SHARE * each)))
        result |= {"prod_rate_asked": prod_rate, "prod_nodes_needed": needed}
        said.append(f"{prod_rate:g}/s in prod need {needed} instance(s).")
    said.append(
        f"This takes the same instance type for granted and nothing that the instances share; planned is "
        f"{PLANNED_SHARE:.0%} of what held."
    )
    return {**result, "statement": " ".join(said)}


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g} ms"
