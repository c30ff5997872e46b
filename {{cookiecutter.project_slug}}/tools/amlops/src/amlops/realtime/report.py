"""The page of a stress test: opens in any browser, loads nothing from anywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --bad: #b42318; --good: #1a7f37;
  --p50: #2f6f9f; --p95: #9a6700; --p99: #8250df; }
@media (prefers-color-scheme: dark) { :root { --line: #30363d; --soft: #161b22; --bad: #ff7b72; --good: #3fb950;
  --p50: #58a6ff; --p95: #d29922; --p99: #bc8cff; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } .verdict { font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right; }
th:last-child, td:last-child { text-align: left; } .no { color: var(--bad); } .yes { color: var(--good); }
svg { width: 100%; height: auto; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; } svg .grid { stroke: var(--line); }
svg .bound { stroke: var(--bad); stroke-dasharray: 4 4; }
.p50 { stroke: var(--p50); fill: var(--p50); } .p95 { stroke: var(--p95); fill: var(--p95); }
.p99 { stroke: var(--p99); fill: var(--p99); } svg polyline { fill: none; stroke-width: 2; }
svg text.p50, svg text.p95, svg text.p99 { stroke: none; }
"""
_LINES = ("p50", "p95", "p99")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 320, 64, 56, 16, 36


def page(result: Mapping[str, Any]) -> str:
    """The page of what `amlops online-deployment stress` prints."""
    title = f"Stress test of {result['deployment_name']} ({result['endpoint_name']}, {result['environment']})"
    held, knee = result["highest_rate_held"], result["knee"]
    verdict = "No rate held" if held is None else f"{held:g} requests per second held"
    verdict += f"; {knee:g} did not" if knee is not None else "; the knee was not reached"
    prod = result.get("prod")
    settings = (
        f"{result['started_at']}, {result['duration']:g} s for each rate after {result['warm_up']:g} s that do not "
        f"count; {result['requests']} different request(s) in turn."
    )
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>",
        f"<p class=verdict>{escape(verdict)}.</p><p>{escape(result['rule'])}</p><p>{escape(settings)}</p>",
        f"<p>{escape(prod['statement'])}</p>" if prod else "",
        _chart(result["rates"], result["max_p99_ms"]),
        _table(result["rates"]),
        "<p>Latency is counted from the moment a request was scheduled for, so that waiting is in it. The generator "
        "says itself when it could not keep a rate; such a rate is not judged.</p>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    header = ("rate", "sent", "answered/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "errors", "held")
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(row))}</tr>\n" for row in rows)
    head = "".join(f"<th>{name}</th>" for name in header)
    return f"<div class=wide><table><tr>{head}</tr>\n{body}</table></div>"


def _cells(row: Mapping[str, Any]) -> list[str]:
    times = ["" if row[f"{key}_ms"] is None else f"{row[f'{key}_ms']:.4g}" for key in (*_LINES, "max")]
    errors = ", ".join(f"{number} × {kind}" for kind, number in row["errors"].items())
    word, kind = {True: ("yes", "yes"), False: ("no", "no"), None: ("not known", "no")}[row["held"]]
    reason = f": {row['reason']}" if row["reason"] else ""
    held = f"<span class={kind}>{word}</span>{escape(reason)}"
    return [f"{row['rate']:g}", str(row["sent"]), f"{row['achieved_rate']:.4g}", *times, escape(errors), held]


def _chart(rows: Sequence[Mapping[str, Any]], bound: float) -> str:
    """p50, p95 and p99 over the rate; milliseconds on a logarithmic scale."""
    known = [row for row in rows if row["p50_ms"] is not None]
    if len(known) < 2:
        return ""
    values = [row[f"{key}_ms"] for row in known for key in _LINES] + [bound]
    low, high = math.floor(math.log10(max(min(values), 0.01))), math.ceil(math.log10(max(values)))
    most = max(row["rate"] for row in known)

    def x(rate: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * rate / most

    def y(milliseconds: float) -> float:
        share = (math.log10(max(milliseconds, 0.01)) - low) / max(high - low, 1)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role=img aria-label="Latency by rate">']
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line class=grid x1={_LEFT} x2={_WIDTH - _RIGHT} y1="{at:.1f}" y2="{at:.1f}" />')
        parts.append(f'<text x={_LEFT - 8} y="{at + 4:.1f}" text-anchor=end>{10.0**power:g} ms</text>')
    for row in known:
        at = f"{x(row['rate']):.1f}"
        parts.append(f'<text x="{at}" y={_HEIGHT - 12} text-anchor=middle>{row["rate"]:g}/s</text>')
    parts.append(f'<line class=bound x1={_LEFT} x2={_WIDTH - _RIGHT} y1="{y(bound):.1f}" y2="{y(bound):.1f}" />')
    for key in _LINES:
        points = [(x(row["rate"]), y(row[f"{key}_ms"])) for row in known]
        path = " ".join(f"{left:.1f},{top:.1f}" for left, top in points)
        parts.append(f'<polyline class={key} points="{path}" />')
        parts += [f'<circle class={key} cx="{left:.1f}" cy="{top:.1f}" r=3 />' for left, top in points]
        left, top = points[-1]
        parts.append(f'<text class={key} x="{left + 8:.1f}" y="{top + 4:.1f}">{key}</text>')
    return "\n".join([*parts, "</svg>"])
