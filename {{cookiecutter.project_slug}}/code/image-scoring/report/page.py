"""The page as HTML. Everything that comes from outside (file names, labels, reasons, tags) is escaped here."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from image_scoring.images import ImageError, read_gray
from image_scoring.predictions import Prediction

from .results import Results

LABELS_IN_MATRIX = 40
IMAGES_SHOWN = 24
FAILED_SHOWN = 50
IMAGE_SIDE = 96
"""Longest side in pixels of an embedded image; small ones stay as they are and the browser enlarges them."""


def render(results: Results) -> str:
    """The whole page."""
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    facts = results.facts
    cards = [_steps_card(facts.get("steps", ())), _model_card(facts), _parameters_card(facts)]
    return template.substitute(
        title=escape(_title(facts)),
        subtitle=escape(_subtitle(results)),
        tiles=_tiles(results),
        matrix=_matrix(results),
        labels=_labels_card(results),
        wrong=_wrong(results),
        right=_images(results, results.examples_right()[:IMAGES_SHOWN]),
        failed=_failed(results.failed),
        cards="\n".join(card for card in cards if card),
    )


def percent(share: float) -> str:
    """A share with one decimal, rounded down so that 100.0 % means all; the space does not break."""
    return f"{int(share * 1000 + 1e-9) / 10:.1f}\N{NO-BREAK SPACE}%"


def _title(facts: Mapping[str, Any]) -> str:
    model = facts.get("model")
    return f"Image scoring: {model['name']} version {model['version']}" if model else "Image scoring"


def _subtitle(results: Results) -> str:
    parts = [f"{results.comparison.compared:,} labelled images scored"]
    if "created" in results.facts:
        parts.append(str(results.facts["created"]))
    return " · ".join(parts)


def _tiles(results: Results) -> str:
    comparison = results.comparison
    tiles = [
        _tile(percent(comparison.accuracy), f"right: {len(comparison.right):,} of {comparison.compared:,}", "first")
    ]
    scoring = results.facts.get("scoring", {})
    if "images_per_second_and_core" in scoring:
        text = "images per second and core, decoding included"
        tiles.append(_tile(f"{scoring['images_per_second_and_core']:,.0f}", text))
    test = results.facts.get("test", {})
    if "accuracy" in test:
        tiles.append(_tile(percent(test["accuracy"]), f"test accuracy, on {test['images']:,} other images"))
    tiles.append(_tile(f"{len(results.failed):,}", "failed items", "bad" if results.failed else ""))
    return f'<div class="tiles">\n{"".join(tiles)}</div>'


def _tile(number: str, text: str, kind: str = "") -> str:
    bad = " bad" if kind == "bad" else ""
    first = " first" if kind == "first" else ""
    return (
        f'<div class="card{first}"><div class="number{bad}">{escape(number)}</div>'
        f'<div class="soft">{escape(text)}</div></div>\n'
    )


def _matrix(results: Results) -> str:
    labels = results.all_labels()
    if len(labels) > LABELS_IN_MATRIX:
        return _most_confused(results)
    counts = results.confusion()
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    rows = []
    for true in labels:
        total = sum(counts[true].values())
        cells = "".join(_cell(counts[true][label], total, hit=label == true) for label in labels)
        rows.append(f'<tr><th scope="row">{escape(true)}</th>{cells}</tr>')
    table = f'<table class="matrix"><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return f'<div class="scroll">{table}</div>'


def _cell(count: int, total: int, *, hit: bool) -> str:
    """A cell whose colour says how much of its row lies in it. A mistake is never too pale to be seen."""
    if not count:
        return '<td class="none">·</td>'
    share = count / total
    strength = share if hit else min(1.0, 0.25 + 1.5 * share)
    classes = " ".join(name for name, on in (("hit", hit), ("strong", strength > 0.6)) if on)
    colour = "--right" if hit else "--wrong"
    return f'<td class="{classes}" style="background: rgba(var({colour}), {strength:.2f})">{count:,}</td>'


def _most_confused(results: Results) -> str:
    pairs = sorted(
        (
            (count, true, label)
            for true, row in results.confusion().items()
            for label, count in row.items()
            if label != true
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    if not pairs:
        return "<p>No label was taken for another.</p>"
    rows = [(f"{true} taken for {label}", f"{count:,}") for count, true, label in pairs[:LABELS_IN_MATRIX]]
    return f'<p class="soft">Too many labels for a table; the most frequent mistakes:</p>{_list(rows)}'


def _wrong(results: Results) -> str:
    wrong = results.examples_wrong()
    if not wrong:
        return "<p>None.</p>"
    shown = wrong[:IMAGES_SHOWN]
    said = f"{len(shown):,} of {len(wrong):,}" if len(shown) < len(wrong) else f"All {len(wrong):,}"
    note = f'<p class="soft">{said}; first those of which the model was surest.</p>'
    return note + _images(results, shown)


def _images(results: Results, rows: Sequence[Prediction]) -> str:
    return f'<div class="images">{"".join(_figure(results, row) for row in rows)}</div>'


def _figure(results: Results, row: Prediction) -> str:
    true = results.labels[row.file]
    right = row.label == true
    verdict = escape(row.label) if right else f'<b class="bad">{escape(row.label)}</b>, is <b>{escape(true)}</b>'
    text = f"{escape(row.file)}: true label {escape(true)}, given {escape(row.label)}"
    return (
        f'<figure><img src="{_data_uri(results.images / row.file)}" alt="{text}">'
        f"<figcaption>{verdict}<small>{percent(row.probability)} sure<br>{escape(row.file)}</small></figcaption>"
        "</figure>"
    )


def _data_uri(path: Path) -> str:
    """The image as the model saw it, in grey, or nothing where it cannot be read any more."""
    try:
        image = read_gray(path)
    except ImageError:
        return "data:,"
    image.thumbnail((IMAGE_SIDE, IMAGE_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _failed(failed: Mapping[str, str]) -> str:
    if not failed:
        return ""
    rows = sorted(failed.items())[:FAILED_SHOWN]
    more = f'<p class="soft">and {len(failed) - len(rows):,} more</p>' if len(rows) < len(failed) else ""
    return f'<section class="card"><h2>Failed items</h2>{_list(rows)}{more}</section>'


def _labels_card(results: Results) -> str:
    counts = results.confusion()
    given: dict[str, int] = {}
    for row in counts.values():
        for label, count in row.items():
            given[label] = given.get(label, 0) + count
    rows = []
    for label in results.all_labels():
        true, hits, predicted = sum(counts[label].values()), counts[label][label], given.get(label, 0)
        recall = percent(hits / true) if true else "-"
        precision = percent(hits / predicted) if predicted else "-"
        cells = "".join(f'<td class="figure">{text}</td>' for text in (f"{true:,}", recall, precision))
        rows.append(f"<tr><td>{escape(label)}</td>{cells}</tr>")
    names = "".join(f'<th class="figure">{name}</th>' for name in ("images", "recall", "precision"))
    table = f'<table class="list"><tr><th>label</th>{names}</tr>{"".join(rows)}</table>'
    return _card("Per label", f'<div class="scroll">{table}</div>')


def _steps_card(steps: Sequence[Mapping[str, Any]]) -> str:
    if not steps:
        return ""
    longest = max(step["seconds"] for step in steps) or 1.0
    rows = "".join(
        f'<tr><td>{escape(step["name"])}<div class="track">'
        f'<div class="bar" style="width: {100 * step["seconds"] / longest:.0f}%"></div></div></td>'
        f'<td class="figure">{step["seconds"]:.1f} s</td></tr>'
        for step in steps
    )
    total = sum(step["seconds"] for step in steps)
    last = f'<tr><th>all</th><th class="figure">{total:.1f} s</th></tr>'
    return _card("Time per step", f'<table class="list">{rows}{last}</table>')


def _model_card(facts: Mapping[str, Any]) -> str:
    model = facts.get("model")
    if not model:
        return ""
    rows = [("name", model["name"]), ("version", model["version"]), *model.get("tags", {}).items()]
    return _card("Model", _list([(str(name), str(value)) for name, value in rows]))


def _parameters_card(facts: Mapping[str, Any]) -> str:
    rows = [(str(name), str(value)) for name, value in facts.get("parameters", {}).items()]
    scoring = facts.get("scoring", {})
    for name, label in (("workers", "worker processes"), ("seconds", "seconds for scoring, start included")):
        if name in scoring:
            rows.append((label, str(scoring[name])))
    rows += [(str(name), str(value)) for name, value in facts.get("files", {}).items()]
    return _card("Parameters and files", _list(rows)) if rows else ""


def _card(title: str, content: str) -> str:
    return f'<section class="card"><h2>{escape(title)}</h2>{content}</section>'


def _list(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{escape(name)}</td><td><code>{escape(value)}</code></td></tr>" for name, value in rows)
    return f'<table class="list">{cells}</table>'
