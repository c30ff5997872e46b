"""Command lines as people write them for `az ml`, made into those that the commands here declare.

What `az ml` takes beyond that (its parser is Python's argparse, with options that take several values):

    --set a=1 b=2          several values after one flag             --set a=1 --set b=2
    --tags a=1 b=2                                                   --tag a=1 --tag b=2
    --endpoint NAME        the beginning of a flag's name            --endpoint-name NAME
    -g RG -w WS --web      flags that mean nothing here (`flags.IGNORED`)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence

from amlops.cli.flags import FLAGS, IGNORED, Ignored
from amlops.errors import UsageError
from amlops.project import LOCAL

# Flags with several values, and the flag that takes one of them here.
_SEVERAL = {"--set": "--set", "--tags": "--tag"}
# Nouns of our own: nobody carries command lines of `az ml` over to them.
_OUR_NOUNS = ("validate", "status", "render")
_DECLARED = frozenset(name for flag in FLAGS.values() for name in flag.names)


def as_declared(arguments: Sequence[str], options: Callable[[], Collection[str]]) -> tuple[list[str], list[str]]:
    """The arguments as the command declares them, and notes for the user.

    Args:
        arguments: the command line without the program's name.
        options: the flags of the command that is asked for; called only when an unknown flag is met.

    Raises:
        UsageError: a flag that contradicts the environment in Azure that was asked for.
    """
    if not arguments or arguments[0] in _OUR_NOUNS:
        return list(arguments), []
    words, notes = _without_ignored(arguments)
    return _spelled_out(_one_value_each(words), options), notes


def _without_ignored(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    kept: list[str] = []
    dropped: dict[str, list[str]] = {}
    waiting = iter(arguments)
    for word in waiting:
        name, equals, _ = word.partition("=")
        flag = _ignored(name, arguments[0])
        if flag is None:
            kept.append(word)
            continue
        if flag.local_only and (env := _environment(arguments)) != LOCAL:
            raise UsageError(
                f"{name}: --env {env} says where; it stands in .cloud/environments/{env}.yml, leave it out"
            )
        if flag.takes_value and not equals:
            next(waiting, None)
        if flag.note:
            dropped.setdefault(flag.note, []).append(name)
    return kept, [f"{', '.join(names)} not used: {why}" for why, names in dropped.items()]


def _ignored(name: str, noun: str) -> Ignored | None:
    return next((flag for flag in IGNORED if name in flag.names and (not flag.nouns or noun in flag.nouns)), None)


def _environment(arguments: Sequence[str]) -> str:
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name == "--env":
            return value if equals else next(iter(arguments[index + 1 :]), "")
    return os.environ.get("AMLOPS_ENV") or LOCAL


def _one_value_each(words: Sequence[str]) -> list[str]:
    """`--set a=1 b=2` as `--set a=1 --set b=2`. What has no `=` is no value of these flags, and left to the parser."""
    result: list[str] = []
    several = ""
    for word in words:
        if word in _SEVERAL:
            several = _SEVERAL[word]
        elif several and not word.startswith("-") and ("=" in word or result[-1] == several):
            result += [several, word] if result[-1] != several else [word]
            continue
        else:
            several = ""
        result.append(_SEVERAL.get(word, word))
    return result


def _spelled_out(words: list[str], options: Callable[[], Collection[str]]) -> list[str]:
    """Flags that are the beginning of exactly one flag of the command, written in full."""
    names = {word.partition("=")[0] for word in words if word.startswith("--") and len(word) > 2}
    unknown = names - _DECLARED
    known = options() if unknown else ()
    full: dict[str, str] = {}
    for name in unknown:
        found = [option for option in known if option.startswith(name)]
        if name not in known and len(found) == 1:
            full[name] = found[0]
    pairs = ((word.partition("="), word) for word in words)
    return [f"{full[name]}{equals}{value}" if name in full else word for (name, equals, value), word in pairs]
