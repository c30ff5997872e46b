"""Show in a real subscription what could not be shown offline: an environment made, changed, removed, made again.

    python3 tools/live.py --subscription GUID --group GUID --email ADDRESS [--region R] [--limit 20] [--hours 3] --yes
    python3 tools/live.py --offline        the same steps against the offline Azure, for trying the script itself

Costs money: a dev environment with one node at most, for some hours. The script refuses when what is charged at rest
in that time is more than --limit by Azure's price list, sets the budget's mails to the limit, and removes everything in
the end, whatever happened. It writes build/live/report.md. Needed: az with a login, pulumi, rights to make resource
groups and role assignments.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from envs import ROOT, environment, infra_python

PRODUCT = "live-check"
STACK = f"{PRODUCT}-dev"
HOURS_A_MONTH = 730
# Ids that belong to nobody: the offline Azure does not ask whether they exist.
OFFLINE_GROUP = "00000000-0000-4000-8000-000000000001"
OFFLINE_SUBSCRIPTION = "00000000-0000-4000-8000-000000000002"


class LiveFault(Exception):
    """The check cannot go on. The message is one line."""


@dataclasses.dataclass
class Result:
    """One row of the report."""

    shown: str
    command: str
    passed: bool
    seconds: float


@dataclasses.dataclass
class Live:
    """One run: where it works, and what was seen."""

    options: argparse.Namespace
    python: Path
    deadline: float
    results: list[Result] = dataclasses.field(default_factory=list)

    @property
    def output(self) -> Path:
        return Path(self.options.output).resolve()

    @property
    def platform(self) -> Path:
        return self.output / "platform"

    def amlplatform(self, *words: str | Path) -> list[str]:
        return [str(self.python), "-m", "amlplatform", *map(str, words)]

    def pulumi(self, *words: str) -> list[str]:
        command = ["pulumi", *words, "--stack", STACK]
        if self.options.offline:
            return self.amlplatform("offline", "--project", self.platform, "--", *command)
        return command

    def run(self, command: list[str], *, always: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command in the platform's folder. Past the deadline only what cleans up (`always`) is run."""
        left = self.deadline - time.monotonic()
        if left <= 0 and not always:
            raise LiveFault("the time that --hours allows is over")
        folder = self.platform if self.platform.is_dir() else self.output
        variables = {**os.environ, "ARM_SUBSCRIPTION_ID": self.options.subscription}
        if not self.options.offline:
            # The state lies beside the report: nothing else needs it after the last step.
            variables |= {"PULUMI_BACKEND_URL": f"file://{self.output}", "PULUMI_CONFIG_PASSPHRASE": "live check"}
        timeout = None if always else left
        return subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, timeout=timeout, check=False
        )

    def show(
        self,
        shown: str,
        command: list[str],
        *,
        passes: Callable[[subprocess.CompletedProcess[str]], bool] | None = None,
    ) -> bool:
        """Run one check and keep what came of it."""
        print(f"… {shown}", flush=True)
        start = time.monotonic()
        done = self.run(command)
        passed = passes(done) if passes else done.returncode == 0
        words = [Path(word).name if word.startswith("/") else word for word in command]
        self.results.append(Result(shown, " ".join(words), passed, time.monotonic() - start))
        if not passed:
            (self.output / f"{len(self.results):02}.log").write_text(f"{done.stdout}\n{done.stderr}", encoding="utf-8")
            print(f"  not so; {self.output.name}/{len(self.results):02}.log", flush=True)
        return passed


def request(options: argparse.Namespace) -> str:
    """A small dev environment. prod is in the request because every product has one; it is not made."""
    month = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-01")
    common = {"monthly_budget": options.limit, "budget_start": month}
    size = {"vm_size": "Standard_D4ds_v4", "max_nodes": 1}
    data = {
        "version": 1,
        "product": PRODUCT,
        "name_suffix": options.suffix,
        "description": "Shows what could not be shown offline; safe to delete",
        "owner": {"email": options.email},
        "cost_centre": "LIVE-CHECK",
        "region": options.region,
        "ci": {"provider": "github", "runner": "self-hosted"},
        "groups": {"data_scientists": options.group},
        "environments": {
            "dev": {"network": "public-dev", **common, "cpu_cluster": size},
            "prod": {
                "network": "managed-vnet",
                **common,
                "cpu_cluster": size,
                "subnets": {
                    "endpoints": f"/subscriptions/{options.subscription}/resourceGroups/rg-none/providers/"
                    "Microsoft.Network/virtualNetworks/vnet-none/subnets/snet-none"
                },
            },
        },
    }
    return json.dumps(data, indent=2)  # JSON is YAML


def prepare(live: Live) -> None:
    """Request, live project, stack files. Raises LiveFault."""
    if live.output.exists() and any(live.output.iterdir()):
        if not (live.output / "request.yaml").exists():
            raise LiveFault(f"--output: {live.output} is not empty and holds no earlier check; name a new folder")
        shutil.rmtree(live.output)
    live.output.mkdir(parents=True, exist_ok=True)
    file = live.output / "request.yaml"
    file.write_text(request(live.options), encoding="utf-8")
    if not live.options.offline:
        check_cost(live, file)
    for command in (
        live.amlplatform("init", live.platform),
        live.amlplatform(
            "onboard", file, "--project", live.platform, f"--subscription=dev={live.options.subscription}"
        ),
    ):
        done = live.run(command)
        if done.returncode:
            raise LiveFault(done.stderr.strip().splitlines()[-1])
    if not live.options.offline:
        live.run(["pulumi", "stack", "init", STACK])


def check_cost(live: Live, file: Path) -> None:
    """Refuse when what is charged at rest in the time allowed costs more than the limit."""
    done = live.run(live.amlplatform("prices", file, "-o", live.output / "prices.json"))
    if done.returncode:
        raise LiveFault(f"prices are not known, so the limit cannot be held: {done.stderr.strip()}")
    checked = json.loads(live.run(live.amlplatform("check", file, "-o", "json")).stdout)
    items = [one for one in checked["fixed_costs"]["items"] if one["environment"] == "dev"]
    cost = sum(one["monthly"] or 0 for one in items) * live.options.hours / HOURS_A_MONTH
    if cost > live.options.limit:
        raise LiveFault(
            f"--limit: {live.options.limit} is less than the {cost:.2f} of {live.options.hours} hours at rest"
        )
    print(f"at rest, {live.options.hours} hours cost {cost:.2f} {checked['fixed_costs']['currency']}", flush=True)


def checks(live: Live) -> None:
    """What the page of things not seen lists for an environment."""
    unchanged = live.pulumi("preview", "--expect-no-changes")
    up = live.pulumi("up", "--yes", "--skip-preview")
    if not live.show("Azure accepts every resource of dev, in one go", up):
        # What passes with time: roles that have not spread yet. A second `up` is the documented way.
        live.show("a second up brings the first to its end", up)
    live.show("a second preview finds nothing to change", unchanged)
    live.show("refresh finds no difference", live.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes"))
    file = live.platform / "requests" / f"{PRODUCT}.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace('"max_nodes": 1', '"max_nodes": 2'), encoding="utf-8")
    live.show("a larger cluster is an update in place", live.pulumi("up", "--yes", "--skip-preview"))
    live.show("and after it nothing is left to change", unchanged)
    if not live.options.offline:
        group = f"rg-{STACK}"
        listing = ["az", "role", "assignment", "list", "--resource-group", group, "--include-inherited", "-o", "json"]
        live.show("who has a role, as Azure sees it", listing)
        stores = ["az", "ml", "datastore", "list", "--workspace-name", f"mlw-{STACK}", "--resource-group", group]
        live.show("data stores answer with account keys switched off", stores)
    if remove(live):
        live.show("the same environment can be made again the same day", live.pulumi("up", "--yes", "--skip-preview"))


def remove(live: Live) -> bool:
    """The documented steps of taking an environment down; whether each ended well."""
    file = live.platform / "requests" / f"{PRODUCT}.yaml"
    listed = live.run(live.amlplatform("teardown", file, "--environment", "dev", "-o", "json"), always=True)
    good = True
    for step in json.loads(listed.stdout)["steps"]:
        command = step["command"].replace("$ARM_SUBSCRIPTION_ID", live.options.subscription).replace('"', "").split()
        if not command or command[:3] == ["pulumi", "stack", "rm"]:
            continue
        if command[0] == "az" and live.options.offline:
            continue
        if command[0] == "pulumi" and live.options.offline:
            command = live.amlplatform("offline", "--project", live.platform, "--", *command)
        done = live.run(command, always=True)
        passed = done.returncode == 0 or "not found" in done.stderr.lower()
        live.results.append(Result(f"taken down: {step['title']}", step["command"], passed, 0))
        good = good and passed
    return good


def report(live: Live) -> str:
    where = "the offline Azure" if live.options.offline else "Azure"
    lines = [
        "# What was seen",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {where}, {live.options.region}",
        "",
        "| | shown | command | seconds |",
        "| --- | --- | --- | ---: |",
        *(
            f"| {'seen' if one.passed else '**not so**'} | {one.shown} | `{one.command}` | {one.seconds:.0f} |"
            for one in live.results
        ),
    ]
    return "\n".join(lines) + "\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offline", action="store_true", help="against the offline Azure")
    parser.add_argument("--output", default=str(ROOT / "build" / "live"), help="folder to work in")
    parser.add_argument("--subscription", default="", help="where to make the environment")
    parser.add_argument("--group", default="", help="object id of an Entra group, for the roles in dev")
    parser.add_argument("--email", default="", help="who gets the budget's mails")
    parser.add_argument("--region", default="westeurope")
    parser.add_argument("--suffix", default="live1", help="five characters, for names that are unique in Azure")
    parser.add_argument("--limit", type=int, default=20, help="what it may cost, in USD")
    parser.add_argument("--hours", type=float, default=3, help="after this long only what cleans up is run")
    parser.add_argument("--yes", action="store_true", help="yes, this may cost up to --limit")
    options = parser.parse_args()
    if options.offline:
        options.subscription = options.subscription or OFFLINE_SUBSCRIPTION
        options.group, options.email = options.group or OFFLINE_GROUP, options.email or "owner@example.com"
        return options
    for name in ("subscription", "group", "email"):
        if not getattr(options, name):
            parser.error(f"--{name} is missing; or try --offline first")
    if not options.yes:
        parser.error(f"this costs money, up to {options.limit} USD; say --yes")
    return options


def main() -> int:
    options = arguments()
    try:
        live = Live(options, infra_python(), time.monotonic() + options.hours * 3600)
        prepare(live)
        try:
            checks(live)
        finally:
            remove(live)
            (live.output / "report.md").write_text(report(live), encoding="utf-8")
    except (LiveFault, environment.EnvironmentFault, subprocess.TimeoutExpired) as error:
        print(f"live: {error}", file=sys.stderr)
        return 1
    failed = [one.shown for one in live.results if not one.passed]
    print(f"{len(live.results) - len(failed)} of {len(live.results)} seen; {live.output / 'report.md'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
