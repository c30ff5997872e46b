"""The page `docs/validate.md`, made from the tables of rules and kinds; the template's `make generated` writes it."""

from __future__ import annotations

from amlops.validate.kinds import KINDS
from amlops.validate.rules import RULES

_HEAD = """\
# What `amlops validate` finds

You changed a file and want to know whether Azure ML, and the laptop, will take it:

```
amlops validate                     the whole project
amlops validate pipelines           some files or folders, compared with the rest of the project
amlops validate -o json             for other programs
```

Each fault is one line: where it is, which rule, what is wrong, what to do.

```
pipelines/image-scoring/train.yml:14 literal inputs.epochs: 'many' is not a whole number; for example 10
```

The exit code is 1 when there is a fault and 0 otherwise. A line with `(warning)` does not count; a
comment `# amlops: accept RULE` at the end of the line that it names says that you know, and silences it. Nothing is
run, nothing is sent anywhere, and no client of Azure is imported, so the check of a whole project takes well under a
second.

`amlops batch-endpoint create` and `amlops batch-deployment create` make the same checks on the file that they are
given.

This page is made from the program. Do not edit it.

"""

_WHICH = """\
## Which files

YAML files in `.cloud` and `pipelines`, and conda files (`environment*.yml`, `conda*.yml`) in `code`. What a file is,
is told by its place, `$schema`, `type` and keys. Keys, types, ranges and the rules below are checked in these:
"""


def page() -> str:
    """The page as Markdown."""
    return _HEAD + _kinds() + _rules()


def _kinds() -> str:
    checked = [f"- {kind.title}" for kind in KINDS.values() if kind.shape]
    others = [f"- {kind.title} ({kind.note})" for kind in KINDS.values() if not kind.shape]
    return "\n".join([_WHICH, *checked, "", "Not checked here:", "", *others, "", ""])


def _rules() -> str:
    rows = [f"| `{rule.id}` | {'warning' if rule.warning else ''} | {rule.meaning} |" for rule in RULES.values()]
    return "\n".join(["## Rules", "", "| rule | | meaning |", "| --- | --- | --- |", *rows, ""])
