"""The mini-batches of a job, fixed at its first start: `mini_batches.jsonl`, one line each.

Each line has the mini-batch, the places of its items in the order of the whole input, and size and time of change of
its files, so that a resumed job can say what has changed since.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from amlops.local.parallel.codec import from_json, to_json
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.minibatches import MiniBatch, Piece
from amlops.local.parallel.plan import ParallelPlan, write_private

WORK_LIST = "mini_batches.jsonl"
_NAMED = 3
Spans = Sequence[Sequence[int]]
"""Ascending [first, one after the last]."""


@dataclass(frozen=True)
class WorkList:
    """What a job has to do.

    Attributes:
        orders: for each mini-batch the places of its items in the input, from 0.
        stamps: for each file of the input its size and time of change when the list was made.
    """

    batches: Sequence[MiniBatch]
    orders: Sequence[Spans]
    stamps: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, batches: Sequence[MiniBatch], orders: Sequence[Spans] | None = None) -> WorkList:
        """A new list; `orders` where the mini-batches are not the whole input."""
        if orders is None:
            first, orders = 0, []
            for batch in batches:
                orders.append([[first, first + len(batch.items)]])
                first += len(batch.items)
        files = dict.fromkeys(file for batch in batches for file in batch.sources)
        return cls(batches, orders, {file: _stamp(file) for file in files})

    @classmethod
    def load_or_make(cls, plan: ParallelPlan, folder: Path) -> WorkList:
        """The list in the job's folder; made and written where there is none. Raises UserError: nothing to do."""
        if (folder / WORK_LIST).exists():
            return cls.load(folder)
        settings = plan.settings
        made = cls.of(
            plan.source.mini_batches(
                settings.mini_batch_size, settings.partition_keys, within=settings.first_task_creation_timeout
            )
        )
        made.save(folder)
        return made

    @classmethod
    def load(cls, folder: Path) -> WorkList:
        """The list in a job's folder."""
        batches, orders, stamps = [], [], {}
        with (folder / WORK_LIST).open(encoding="utf-8") as stream:
            for line in stream:
                entry = json.loads(line)
                batches.append(from_json(MiniBatch, entry["batch"]))
                orders.append(entry["order"])
                stamps |= {file: tuple(stamp) for file, stamp in entry["stamps"].items()}
        return cls(batches, orders, stamps)

    def save(self, folder: Path) -> None:
        """Write the list into a job's folder."""
        lines = (
            json.dumps(
                {
                    "batch": to_json(batch),
                    "order": order,
                    "stamps": {file: self.stamps[file] for file in batch.sources},
                }
            )
            for batch, order in zip(self.batches, self.orders, strict=True)
        )
        write_private(folder / WORK_LIST, "".join(f"{line}\n" for line in lines))

    @cached_property  # asked for at each finished mini-batch
    def items(self) -> int:
        """How many items there are."""
        return sum(len(batch.items) for batch in self.batches)

    def places(self, index: int) -> Iterator[int]:
        """The places of a mini-batch's items in the input, from 0."""
        return (place for first, stop in self.orders[index] for place in range(first, stop))

    def changes(self, source: BatchInput) -> str:
        """Which files are not what they were, in one line; "" when all are."""
        changed = [source.name(file) for file, stamp in self.stamps.items() if _stamp(file) != stamp]
        if not changed:
            return ""
        more = len(changed) - _NAMED
        names = ", ".join(changed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"the input has changed since the job's first start: {names}; what was scored before is not scored again"

    def only(self, chosen: Mapping[int, set[str]], size: int | None) -> WorkList:
        """A list with some of the items, each at its old place in the input.

        Args:
            chosen: the items of each mini-batch that are kept, by the mini-batch's index.
            size: a mini-batch gets at most as many files; None keeps them together. Rows stay together.
        """
        batches: list[MiniBatch] = []
        orders: list[Spans] = []
        for index, items in sorted(chosen.items()):
            batch = self.batches[index]
            places = [place for place, item in zip(self.places(index), batch.items, strict=True) if item in items]
            step = size if size and batch.table is None else max(1, len(places))
            kept = [item for item in batch.items if item in items]
            for start in range(0, len(kept), step):
                batches.append(_part_of(batch, len(batches), kept[start : start + step]))
                orders.append(_spans(places[start : start + step]))
        return WorkList.of(batches, orders)


def _part_of(batch: MiniBatch, index: int, items: Sequence[str]) -> MiniBatch:
    if batch.table is None:
        return replace(batch, index=index, files=list(items))
    rows: dict[str, list[int]] = {}
    for item in items:
        path, _, row = item.rpartition("#")
        rows.setdefault(path, []).append(int(row))
    pieces = [_rows_of(piece, rows[piece.path]) for piece in batch.table.pieces if piece.path in rows]
    return replace(batch, index=index, table=replace(batch.table, pieces=pieces))


def _rows_of(piece: Piece, rows: Sequence[int]) -> Piece:
    """The piece with some of its rows; all of it where they are all."""
    mine = [row for row in rows if any(start <= row < stop for start, stop in piece.spans)]
    return piece if len(mine) == piece.count else replace(piece, spans=_spans(mine), offset=-1, length=0)


def _spans(numbers: Sequence[int]) -> list[list[int]]:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number:
            spans[-1][1] += 1
        else:
            spans.append([number, number + 1])
    return spans


def _stamp(file: str) -> tuple[int, int]:
    try:
        found = os.stat(file)  # noqa: PTH116 (100,000 files)
    except OSError:
        return (-1, -1)
    return (found.st_size, found.st_mtime_ns)
