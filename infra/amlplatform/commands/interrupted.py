"""`amlplatform interrupted`: after a killed `pulumi up`, put what it was making back into the state."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from amlplatform import console
from amlplatform.interrupted import StateError, completed
from amlplatform.live.write import write_all


def interrupted(
    state: Path = typer.Argument(..., metavar="FILE", help="What `pulumi stack export --file FILE` wrote."),
    subscription: str = typer.Option(
        "", "--subscription", metavar="GUID", help="Where the stack deploys to, if its state does not say."
    ),
) -> None:
    """Complete an exported state after a killed `pulumi up`: what was being made is put among the resources.

    Then `pulumi stack import --file FILE` and `pulumi refresh`, which takes out again what is not in Azure.
    """
    try:
        exported = json.loads(state.read_text(encoding="utf-8"))
        if not isinstance(exported, dict):
            raise StateError("this is no state; write one with pulumi stack export --stack STACK --file FILE")
        result, found = completed(exported, subscription)
    except OSError as error:
        raise console.fail([f"FILE: {str(state)!r} cannot be read ({error.strerror})"]) from None
    except (ValueError, StateError) as error:
        raise console.fail([f"FILE: {str(state)!r}: {error}"]) from None
    write_all({state: (json.dumps(result, indent=4) + "\n").encode()})
    for entry in found:
        print(f"{entry.name}: {entry.arm_id or 'still pending'}")
    console.warn([f"{entry.name}: {entry.why}" for entry in found if entry.why])
    if not found:
        print("nothing was being made")
