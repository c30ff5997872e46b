"""The mini-batches of a job, fixed at its first start: `mini_batches.jsonl`, one line each.

Each line has the mini-batch, the place of its items in the order of the whole input, and size and time of change of
each file, so that a resumed job can say what has changed since.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from amlops.local.parallel.codec import from_json, to_json
from amlops.local.parallel.inputs import BatchInput, MiniBatch
from amlops.local.parallel.plan import ParallelPlan, write_private

WORK_LIST = "mini_batches.jsonl"
_NAMED = 3


@dataclass(frozen=True)
class WorkList:
    """What a job has to do.

    Attributes:
        orders: for each mini-batch the place of each of its items in the input, from 0.
        stamps: for each file of the input its size and time of change when the list was made.
    """

    batches: Sequence[MiniBatch]
    orders: Sequence[Sequence[int]]
    stamps: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, batches: Sequence[MiniBatch], orders: Sequence[Sequence[int]] | None = None) -> WorkList:
        """A new list; `orders` where the mini-batches are not the whole input."""
        if orders is None:
            starts, orders = 0, []
            for batch in batches:
                orders.append(range(starts, starts + len(batch.items)))
                starts += len(batch.items)
        files = dict.fromkeys(item for batch in batches for item in batch.items)
        return cls(batches, orders, {file: _stamp(file) for file in files})

    @classmethod
    def load_or_make(cls, plan: ParallelPlan, folder: Path) -> WorkList:
        """The list in the job's folder; made and written where there is none. Raises UserError: nothing to do."""
        file = folder / WORK_LIST
        if file.exists():
            return cls.load(folder)
        made = cls.of(plan.source.mini_batches(plan.settings.mini_batch_size))
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
                    "order": list(order),
                    "stamps": {item: self.stamps[item] for item in batch.items},
                }
            )
            for batch, order in zip(self.batches, self.orders, strict=True)
        )
        write_private(folder / WORK_LIST, "".join(f"{line}\n" for line in lines))

    @property
    def items(self) -> int:
        """How many items there are."""
        return sum(len(batch.items) for batch in self.batches)

    def changes(self, source: BatchInput) -> str:
        """Which files are not what they were, in one line; "" when all are."""
        files = self.stamps
        changed = [source.name(file) for file, stamp in files.items() if _stamp(file) != stamp]
        if not changed:
            return ""
        return f"changed since the job was started first: {_named(changed)}; what was scored before stays"


def _stamp(file: str) -> tuple[int, int]:
    try:
        found = os.stat(file)  # noqa: PTH116 (100,000 files)
    except OSError:
        return (-1, -1)
    return (found.st_size, found.st_mtime_ns)


def _named(names: Iterable[str]) -> str:
    names = list(names)
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
