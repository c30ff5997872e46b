"""Every flag of the command line, once: the commands, their help and the table in the project's docs come from here.

A command declares `file: Annotated[Path, flag("file")]`. What is not in this table is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer


@dataclass(frozen=True)
class Flag:
    """One flag. `az` tells whether `az ml` has it under the same name."""

    names: tuple[str, ...]
    metavar: str | None
    help: str
    az: bool = True


FLAGS: dict[str, Flag] = {
    # every command
    "env": Flag(("--env",), "NAME", "Environment: local, dev or prod (default: AMLOPS_ENV, then local).", az=False),
    "output": Flag(("-o", "--output"), "FORMAT", "json, table or tsv (default: a table on a terminal, else json)."),
    "query": Flag(("--query",), "JMESPATH", "Print only this part of the result, for example --query status."),
    "print-az": Flag(("--print-az",), None, "Print the az command that does this in Azure, and do nothing.", az=False),
    # objects
    "file": Flag(("-f", "--file"), "FILE", "YAML file, as for az ml."),
    "name": Flag(("-n", "--name"), "NAME", "Name."),
    "set": Flag(
        ("--set",), "KEY=VALUE", "Change a value of the YAML, for example --set inputs.rate=0.1; may be repeated."
    ),
    "tag": Flag(("--tag",), "KEY=VALUE", "Tag, for example --tag stage=test; may be repeated.", az=False),
    "version": Flag(("-v", "--version"), "VERSION", "Version (default: create the next number, show the latest)."),
    # job
    "stream": Flag(("--stream",), None, "Show the steps' logs while they are written."),
    # model
    "path": Flag(("-p", "--path"), "PATH", "File or folder of the model."),
    "type": Flag(("-t", "--type"), "TYPE", "custom_model, mlflow_model or triton_model."),
    "description": Flag(("-d", "--description"), "TEXT", "Description."),
    # batch endpoint and deployment
    "endpoint-name": Flag(("-e", "--endpoint-name"), "NAME", "Name of the endpoint."),
    "deployment-name": Flag(
        ("-d", "--deployment-name"), "NAME", "Deployment to use instead of the endpoint's default."
    ),
    "input": Flag(("--input",), "PATH", "File or folder to score."),
    "input-type": Flag(("--input-type",), "TYPE", "uri_file or uri_folder (default: what the path is)."),
    "mini-batch-size": Flag(("-m", "--mini-batch-size"), "FILES", "Files in one call of run()."),
    "instance-count": Flag(("-c", "--instance-count"), "NODES", "Nodes that score."),
    "output-path": Flag(("--output-path",), "FOLDER", "Folder for the predictions (default: below the job)."),
    "overwrite": Flag(
        ("--overwrite",), None, "Replace predictions that are in --output-path already (laptop only).", az=False
    ),
    "job-name": Flag(("--job-name",), "NAME", "Name of the job that scores."),
    "set-default": Flag(("--set-default",), None, "Make this the endpoint's default deployment."),
    "yes": Flag(("-y", "--yes"), None, "Do not ask."),
    # render
    "directory": Flag(("-o", "--output-dir"), "DIR", "Folder to write to.", az=False),
}
_PLACE = "it stands in .cloud/environments/ENV.yml; choose with --env"
# Flags of `az ml` that people carry over, with what to do instead.
NOT_SUPPORTED: dict[tuple[str, ...], str] = {
    ("-g", "--resource-group"): _PLACE,
    ("-w", "--workspace-name"): _PLACE,
    ("--subscription",): _PLACE,
    ("--tags",): "use --tag KEY=VALUE, once for each tag",
    ("--registry-name",): "registries come with a later version",
    ("--web",): "there is no studio; `amlops job show` prints the job",
    ("--no-wait",): "commands on this machine run to their end",
    ("--skip-validation",): "files are always checked first",
    ("--debug", "--verbose", "--only-show-errors"): "what went wrong is always printed in one line",
}


def refusal(name: str) -> str | None:
    """What to do instead of a flag of `az ml`; None for a flag that nobody knows."""
    return next((reason for names, reason in NOT_SUPPORTED.items() if name in names), None)


def flag(key: str, help: str | None = None, **options: Any) -> Any:
    """The option for `Annotated[type, flag(key)]`; `help` where a command needs its own words."""
    entry = FLAGS[key]
    if entry.metavar:
        options.setdefault("metavar", entry.metavar)
    return typer.Option(*entry.names, help=help or entry.help, show_default=False, **options)
