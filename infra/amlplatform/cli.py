"""The command line: `amlplatform COMMAND`. Each command is a file under commands/ and one line here."""

from __future__ import annotations

import sys

import typer

from amlplatform import __version__
from amlplatform.commands import check, init, offline, onboard, plan

app = typer.Typer(
    name="amlplatform",
    help="Azure Machine Learning environments from a request file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"amlplatform {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Azure Machine Learning environments from a request file."""


app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("init")(init.init)
app.command("onboard")(onboard.onboard)
app.command("offline", context_settings=offline.CONTEXT_SETTINGS)(offline.offline)


def main() -> None:
    """Run the program. Exit codes: 0 done, 1 the user's files or arguments are wrong, 2 usage, 3 the job failed."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
