"""The report of a job as a page that opens in any browser: logs/report.html. Nothing is loaded from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from amlops.local.parallel.failures import FailedItem

_FIRST = 10
_STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --bar: #2f6f9f; --bad: #b42318; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --line: #30363d; --soft: #161b22; --bar: #58a6ff; --bad: #ff7b72; --good: #3fb950; }
}
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.status { font-weight: 600; } .Completed { color: var(--good); } .Failed { color: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.cards div { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .75rem; }
.cards b { display: block; font-size: 1.25rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right; }
td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; vertical-align: bottom; }
td.name { max-width: 24rem; overflow: hidden; text-overflow: ellipsis; }
.bar, .bar i { border-radius: 3px; }
.bar { display: inline-block; width: 6rem; height: .6rem; background: var(--line); margin-right: .5rem; }
.bar i { display: block; height: 100%; background: var(--bar); } .bar.bad i { background: var(--bad); }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; }
pre { white-space: pre-wrap; }
.texts th, .texts td { text-align: left; } .texts td:last-child { white-space: normal; min-width: 16rem; }
p.note { max-width: 48rem; } code { overflow-wrap: anywhere; }
"""


def page(name: str, result: Mapping[str, Any], figures: Mapping[str, Any], failed: Sequence[FailedItem] = ()) -> str:
    """The page.

    Args:
        result: what `run_parallel` returns.
        figures: see `figures.figures`.
        failed: the failed items, of which the first are shown.
    """
    status = result["status"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        f"<title>{escape(name)}: {status}</title><style>{_STYLE}</style>",
        f"<h1>{escape(name)}</h1>",
        f'<p class="status {status}">{status}{": " + escape(result["error"]) if result.get("error") else ""}</p>',
        _cards(result),
        *[f"<p class=note>{escape(note)}</p>" for note in result["notes"]],
        *_failed(failed),
        *_advice(figures["advice"]),
        "<h2>Error budgets</h2>",
        _budgets(figures["budgets"]),
        "<h2>How the items were counted</h2>",
        f"<pre>{escape(chr(10).join(figures['arithmetic']))}</pre>",
        *_workers(figures["workers"]),
        *_times(figures["times"]),
        *_slowest(figures["slowest"]),
        *_sizing(figures["sizing"]),
    ]
    text = "\n".join(part for part in parts if part) + "\n"
    # Names of files that are not UTF-8 are shown with escapes, as in the logs.
    return text.encode("utf-8", "backslashreplace").decode()


def duration(seconds: float) -> str:
    """0.83 ms, 12.4 s, 3 min 5 s, 5 min, 2 h 10 min."""
    if seconds < 0.1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _cards(result: Mapping[str, Any]) -> str:
    items, batches = result["items"], result["mini_batches"]
    cards = {
        "items scored": f"{items['succeeded']:,} of {items['total']:,}",
        "items failed": f"{items['failed']:,}",
        "mini-batches": f"{batches['total']:,}",
        "workers": result["workers"] or "this process",
        "time": duration(result["seconds"]["total"]),
        "items per second": f"{result['items_per_second']:,}",
        **({"starts": result["starts"]} if result["starts"] > 1 else {}),
    }
    return f"<div class=cards>{''.join(f'<div>{label}<b>{value}</b></div>' for label, value in cards.items())}</div>"


def _failed(failed: Sequence[FailedItem]) -> list[str]:
    if not failed:
        return []
    rows = [
        [escape(row.item or "(which one is not known)"), escape(row.error_type), str(row.attempt), escape(row.message)]
        for row in failed[:_FIRST]
    ]
    more = f"The first {_FIRST} of {len(failed):,}; all" if len(failed) > _FIRST else "They"
    # An item that run() left out has no traceback; where there is none at all, there is no such file.
    raised = any(row.traceback_hash for row in failed)
    tracebacks = ", tracebacks in <a href=user/error.txt>user/error.txt</a>" if raised else ""
    note = f"<p class=note>{more} are in <a href=failed_items.csv>failed_items.csv</a>{tracebacks}.</p>"
    table = _table(["item", "error", "attempt", "message"], rows).replace("<table>", "<table class=texts>", 1)
    return ["<h2>Failed items</h2>", note, table]


def _advice(advice: Mapping[str, Any] | None) -> list[str]:
    if advice is None:
        return []
    size = advice["mini_batch_size"]
    keys = [f"mini_batch_size: {size}"] if size is not None else []
    text = "\n".join([*keys, "retry_settings:", f"  timeout: {advice['timeout']}"])
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in advice["reasons"])
    return ["<h2>Suggested settings</h2>", f"<pre>{text}</pre>", f"<ul>{reasons}</ul>"]


def _budgets(budgets: Sequence[Mapping[str, Any]]) -> str:
    rows: list[Sequence[str]] = []
    for budget in budgets:
        limit, used = budget["limit"], budget["used"]
        share = None if limit is None else used / limit if limit else float(used > 0)
        over = limit is not None and used > limit
        text = "no limit" if limit is None else f"{used:g} of {limit:g}"
        rows.append([budget["name"], budget["unit"], f"{used:g}", _bar(share, bad=over) + text])
    return _table(["budget", "counts", "used", "share"], rows)


def _workers(workers: Sequence[Mapping[str, Any]]) -> list[str]:
    if not workers:
        return []
    several = workers[-1]["start"] > 1
    rows = [
        [
            (f"start {each['start']}: " if several else "") + escape(each["worker"]),
            f"{each['mini_batches']:,}",
            f"{each['items']:,}",
            f"{each['items_per_second']:,.4g}",
            f"{_bar(each['busy'])}{each['busy']:.0%}",
            duration(each["ready_after"]),
        ]
        for each in workers
    ]
    header = ["worker", "mini-batches", "items", "items per second", "busy in run()", "ready after"]
    return ["<h2>Workers</h2>", _table(header, rows)]


def _times(times: Mapping[str, float] | None) -> list[str]:
    if times is None:
        return []
    names = {
        "mini_batch_median": "run() for one mini-batch, median",
        "mini_batch_p99": "the same, 99th percentile",
        "mini_batch_longest": "the same, longest",
        "item_mean": "one item, mean",
        "call_fixed": "one call of run() beside its items",
        "overhead_per_mini_batch": "one mini-batch outside run(), median",
        "worker_ready_after": "a worker until it is ready: process, import, init()",
    }
    return ["<h2>Times</h2>", _table(["what", "time"], [[name, duration(times[key])] for key, name in names.items()])]


def _slowest(slowest: Sequence[Mapping[str, Any]]) -> list[str]:
    if not slowest:
        return []
    rows = [
        [
            escape(each["first_item"]),
            f"{each['items']:,}",
            duration(each["seconds_per_item"]),
            duration(each["seconds"]),
            str(each["attempts"]),
            str(each["mini_batch"]),
        ]
        for each in slowest
    ]
    header = ["first item", "items", "time per item", "time in run()", "attempts", "mini-batch"]
    return [
        "<h2>Slowest items</h2>",
        "<p class=note>Known per mini-batch: with <code>mini_batch_size: 1</code> each item has a time of its own.</p>",
        _table(header, rows),
    ]


def _sizing(sizing: Mapping[str, Any] | None) -> list[str]:
    if sizing is None:
        return []
    costs, here = sizing["costs"], sizing["this_job"]
    rows = [
        [
            f"{each['nodes']} × {each['workers']}",
            str(each["nodes"] * each["workers"]),
            duration(each["seconds"]),
            f"{each['busy']:.0%}",
            duration(each["seconds_suggested"]),
            f"{each['busy_suggested']:.0%}",
            duration(each["cold_seconds"]),
            f"{each['cold_node_minutes']:.1f}",
            f"{each['cold_core_minutes']:.1f}",
        ]
        for each in sizing["rows"]
    ]
    header = ["nodes × workers", "workers", "time", "busy", "time, suggested size", "busy"]
    cold = duration(sizing["cold_node_seconds"])
    header += [f"and {cold} for cold nodes", "node minutes", "core minutes"]
    note = (
        f"Simulated from the measured times: a worker is ready after {duration(costs['worker'])}, a mini-batch costs "
        f"{duration(costs['mini_batch'])} beside run(), and a worker is as fast as here on a core of its own. The same "
        f"simulation of this job with its {here['workers']} worker(s) gives {duration(here['simulated_seconds'])}. "
        "As many workers take as long on few large nodes as on many small ones, and use as many core minutes; what "
        "differs is the memory of a node, and what is lost with one."
    )
    return ["<h2>The same job on other nodes</h2>", f"<p class=note>{note}</p>", _table(header, rows)]


def _bar(share: float | None, *, bad: bool = False) -> str:
    if share is None:
        return ""
    return f'<span class="bar{" bad" if bad else ""}"><i style="width:{min(1.0, share):.0%}"></i></span>'


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{each}</th>" for each in header)
    body = "".join("<tr>" + "".join(f"<td{_name(place)}>{cell}</td>" for place, cell in enumerate(row)) for row in rows)
    return f"<div class=wide><table><tr>{head}</tr>{body}</table></div>"


def _name(place: int) -> str:
    return "" if place else " class=name"
