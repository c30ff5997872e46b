"""The command line: `amlplatform COMMAND`. Each command is a file under commands/ and one line here."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from amlplatform import __version__
from amlplatform.commands import check, explain, init, interrupted, offline, onboard, plan, prices, sql_users, teardown

_PROGRAM = "amlplatform"
_INTERRUPTED = 130

app = typer.Typer(
    name=_PROGRAM,
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
app.command("prices")(prices.prices)
app.command("init")(init.init)
app.command("onboard")(onboard.onboard)
app.command("sql-users")(sql_users.sql_users)
app.command("teardown")(teardown.teardown)
app.command("explain")(explain.explain)
app.command("interrupted")(interrupted.interrupted)
app.command("offline", context_settings=offline.CONTEXT_SETTINGS)(offline.offline)


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns the exit code: 0 done, 1 the user's files or arguments are wrong, 2 usage, 3 the job failed, 130
    interrupted; that of the other program for `offline`.
    """
    try:
        result = app(args=list(arguments), prog_name=_PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        print(_usage(error), file=sys.stderr)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    return result if isinstance(result, int) else 0


def main() -> None:
    """Run the command that the process was started with, and end the process."""
    sys.exit(run(sys.argv[1:]))


def _usage(error: typer.TyperException) -> str:
    """One line for a wrong command line. Without any command it is the help."""
    message = error.format_message().strip().rstrip(".")
    if message.startswith("Usage:"):
        return message
    refused = _refused_choice(error)
    if refused:
        return refused
    context = getattr(error, "ctx", None)
    command = context.command_path if context else _PROGRAM
    commands = list(getattr(getattr(context, "command", None), "commands", {}))
    if commands and "command" in message:
        message = f"{message}; one of {', '.join(commands)}"
    return f"{command}: {' '.join(message.split())} (see `{command} --help`)"


def _refused_choice(error: typer.TyperException) -> str | None:
    """The line for an option whose value is none of its choices; None for every other error."""
    parameter = getattr(error, "param", None)
    # Typer keeps value and choices nowhere but in its message: "Value error, 'a' is not one of 'b', 'c'."
    message = str(getattr(error, "message", "")).removeprefix("Value error, ").rstrip(".")
    value, separator, choices = message.rpartition(" is not one of ")
    if parameter is None or not separator:
        return None
    flag = min(parameter.opts, key=len)
    known = choices.replace("'", "")
    return f"{flag}: {' '.join(value.split())} is not one of {known}; for example {flag} {known.split(', ')[0]}"


if __name__ == "__main__":
    main()
