"""`${{…}}` expressions of Azure ML, and the words of a component's `command`.

    parse("${{parent.jobs.prepare.outputs.images}}")   # StepOutput(step="prepare", name="images")
    words("python main.py $[[--rate ${{inputs.rate}}]]")   # ["python", "main.py", "--rate", "${{inputs.rate}}"]

Facts: Azure ML "core YAML syntax" reference (expressions; optional inputs in `$[[…]]`). In Azure a command is run by
bash. Here there is no shell, so what needs one is refused instead of being passed on as a word.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection
from dataclasses import dataclass

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_STEP = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_PARENT_INPUT = re.compile(rf"parent\.inputs\.({_NAME})")
_PARENT_OUTPUT = re.compile(rf"parent\.outputs\.({_NAME})")
_STEP_OUTPUT = re.compile(rf"parent\.jobs\.({_STEP})\.outputs\.({_NAME})")
_INPUT = re.compile(rf"inputs\.({_NAME})")
_OUTPUT = re.compile(rf"outputs\.({_NAME})")
# What a shell would act on outside quotes, with the word for it. `$` and the backtick act inside double quotes too.
_SHELL = {
    "&": "'&' (several commands or a background job)",
    "|": "'|' (a pipe)",
    ";": "';' (several commands)",
    "<": "'<' (redirection)",
    ">": "'>' (redirection)",
    "(": "'(' (a subshell)",
    ")": "')' (a subshell)",
    "*": "'*' (a file pattern)",
    "?": "'?' (a file pattern)",
    "\n": "a line break (several commands)",
}
_SHELL_IN_DOUBLE_QUOTES = {"$": "'$' (a variable)", "`": "'`' (a command in a command)"}
# What a shell acts on at the start of a word.
_SHELL_AT_START = {"#": "'#' (a comment)", "~": "'~' (the home folder)"}
_LAST_LINE_ENDS = re.compile(r"(?:(?<!\\)\r?\n[ \t]*)+\Z")
# Characters for private use stand for expressions while the words are split; no command has them.
_PLACEHOLDER = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class ParentInput:
    """`${{parent.inputs.NAME}}`: an input of the pipeline."""

    name: str


@dataclass(frozen=True)
class ParentOutput:
    """`${{parent.outputs.NAME}}`: an output of the pipeline."""

    name: str


@dataclass(frozen=True)
class StepOutput:
    """`${{parent.jobs.STEP.outputs.NAME}}`: an output of another step."""

    step: str
    name: str


@dataclass(frozen=True)
class Input:
    """`${{inputs.NAME}}` in a command."""

    name: str


@dataclass(frozen=True)
class Output:
    """`${{outputs.NAME}}` in a command."""

    name: str


Binding = ParentInput | ParentOutput | StepOutput | Input | Output

_FORMS: tuple[tuple[re.Pattern[str], Callable[..., Binding]], ...] = (
    (_PARENT_INPUT, ParentInput),
    (_PARENT_OUTPUT, ParentOutput),
    (_STEP_OUTPUT, StepOutput),
    (_INPUT, Input),
    (_OUTPUT, Output),
)
EXAMPLES = "${{parent.inputs.NAME}}, ${{parent.jobs.STEP.outputs.NAME}} or ${{parent.outputs.NAME}}"
COMMAND_EXAMPLES = "${{inputs.NAME}} or ${{outputs.NAME}}"


def has_expression(value: object) -> bool:
    """True when a string holds `${{…}}` anywhere."""
    return isinstance(value, str) and EXPRESSION.search(value) is not None


def parse(value: str) -> Binding | None:
    """The binding that the whole string is; None for a string without `${{…}}`.

    Raises:
        ValueError: text stands beside the expression, or the expression is none of the known forms.
    """
    if not has_expression(value):
        return None
    match = EXPRESSION.fullmatch(value.strip())
    if match is None or "${{" in match[1]:
        raise ValueError(f"'{value}' mixes text and an expression; use the expression alone, for example {EXAMPLES}")
    return _binding(match[1], EXAMPLES)


def command_bindings(command: str) -> list[Input | Output]:
    """The inputs and outputs that a command names, in order.

    Raises:
        ValueError: an expression that a command cannot use.
    """
    found: list[Input | Output] = []
    for match in EXPRESSION.finditer(command):
        binding = _binding(match[1], COMMAND_EXAMPLES)
        if not isinstance(binding, Input | Output):
            raise ValueError(f"'{match[0]}' cannot stand in a command; use {COMMAND_EXAMPLES}")
        found.append(binding)
    return found


def optional_inputs(command: str) -> set[str]:
    """Inputs that stand only in `$[[…]]`, so that the command works without them."""
    outside = {binding.name for binding in command_bindings(_OPTIONAL.sub(" ", command)) if isinstance(binding, Input)}
    everywhere = {binding.name for binding in command_bindings(command) if isinstance(binding, Input)}
    return everywhere - outside


def words(command: str, present: Collection[str] | None = None) -> list[str]:
    """Split a command as bash would, leaving each `${{…}}` as it is written.

    Args:
        command: `command:` of a component or a command job.
        present: names of the inputs that have a value; a `$[[…]]` part with another input is left out. None keeps all
            parts.

    Raises:
        ValueError: the command is empty, has an open quote, or needs a shell.
    """
    expressions: list[str] = []

    def keep(match: re.Match[str]) -> str:
        expressions.append(match[0])
        return f"\ue000{len(expressions) - 1}\ue001"

    text = _OPTIONAL.sub(lambda match: f" {match[1]} " if _wanted(match[1], present) else " ", command)
    text = _LAST_LINE_ENDS.sub("", EXPRESSION.sub(keep, text)).replace("\\\r\n", "").replace("\\\n", "").lstrip()
    _refuse_shell(text)
    try:
        split = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"the command cannot be split into words: {str(error).lower()}") from None
    if not split:
        raise ValueError("the command is empty; for example python main.py")
    return [_PLACEHOLDER.sub(lambda match: expressions[int(match[1])], word) for word in split]


def fill(word: str, value: Callable[[Input | Output], str]) -> str:
    """Replace every expression in a word of a command by its value."""

    def replace(match: re.Match[str]) -> str:
        binding = _binding(match[1], COMMAND_EXAMPLES)
        if not isinstance(binding, Input | Output):
            raise ValueError(f"'{match[0]}' cannot stand in a command; use {COMMAND_EXAMPLES}")
        return value(binding)

    return EXPRESSION.sub(replace, word)


def _binding(text: str, examples: str) -> Binding:
    for pattern, form in _FORMS:
        if match := pattern.fullmatch(text):
            return form(*match.groups())
    raise ValueError(f"'${{{{{text}}}}}' is not an expression that Azure ML knows here; use {examples}")


def _wanted(part: str, present: Collection[str] | None) -> bool:
    if present is None:
        return True
    return all(binding.name in present for binding in command_bindings(part) if isinstance(binding, Input))


def _refuse_shell(text: str) -> None:
    """Raise ValueError for the first character that only a shell could act on."""
    quote = ""
    escaped = False
    for before, character in zip(" " + text, text, strict=False):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            if quote == '"' and character in _SHELL_IN_DOUBLE_QUOTES:
                raise ValueError(_needs_shell(_SHELL_IN_DOUBLE_QUOTES[character]))
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif reason := _SHELL.get(character) or _SHELL_IN_DOUBLE_QUOTES.get(character):
            raise ValueError(_needs_shell(reason))
        elif before.isspace() and character in _SHELL_AT_START:
            raise ValueError(_needs_shell(_SHELL_AT_START[character]))


def _needs_shell(reason: str) -> str:
    return f"{reason} needs a shell, which steps do not have; put it into the Python program, or quote it"
