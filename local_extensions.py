"""What rendering needs beside cookiecutter: expressions of others kept as they are, answers checked, names derived.

cookiecutter and cruft put the template's root on the import path and load the classes that cookiecutter.json names in
`_extensions`. The rules and names are `amlplatform`'s own (infra/amlplatform, standard library only), so that the
template and the platform cannot differ. PyYAML is there because cookiecutter needs it.
"""

from __future__ import annotations

import datetime
import importlib
import json
import re
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from jinja2 import Environment
from jinja2.ext import Extension

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ("dev", "prod")
# `${{ ... }}` of GitHub Actions, Azure Pipelines and Azure ML, over several lines too, and `${#` of shells, which Jinja
# takes for the start of a comment.
FOREIGN = re.compile(r"\$\{\{.*?\}\}|\$\{#", re.DOTALL)


def _platform_modules() -> tuple[ModuleType, ModuleType]:
    """`amlplatform.names` and `.rules` of this copy of the template, whatever else of that name is installed."""
    others = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "amlplatform"}
    sys.path.insert(0, str(ROOT / "infra"))
    try:
        return importlib.import_module("amlplatform.names"), importlib.import_module("amlplatform.rules")
    finally:
        sys.path.remove(str(ROOT / "infra"))
        for name in [name for name in sys.modules if name.split(".")[0] == "amlplatform"]:
            del sys.modules[name]
        sys.modules.update(others)


names, rules = _platform_modules()


class KeepDollarExpressions(Extension):
    """Leaves `${{ ... }}` as it stands, unless it asks for one of the template's answers."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        return FOREIGN.sub(_as_literal, source)


def _as_literal(match: re.Match[str]) -> str:
    text = match[0]
    return text if "cookiecutter." in text else "{{ %r }}" % text  # noqa: UP031 - braces would need doubling


class TemplateAnswers(Extension):
    """The filters and functions that cookiecutter.json, the hooks and the project's files use."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        # `cruft update` renders two versions of the template in one process: each has to load its own file.
        sys.modules.pop(__name__, None)
        environment.filters.update(
            azure_names=azure_names,
            product=product,
            check_answers=check_answers,
            answer_faults=answer_faults,
            name_suffix=name_suffix,
            code_owners=code_owners,
            request_keys=request_keys,
            clusters=clusters,
            workloads=workloads,
            unchosen_paths=unchosen_paths,
            quoted=quoted,
        )
        environment.globals.update(next_month=next_month)


def product(answers: MutableMapping[str, Any]) -> str:
    """The product's short name. Also sets `project_slug`, which names the project's folder and is not asked for."""
    answers["project_slug"] = names.slug(str(answers["project_name"]))
    return answers["project_slug"]


def name_suffix(answers: Mapping[str, Any]) -> str:
    """Five characters that make globally unique names unique; written into the request, which keeps them."""
    return names.name_suffix(answers["__product"], answers["owner_email"])


def azure_names(answers: Mapping[str, Any], environment: str) -> Any:
    """`amlplatform.names.Names` of one environment of the project."""
    return names.Names(answers["__product"], environment, answers["__name_suffix"])


def next_month() -> str:
    """First day of the next month, as Azure wants the start of a budget."""
    today = datetime.datetime.now(datetime.UTC).date()
    return (today.replace(day=28) + datetime.timedelta(days=4)).replace(day=1).isoformat()


def quoted(text: str) -> str:
    """A string for YAML or TOML: JSON's quoting, which both understand."""
    return json.dumps(text, ensure_ascii=False)


def check_answers(answers: Mapping[str, Any]) -> str:
    """Ends the program with one line per fault, before anything is on disk.

    A hook that fails ends it too, but cookiecutter prints a traceback then; SystemExit passes through it and cruft.
    """
    faults = answer_faults(answers)
    if faults:
        raise SystemExit("\n".join(faults))
    return "yes"


def answer_faults(answers: Mapping[str, Any]) -> list[str]:
    """One line per fault in the answers: field, value, rule, an example that works."""
    options = load_options()["options"]
    text = {field: str(value) for field, value in answers.items()}
    project_name, short = text["project_name"], names.slug(text["project_name"])
    found = [
        _check_title(project_name),
        rules.check_product(short, f"project_name: {project_name!r} becomes product"),
        rules.check_description(text["description"]),
        *(rules.check_choice(text[field], field, choices(options, field)) for field in options),
        rules.check_email(text["owner_email"], "owner_email"),
        rules.check_cost_centre(text["cost_centre"]),
        rules.check_region(text["region"]),
        rules.check_person(text["person"]),
        rules.check_optional_guid(text["scientists_group"], "scientists_group"),
    ]
    if not found[1]:
        found += _name_faults(text, short)
    return [line for line in found if line]


def _check_title(value: str) -> str | None:
    """The project's name stands in headings and comments: one line, not too long."""
    if not value.isprintable() or value != value.strip() or not 1 <= len(value) <= 60:
        rule = "must be one line of 1 to 60 characters without spaces around it"
        return rules.fault("project_name", value, rule, "Digit scoring")
    return None


def _name_faults(answers: Mapping[str, str], short: str) -> list[str]:
    """Names in Azure that would break a rule there, of every environment and every endpoint of the workloads."""
    suffix = names.name_suffix(short, answers["owner_email"])
    found = [f"project_name: {line}; choose a shorter name" for line in names.faults(short, ENVIRONMENTS, suffix)]
    for environment in ENVIRONMENTS:
        for workload in workloads(answers):
            try:
                names.Names(short, environment, suffix).endpoint(workload)
            except ValueError as error:
                found.append(f"workload: {error}")
    return found


def load_options() -> dict[str, Any]:
    """The table options.yaml."""
    return yaml.safe_load((ROOT / "options.yaml").read_text(encoding="utf-8"))


def choices(options: Mapping[str, Any], field: str) -> list[str]:
    """Answers that may be given to a question; workloads may also be taken all together."""
    offered = [value for value, entry in options[field].items() if entry["offered"]]
    return [*offered, "all"] if field == "workload" else offered


def workloads(answers: Mapping[str, Any]) -> list[str]:
    """The chosen workloads."""
    offered = [name for name, entry in load_options()["options"]["workload"].items() if entry["offered"]]
    return offered if answers["workload"] == "all" else [name for name in offered if name == answers["workload"]]


def _chosen(answers: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of the table that the answers ask for, what every project has first."""
    table = load_options()
    chosen = [table["always"]]
    for field, entries in table["options"].items():
        values = workloads(answers) if field == "workload" else [answers[field]]
        chosen += [entries[value] for value in values]
    return chosen


def code_owners(answers: Mapping[str, Any]) -> list[str]:
    """Paths that have a code owner, in the order of the table: the last match counts."""
    return [path for entry in _chosen(answers) for path in entry["code_owners"]]


def request_keys(answers: Mapping[str, Any]) -> list[str]:
    """What each environment of the request has to say."""
    return [key for entry in _chosen(answers) for key in entry["request_keys"]]


def clusters(answers: Mapping[str, Any]) -> list[str]:
    """Names of the clusters that the request asks for; they are the same in every workspace."""
    known = {"cpu_cluster": names.CPU_CLUSTER, "gpu_cluster": names.GPU_CLUSTER}
    return [name for key, name in known.items() if key in request_keys(answers)]


def unchosen_paths(answers: Mapping[str, Any]) -> list[str]:
    """Paths of the project folder that belong to answers which were not given."""
    kept = {path for entry in _chosen(answers) for path in entry["paths"]}
    entries = [entry for values in load_options()["options"].values() for entry in values.values()]
    return sorted({path for entry in entries for path in entry["paths"]} - kept)
