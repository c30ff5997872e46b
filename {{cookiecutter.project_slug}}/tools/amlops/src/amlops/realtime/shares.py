"""Shares of traffic during a rollout."""

from __future__ import annotations

from collections.abc import Mapping

from amlops.errors import UserError


def with_share(before: Mapping[str, int], to: str, share: int) -> dict[str, int]:
    """Traffic where `to` has `share` per cent; the others have the rest, in proportion to what they had.

    The sum is 100. Raises ValueError when no other deployment has traffic to give the rest to.
    """
    others = {name: part for name, part in before.items() if name != to}
    total, rest = sum(others.values()), 100 - share
    if rest and not total:
        raise ValueError("no other deployment has traffic")
    exact = {name: rest * part / total if total else 0.0 for name, part in others.items()}
    shares = {name: int(value) for name, value in exact.items()}
    # What rounding down has left over goes to the largest remainders.
    for name in sorted(exact, key=lambda name: shares[name] - exact[name])[: rest - sum(shares.values())]:
        shares[name] += 1
    return {**shares, to: share}


def read_steps(text: str, option: str = "--steps") -> tuple[int, ...]:
    """'10,50,100' -> (10, 50, 100). Raises UserError."""
    words = [word.strip().removesuffix("%") for word in text.replace(" ", ",").split(",") if word.strip()]
    steps = tuple(int(word) for word in words if word.isdigit())
    wrong = len(steps) != len(words) or not steps or sorted(set(steps)) != list(steps)
    if wrong or not 1 <= steps[0] <= steps[-1] <= 100:
        raise UserError(f"{option}: '{text}' must be rising per cents from 1 to 100; for example {option} 10,50,100")
    return steps


def shown(shares: Mapping[str, int]) -> str:
    """blue=90 green=10, as `--traffic` takes it."""
    return " ".join(f"{name}={share}" for name, share in shares.items())


def same(first: Mapping[str, int], second: Mapping[str, int]) -> bool:
    """Whether both share the requests out alike; Azure may leave out a deployment that has none."""
    return _above_zero(first) == _above_zero(second)


def _above_zero(shares: Mapping[str, int]) -> dict[str, int]:
    return {name: share for name, share in shares.items() if share}
