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
    "output": Flag(
        ("-o", "--output"), "FORMAT", "json, table, tsv, yaml or none (default: a table on a terminal, else json)."
    ),
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
    "label": Flag(("-l", "--label"), "LABEL", "Label instead of a version: latest."),
    "commit": Flag(("--commit",), "SHA", "Commit that is released (default: the one checked out).", az=False),
    # job
    "stream": Flag(("--stream",), None, "Show the steps' logs while they are written."),
    "timeout": Flag(("--timeout",), "MINUTES", "Wait at most so long; the job goes on (default: no limit).", az=False),
    "max-results": Flag(("-r", "--max-results"), "NUMBER", "Show at most so many."),
    "parent-job-name": Flag(("--parent-job-name",), "NAME", "Show the steps of this job instead."),
    "output-name": Flag(("--output-name",), "NAME", "Copy this output only."),
    "download-path": Flag(("-p", "--download-path"), "DIR", "Folder to copy to (default: the current one)."),
    "all": Flag(("-a", "--all"), None, "Copy the logs and every output."),
    # model
    "path": Flag(("-p", "--path"), "PATH", "File or folder of the model, or azureml://jobs/NAME/outputs/OUTPUT."),
    "type": Flag(("-t", "--type"), "TYPE", "custom_model, mlflow_model or triton_model."),
    "description": Flag(("-d", "--description"), "TEXT", "Description."),
    "from": Flag(("--from",), "NAME|DIR", "Environment that has the model, or folder of `model export`.", az=False),
    "to": Flag(("--to",), "NAME", "Environment that gets it, for example prod.", az=False),
    "gate": Flag(("--gate",), "FILE", "Gate file (default: .cloud/gates/<model>.yml).", az=False),
    "reason": Flag(("--reason",), "TEXT", "Why, for the record; at most 250 characters.", az=False),
    "dry-run": Flag(("--dry-run",), None, "Judge and compare, and change nothing.", az=False),
    # data
    "data-path": Flag(
        ("-p", "--path"), "PATH", "File or folder, azureml://datastores/NAME/paths/PATH, or https address of a file."
    ),
    "data-type": Flag(("-t", "--type"), "TYPE", "uri_file, uri_folder or mltable (default: uri_folder)."),
    # environment
    "image": Flag(("-i", "--image"), "IMAGE", "Docker image."),
    "conda-file": Flag(("-c", "--conda-file"), "FILE", "Conda file of the dependencies."),
    "build-context": Flag(("-b", "--build-context"), "DIR", "Folder with a Dockerfile, instead of an image."),
    "dockerfile-path": Flag(("--dockerfile-path",), "FILE", "The Dockerfile below that folder (default: Dockerfile)."),
    "os-type": Flag(("--os-type",), "TYPE", "linux or windows (default: linux)."),
    # compute
    "compute-type": Flag(("-t", "--type"), "TYPE", "amlcompute (a cluster) or computeinstance."),
    "size": Flag(("--size",), "SIZE", "VM size (default: Standard_DS3_v2)."),
    "min-instances": Flag(("--min-instances",), "NODES", "Nodes at rest (default: 0)."),
    "max-instances": Flag(("--max-instances",), "NODES", "Most nodes (default: 4)."),
    "tier": Flag(("--tier",), "TIER", "dedicated or low_priority (default: dedicated)."),
    "idle-time": Flag(
        ("--idle-time-before-scale-down",), "SECONDS", "Seconds without a job after which a node goes (default: 120)."
    ),
    "location": Flag(("-l", "--location"), "REGION", "Azure region (default: that of the workspace)."),
    # batch endpoint and deployment
    "endpoint-name": Flag(("-e", "--endpoint-name"), "NAME", "Name of the endpoint."),
    "deployment-name": Flag(
        ("-d", "--deployment-name"), "NAME", "Deployment to use instead of the endpoint's default."
    ),
    "input": Flag(
        ("--input",),
        "PATH",
        "What to score: file, folder, azureml:NAME:VERSION, azureml://datastores/…, https address.",
    ),
    "input-type": Flag(("--input-type",), "TYPE", "uri_file or uri_folder (default: what the path is)."),
    "mini-batch-size": Flag(("-m", "--mini-batch-size"), "FILES", "Files in one call of run()."),
    "instance-count": Flag(("-c", "--instance-count"), "NODES", "Nodes that score."),
    "output-path": Flag(
        ("--output-path",),
        "FOLDER",
        "Folder for the predictions, or azureml://datastores/NAME/paths/PATH of a blob store (default: below the job).",
    ),
    "workers": Flag(
        ("--workers",), "0", "0: run the script in this process, where breakpoint() works (laptop only).", az=False
    ),
    "overwrite": Flag(
        ("--overwrite",), None, "Replace predictions that are in --output-path already (laptop only).", az=False
    ),
    "job-name": Flag(("--job-name",), "NAME", "Name of the job that scores."),
    "set-default": Flag(("--set-default",), None, "Make this the endpoint's default deployment."),
    "yes": Flag(("-y", "--yes"), None, "Do not ask."),
    # online endpoint and deployment
    "traffic": Flag(
        ("-r", "--traffic"), "SHARES", "Per cent of the requests by deployment, for example 'blue=90 green=10'."
    ),
    "mirror-traffic": Flag(("--mirror-traffic",), "SHARES", "Per cent copied to a deployment, for example green=10."),
    "fallback": Flag(
        ("--fallback",), None, "Until the next change, give what a deployment fails to serve to another.", az=False
    ),
    "request-file": Flag(("-r", "--request-file"), "FILE", "JSON file of the request."),
    "all-traffic": Flag(("--all-traffic",), None, "Give all requests to this deployment."),
    "lines": Flag(("-l", "--lines"), "NUMBER", "Show at most so many lines (default: 50)."),
    # rollout, smoke test, stress test and profile of an online deployment
    "to-deployment": Flag(("--to",), "NAME", "Deployment that gets the traffic, for example green.", az=False),
    "steps": Flag(
        ("--steps",), "SHARES", "Per cent of the traffic one after the other (default: 10,50,100).", az=False
    ),
    "hold": Flag(("--hold",), "SECONDS", "How long each step is watched (default: 60).", az=False),
    "max-error-rate": Flag(("--max-error-rate",), "PER CENT", "Requests that may fail (default: 1).", az=False),
    "max-p95-ms": Flag(("--max-p95-ms",), "MS", "Milliseconds in which 95 of 100 must be answered.", az=False),
    "max-p99-ms": Flag(("--max-p99-ms",), "MS", "Milliseconds in which 99 of 100 must be answered.", az=False),
    "min-requests": Flag(("--min-requests",), "NUMBER", "Fewer are too few to judge a step (default: 20).", az=False),
    "mirror": Flag(("--mirror",), "PER CENT", "First give it copies of so many requests, at most 50.", az=False),
    "smoke": Flag(("--smoke",), "FILE", "First send it these requests with expected answers.", az=False),
    "cases": Flag(("-f", "--file"), "FILE", "Requests with expected answers: YAML, or JSON per line.", az=False),
    "abort": Flag(("--abort",), None, "Only put back the traffic that a killed rollout left.", az=False),
    "requests": Flag(
        ("--requests",), "PATH", "Requests to send in turn: JSON file, JSON per line (.jsonl), or a folder.", az=False
    ),
    "rate": Flag(("--rate",), "NUMBER", "Requests per second.", az=False),
    "rates": Flag(("--rates",), "NUMBERS", "Requests per second, rising, for example 50,100,200.", az=False),
    "start-rate": Flag(("--start",), "NUMBER", "First rate; with --step instead of --rates.", az=False),
    "step-rate": Flag(("--step",), "NUMBER", "How much each rate is above the one before.", az=False),
    "duration": Flag(("--duration",), "SECONDS", "How long each is measured.", az=False),
    "warm-up": Flag(("--warm-up",), "SECONDS", "Load before each measurement that does not count.", az=False),
    "until-knee": Flag(("--until-knee",), None, "Stop at the first rate that does not hold.", az=False),
    "min-rate": Flag(("--min-rate",), "NUMBER", "Exit code 3 when less holds.", az=False),
    "against-nodes": Flag(("--against-nodes",), "NUMBER", "Instances of the deployment that is tested.", az=False),
    "prod-nodes": Flag(("--prod-nodes",), "NUMBER", "Instances in prod: say what they would hold.", az=False),
    "prod-rate": Flag(("--prod-rate",), "NUMBER", "Rate in prod: say how many instances it needs.", az=False),
    "try-workers": Flag(("--workers",), "NUMBERS", "WORKER_COUNT to try (default: 1,2).", az=False),
    "try-threads": Flag(("--threads",), "NUMBERS", "Threads of each worker's libraries (default: 1).", az=False),
    "try-cpus": Flag(("--cpus",), "NUMBERS", "Processor cores to try (default: 1, and all).", az=False),
    "try-memory": Flag(("--memory",), "NUMBERS", "Limits of address space to try, GiB (default: none).", az=False),
    # compare
    "with": Flag(("--with",), "NAME", "The deployment to compare it with.", az=False),
    "key": Flag(("--key",), "COLUMN", "Column that names the item in both results, by name or number.", az=False),
    "tolerance": Flag(("--tolerance",), "NUMBER", "Numbers that differ by no more are equal (default 1e-6).", az=False),
    "fail-over": Flag(("--fail-over",), "N|P%", "Exit code 3 when more items differ, for example 10 or 1%.", az=False),
    "report": Flag(("--report",), "DIR", "Folder for the report (default: below .amlops/comparisons).", az=False),
    # schedule
    "include-disabled": Flag(("--include-disabled",), None, "Show those that are disabled, too."),
    "disabled-only": Flag(("--disabled-only",), None, "Show only those that are disabled."),
    "count": Flag(("--count",), "NUMBER", "How many runs to show, at most 1000 (default: 10).", az=False),
    "from-time": Flag(
        ("--from",), "TIME", "First moment to look at, UTC unless it says so, for example 2026-03-01.", az=False
    ),
    # job logs, status
    "grep": Flag(("--grep",), "PATTERN", "Regular expression, without regard to case.", az=False),
    "step": Flag(("--step",), "NAME", "Only the logs of this step.", az=False),
    "within": Flag(("--within",), "SPAN", "How old a failed job may be to count, for example 90m, 24h, 7d.", az=False),
    "check": Flag(("--check",), None, "Exit code 3 when something is wrong.", az=False),
    # render
    "directory": Flag(("-o", "--output-dir"), "DIR", "Folder to write to.", az=False),
}
# Flags of `az ml` that people carry over, with what to do instead.
NOT_SUPPORTED: dict[tuple[str, ...], str] = {
    ("--registry-name",): "registries come with a later version",
    ("--web",): "there is no studio; `amlops job show` prints the job",
    ("--no-wait",): "commands on this machine run to their end",
    ("--skip-validation",): "files are always checked first",
}


@dataclass(frozen=True)
class Ignored:
    """A flag of `az ml` that command lines carry and that means nothing on this machine.

    Attributes:
        takes_value: a value follows it.
        nouns: the nouns whose commands take it; empty for all that `az ml` has.
        note: what the user is told, once per command; "" where there is nothing to tell.
        why: for the table in the docs.
        local_only: refused for an environment in Azure, where the flag would contradict the environment's file.
    """

    names: tuple[str, ...]
    takes_value: bool
    why: str
    nouns: tuple[str, ...] = ()
    note: str = ""
    local_only: bool = False


_HERE = "everything is on this machine"
IGNORED: tuple[Ignored, ...] = (
    Ignored(("-g", "--resource-group"), True, _HERE, note=_HERE, local_only=True),
    Ignored(("-w", "--workspace-name"), True, _HERE, note=_HERE, local_only=True),
    Ignored(("--subscription",), True, _HERE, note=_HERE, local_only=True),
    Ignored(("--web",), False, "the job is printed, as by `az ml`", ("job",), "there is no studio on this machine"),
    Ignored(
        ("--no-wait",),
        False,
        "it is done when the command ends",
        ("batch-endpoint", "batch-deployment", "compute", "schedule"),
    ),
    Ignored(("--only-show-errors", "--debug", "--verbose"), False, "what went wrong is always told in one line"),
)


def refusal(name: str) -> str | None:
    """What to do instead of a flag of `az ml`; None for a flag that nobody knows."""
    return next((reason for names, reason in NOT_SUPPORTED.items() if name in names), None)


def flag(key: str, help: str | None = None, **options: Any) -> Any:
    """The option for `Annotated[type, flag(key)]`; `help` where a command needs its own words."""
    entry = FLAGS[key]
    if entry.metavar:
        options.setdefault("metavar", entry.metavar)
    return typer.Option(*entry.names, help=help or entry.help, show_default=False, **options)
