"""The contract of a scoring script, read from its source without running it.

Facts: Azure ML, "author scoring scripts for batch deployments" (init, run, result), and the parallel job reference
(options that the runner passes, so that only `parse_known_args` works; the private working folder).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from amlops.validate.fault import Fault

_WRITERS = frozenset({"to_csv", "to_parquet", "to_json", "to_pickle", "to_excel", "savetxt", "save", "savez", "dump"})
# Expressions that can never be a list, a tuple or a DataFrame.
_UNCOUNTABLE = (
    ast.Constant,
    ast.Dict,
    ast.Set,
    ast.DictComp,
    ast.SetComp,
    ast.GeneratorExp,
    ast.JoinedStr,
    ast.Lambda,
    ast.Compare,
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def script_faults(path: Path, *, summary_only: bool = False) -> list[Fault]:
    """Every fault of a scoring script; `summary_only` for one that writes its output itself."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        text = f"is not valid Python: {error.msg}"
        return [Fault(path, error.lineno or 0, "script-syntax", text, "correct the script")]
    except ValueError as error:
        return [Fault(path, 0, "script-syntax", f"is not valid Python: {error}", "correct the script")]
    names = _names(tree)
    faults = [*_init_faults(path, names), *_run_faults(path, names), *_online_faults(path, names)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            faults += _call_faults(path, node, summary_only)
    return faults


def _names(tree: ast.Module) -> dict[str, ast.AST]:
    """What a module defines at its top level: functions, assigned and imported names."""
    names: dict[str, ast.AST] = {}
    for node in _top_level(tree.body):
        if isinstance(node, _Function | ast.ClassDef):
            names[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    return names


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module, with those inside `if` and `try`."""
    for node in body:
        yield node
        for inner in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try):
                yield from _top_level(getattr(node, inner, []))


def _init_faults(path: Path, names: dict[str, ast.AST]) -> Iterator[Fault]:
    init = names.get("init")
    if init is None and "*" not in names:
        yield Fault(
            path, 0, "script", "there is no function init()", "add 'def init():', called once per worker process"
        )
    if isinstance(init, _Function):
        arguments = init.args
        if len(arguments.posonlyargs) + len(arguments.args) > len(arguments.defaults):
            yield Fault(path, init.lineno, "script", "init() has parameters", "it is called without arguments")


def _run_faults(path: Path, names: dict[str, ast.AST]) -> Iterator[Fault]:
    run = names.get("run")
    example = "write 'def run(mini_batch):' with a list of file paths"
    if run is None and "*" not in names:
        yield Fault(path, 0, "script", "there is no function run()", example)
    if not isinstance(run, _Function):
        return
    if isinstance(run, ast.AsyncFunctionDef):
        yield Fault(path, run.lineno, "script", "run() is a coroutine", "remove 'async'")
        return
    arguments = run.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    if positional == 0 and arguments.vararg is None:
        yield Fault(path, run.lineno, "script", "run() takes no argument", example)
    if positional - len(arguments.defaults) > 2:
        yield Fault(
            path,
            run.lineno,
            "script",
            "run() needs more than two arguments",
            "it gets mini_batch and mini_batch_context",
        )
    yield from _result_faults(path, run)


def _online_faults(path: Path, names: dict[str, ast.AST]) -> Iterator[Fault]:
    """Scripts for online endpoints, whose run() gets one request. AutoML writes such a one beside each of its models.

    They are known by the decorators of `inference_schema`, which turn a request's JSON into arguments. Azure ML,
    "author scoring scripts for batch deployments": the script of an AutoML model is not designed for batch.
    """
    run = names.get("run")
    for decorator in run.decorator_list if isinstance(run, _Function) else ():
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
        if name in ("input_schema", "output_schema"):
            text = f"run() takes a request of an online endpoint (@{name}), as AutoML writes it"
            yield Fault(
                path, decorator.lineno, "online-script", text, "write 'def run(mini_batch):' with a list of file paths"
            )
            return


def _result_faults(path: Path, run: ast.FunctionDef) -> Iterator[Fault]:
    own = list(_own_nodes(run))
    fix = "return a list, a tuple or a DataFrame with one element per item"
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own):
        yield Fault(path, run.lineno, "script", "run() is a generator", fix)
        return
    returns = [node for node in own if isinstance(node, ast.Return)]
    if not any(node.value is not None and not _is_none(node.value) for node in returns):
        yield Fault(path, run.lineno, "script", "run() returns nothing, so that every mini-batch fails", fix)
        return
    for node in returns:
        if node.value is None or _is_none(node.value):
            yield Fault(path, node.lineno, "script", "run() returns None here, so that the mini-batch fails", fix)
        elif isinstance(node.value, _UNCOUNTABLE):
            yield Fault(path, node.lineno, "script", "run() returns something that Azure ML cannot count", fix)


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _call_faults(path: Path, call: ast.Call, summary_only: bool) -> Iterator[Fault]:
    function = call.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name == "parse_args":
        fix = "use parse_known_args()"
        yield Fault(
            path, call.lineno, "script-arguments", "parse_args() stops at the options that Azure ML passes", fix
        )
    target = _written(name, call)
    if target is None:
        return
    fix = "write to os.environ['AZUREML_BI_OUTPUT_PATH'], under a name made from the mini-batch"
    if constant := _text(target):
        if not constant.startswith(("/", "~")):
            text = f"'{constant}' is written to the working folder, which is thrown away"
            yield Fault(path, call.lineno, "script-output", text, fix)
    elif summary_only and (fixed := _fixed_name(target)):
        yield Fault(path, call.lineno, "script-output", f"every mini-batch writes to the same name, '{fixed}'", fix)


def _written(name: str, call: ast.Call) -> ast.expr | None:
    """The path that a call writes to, if it is one that writes."""
    if name in ("write_text", "write_bytes") and isinstance(call.func, ast.Attribute):
        return call.func.value
    first = call.args[0] if call.args else None
    if name == "open" and isinstance(call.func, ast.Name):
        keyword = next((word.value for word in call.keywords if word.arg == "mode"), None)
        mode = _text(call.args[1] if len(call.args) > 1 else keyword)
        return first if mode is not None and mode[:1] in ("w", "a", "x") else None
    return first if name in _WRITERS else None


def _fixed_name(path: ast.expr) -> str | None:
    """The file name of `os.path.join(folder, "x.csv")`, `Path(folder, "x.csv")` and `folder / "x.csv"`."""
    if isinstance(path, ast.BinOp) and isinstance(path.op, ast.Div):
        return _text(path.right)
    if isinstance(path, ast.Call) and len(path.args) > 1:
        return _text(path.args[-1])
    return None


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
