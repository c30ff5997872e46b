"""How long the same job would take on other nodes: a simulation from the measured times.

The model is that of the scheduler: a worker is ready after the start of its node, its process and `init()`; whoever is
free takes the next mini-batch. It assumes that a worker is as fast as here, whatever else its node does: give a node a
core for each worker. It knows nothing of lost nodes, or of how fast data comes from a store.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Nodes x workers of each: the same workers on few large and on many small nodes, then more of them.
LAYOUTS = ((1, 1), (1, 2), (1, 4), (2, 2), (4, 1), (1, 8), (2, 4), (4, 2), (8, 1), (2, 8), (4, 8), (8, 8))
# Seconds until a node of a cluster that has scaled down to none is ready; an assumption: Azure promises nothing, and
# people report minutes to a quarter of an hour.
COLD_NODE_SECONDS = 300.0


@dataclass(frozen=True)
class Costs:
    """What is not `run()`, in seconds.

    Attributes:
        node: until a node is there, once per node, all at the same time.
        worker: until a worker is ready: process, import, `init()`.
        mini_batch: for each mini-batch beside `run()`.
    """

    node: float = 0.0
    worker: float = 0.0
    mini_batch: float = 0.0


@dataclass(frozen=True)
class Simulated:
    """A job on `nodes` nodes with `workers` workers each.

    Attributes:
        seconds: from the start to the end of the last mini-batch.
        busy: share of the workers' time that they are in `run()`, from 0 to 1.
        node_seconds: what is paid: nodes x seconds, start of the nodes included.
    """

    nodes: int
    workers: int
    seconds: float
    busy: float
    node_seconds: float


def simulate(runs: Sequence[float], nodes: int, workers: int, costs: Costs) -> Simulated:
    """The job whose mini-batches take `runs` seconds in `run()`, in their order."""
    count = nodes * workers
    free = [costs.node + costs.worker] * min(count, len(runs))
    end = free[0] if free else 0.0
    for seconds in runs:
        done = heapq.heappop(free) + costs.mini_batch + seconds
        heapq.heappush(free, done)
        end = max(end, done)
    return Simulated(nodes, workers, end, sum(runs) / (count * end) if end else 0.0, nodes * end)


def cut(item_seconds: Iterable[float], size: int, fixed: float = 0.0) -> list[float]:
    """Mini-batches of `size` items: seconds of each, from those of the items and what each call of `run()` costs."""
    runs: list[float] = []
    for place, seconds in enumerate(item_seconds):
        if place % size == 0:
            runs.append(fixed)
        runs[-1] += seconds
    return runs
