"""The tables of commands and flags in the project's docs, made from the command line itself.

`tools/generated.py` of the template writes them into `docs/amlops.md`, between the two marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from amlops.cli.app import NOUNS, build
from amlops.cli.flags import FLAGS, IGNORED, NOT_SUPPORTED

START = "<!-- flags: written by tools/generated.py of the template -->"
END = "<!-- end of flags -->"
# Flags that every command has; told once, not in every row.
_COMMON = ("--env", "--output", "--query")
_EVERYWHERE = (*_COMMON, "--print-az", "--help")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command with its flags, for example ("job create", ["-f --file", "--set", ...])."""
    root: Any = typer.main.get_command(build(NOUNS))
    for noun, command in root.commands.items():
        verbs: dict[str, Any] = getattr(command, "commands", {"": command})
        for verb, inner in verbs.items():
            yield f"{noun} {verb}".strip(), [_spelling(parameter) for parameter in inner.params]


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name).upper()
    return " ".join(sorted(parameter.opts, key=len))


def markdown() -> str:
    """The two tables."""
    lines = ["| command | flags |", "| --- | --- |"]
    for command, flags in commands():
        own = [flag for flag in flags if flag.split()[-1] not in _EVERYWHERE]
        lines.append(f"| `amlops {command}` | {' '.join(f'`{flag}`' for flag in own)} |")
    lines += ["", *_everywhere()]
    lines += ["", "| flag | meaning | in `az ml` |", "| --- | --- | --- |"]
    for flag in FLAGS.values():
        value = f" {flag.metavar}" if flag.metavar else ""
        lines.append(f"| `{' '.join(flag.names)}{value}` | {flag.help} | {'yes' if flag.az else 'no'} |")
    lines += ["", "Flags of `az ml` that are taken and mean nothing on this machine:", ""]
    lines += ["| flag | at | why |", "| --- | --- | --- |"]
    for flag in IGNORED:
        names = " ".join(f"`{name}`" for name in flag.names)
        at = ", ".join(f"`{noun}`" for noun in flag.nouns) or "every command that `az ml` has"
        lines.append(f"| {names} | {at} | {flag.why}{'; refused with --env for Azure' if flag.local_only else ''} |")
    lines += ["", "Any other flag of `az ml` is refused. Those that people carry over:"]
    lines += ["", "| flag | instead |", "| --- | --- |"]
    lines += [f"| {' '.join(f'`{name}`' for name in names)} | {reason} |" for names, reason in NOT_SUPPORTED.items()]
    return "\n".join(lines)


def _everywhere() -> list[str]:
    """The flags that are not in the rows, and the commands that lack some of them."""
    lines = ["Every command has `--env`, `-o --output` and `--query`, except:", ""]
    without_az: list[str] = []
    for command, flags in commands():
        names = {flag.split()[-1] for flag in flags}
        common = [f"`{' '.join(FLAGS[name[2:]].names)}`" for name in _COMMON if name in names]
        if len(common) < len(_COMMON):
            lines.append(f"- `amlops {command}` has only {' and '.join(common)}")
        if "--print-az" not in names:
            without_az.append(f"`amlops {command}`")
    return [*lines, "", f"Every command but {', '.join(without_az)} has `--print-az`."]


def with_tables(text: str) -> str:
    """The text of the docs page with current tables between the marks. Raises ValueError when a mark is missing."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the page needs the marks '{START}' and '{END}'")
    return f"{before}{START}\n\n{markdown()}\n\n{END}{after}"
