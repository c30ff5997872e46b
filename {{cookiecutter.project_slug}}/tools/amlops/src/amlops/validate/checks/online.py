"""Real-time endpoints and deployments: traffic, model, code, the contract of the scoring script."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from amlops.validate.checks.batch import model_faults, scoring_script, type_of_model
from amlops.validate.checks.files import environment_faults, missing_path
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import YamlFile

_ENDPOINTS = ("managed-online-endpoint", "kubernetes-online-endpoint")
_DEPLOYMENTS = ("managed-online-deployment", "kubernetes-online-deployment")


def endpoint_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of an endpoint's shares."""
    traffic, mirror = document.get("traffic"), document.get("mirror_traffic")
    shares = traffic if isinstance(traffic, dict) else {}
    numbers = [share for share in shares.values() if isinstance(share, int)]
    if len(numbers) == len(shares) and sum(numbers) not in (0, 100):
        text = f"sums to {sum(numbers)} and must sum to 100, or to 0"
        yield fault_at(document, "traffic", text, "for example traffic: {blue: 90, green: 10}", "traffic")
    if isinstance(mirror, dict) and len(mirror) > 1:
        text = "names more than one deployment"
        yield fault_at(document, "traffic", text, "for example mirror_traffic: {green: 10}", "mirror_traffic")
    known = [
        str(other.get("name"))
        for kind in _DEPLOYMENTS
        for other in context.of_kind(kind)
        if other.get("endpoint_name") == document.get("name")
    ]
    for key, names in (("traffic", shares), ("mirror_traffic", mirror if isinstance(mirror, dict) else {})):
        for name in names:
            if str(name) not in known:
                text = f"'{name}' is not a deployment of '{document.get('name')}'"
                fix = f"its deployments in this project are: {', '.join(sorted(known)) or 'none'}"
                yield fault_at(document, "traffic", text, fix, key, name)


def deployment_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a deployment."""
    yield from model_faults(document)
    yield from _code_faults(document, context)
    yield from environment_faults(document, "environment")
    endpoints = [other.get("name") for kind in _ENDPOINTS for other in context.of_kind(kind)]
    if endpoints and document.get("endpoint_name") not in endpoints:
        fix = f"the project's online endpoints are: {', '.join(sorted(map(str, endpoints)))}"
        text = f"'{document.get('endpoint_name')}' is not an online endpoint of this project"
        yield fault_at(document, "endpoint-name", text, fix, "endpoint_name")


def _code_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    if document.get("code_configuration") is None:
        # A model that only the registry knows may be one of MLflow's.
        if type_of_model(document, context) not in ("mlflow_model", None):
            fix = "add 'code_configuration:' with code and scoring_script"
            yield fault_at(document, "no-script", "there is no scoring script; only MLflow models need none", fix)
        return
    faults = list(missing_path(document, "the code folder", "code_configuration", "code", folder=True))
    yield from faults
    script = document.get("code_configuration", "scoring_script")
    if faults or not isinstance(script, str):
        return
    keys = ("code_configuration", "scoring_script")
    path = scoring_script(document)
    if path is None or not path.is_file():
        where = "is outside the code folder" if path is None else "is not in the code folder"
        yield fault_at(document, "missing-file", f"'{script}' {where}", "give a path below code", *keys)
        return
    yield from script_faults(path)


def script_faults(path: Path) -> Iterator[Fault]:
    """The contract: `init()`, and `run()` that can be called with one argument (azureml-inference-server-http)."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 0
        yield Fault(path, line, "script-syntax", f"is not valid Python: {error}", "correct the script")
        return
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in tree.body):
        return
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {alias.asname or alias.name for node in imports for alias in node.names}
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    examples = {"init": "write 'def init():', called once per worker", "run": "write 'def run(raw_data):'"}
    for name, fix in examples.items():
        function = functions.get(name)
        if function is None:
            if name not in named:
                yield Fault(path, 0, "request-script", f"there is no function {name}()", fix)
            continue
        needed = len(function.args.posonlyargs) + len(function.args.args) - len(function.args.defaults)
        if name == "init" and needed:
            yield Fault(path, function.lineno, "request-script", "init() has parameters", "it is called without any")
        decorated = bool(function.decorator_list)  # inference_schema makes the arguments from the request
        taken = len(function.args.posonlyargs) + len(function.args.args) or function.args.vararg
        if name == "run" and not decorated and (not taken or needed > 1):
            yield Fault(path, function.lineno, "request-script", "run() must take one argument", fix)
