"""Smoke test: simple requests with the answers that are expected, before a deployment gets traffic.

# smoke.yml
cases:
  - name: a seven
    request: {images: [...]}          # or request_file: seven.json, relative to this file
    status: 200                       # default 200
    expect: {predictions: [{label: "7", probability: 0.98}]}
    tolerance: 0.05                   # numbers may differ by so much; default 0

A `.jsonl` file holds one such case per line.
"""

from __future__ import annotations

import http.client
import json
import math
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops import yamlfile
from amlops.errors import UserError
from amlops.realtime.connection import is_this_machine, tls_context
from amlops.workspace.online import SCRIPT_STATUS_HEADER, ScoringTarget
from amlops.yamlfile import Section

_KEYS = ("name", "request", "request_file", "status", "expect", "tolerance")
_SHOWN = 200
_NOTHING = object()


@dataclass(frozen=True)
class Case:
    """One request and what its answer must be. `expect` is `_NOTHING` when any body will do."""

    name: str
    body: bytes
    status: int
    expect: Any
    tolerance: float


def read_cases(file: Path) -> list[Case]:
    """The cases of a YAML or JSON lines file. Raises UserError with file and line."""
    document = _lines(file) if file.suffix.lower() in (".jsonl", ".ndjson") else yamlfile.load(file)
    cases = document.get("cases")
    if not isinstance(cases, list) or not cases:
        raise document.error("must be a list of cases; for example - {request: {images: []}, status: 400}", "cases")
    return [_case(document, number) for number in range(len(cases))]


def run_smoke(target: ScoringTarget, cases: Sequence[Case], timeout: float = 60.0) -> list[dict[str, Any]]:
    """Send each case once, in order.

    Returns:
        For each: name, status (null without an answer), passed, and reason (null when it passed).
    """
    return [_run(target, case, timeout) for case in cases]


def difference(expected: Any, found: Any, tolerance: float, path: str = "answer") -> str | None:
    """Where `found` is not what is expected; None when it is.

    A mapping may have more keys than expected; a list must have as many elements; numbers may differ by `tolerance`.
    """
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return f"{path}: {_text(found)} must be a mapping"
        missing = next((key for key in expected if key not in found), None)
        if missing is not None:
            return f"{path}.{missing}: is missing"
        parts = [(expected[key], found[key], f"{path}.{key}") for key in expected]
    elif isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{path}: {_text(found)} must be a list of {len(expected)}"
        parts = [(one, found[index], f"{path}[{index}]") for index, one in enumerate(expected)]
    else:
        same = _close(expected, found, tolerance) if _number(expected) and _number(found) else _same(expected, found)
        within = f" within {tolerance:g}" if tolerance and _number(expected) else ""
        return None if same else f"{path}: {_text(found)} must be {_text(expected)}{within}"
    return next((told for one in parts if (told := difference(one[0], one[1], tolerance, one[2])) is not None), None)


def _case(document: yamlfile.YamlFile, number: int) -> Case:
    section = document.section("cases", number)
    unknown = next((key for key in section.values if key not in _KEYS), None)
    if unknown is not None:
        raise section.error(f"is not a key of a case; one of {', '.join(_KEYS)}", unknown)
    status = section.values.get("status", 200)
    if not isinstance(status, int) or not 100 <= status < 600:
        raise section.error(f"'{status}' must be a status of HTTP; for example 400", "status")
    tolerance = section.values.get("tolerance", 0)
    if not _number(tolerance) or tolerance < 0:
        raise section.error(f"'{tolerance}' must be a number from 0; for example 0.01", "tolerance")
    name = section.text("name", f"case {number + 1}")
    return Case(name, _body(section), status, section.values.get("expect", _NOTHING), float(tolerance))


def _body(section: Section) -> bytes:
    values = section.values
    if ("request" in values) == ("request_file" in values):
        raise section.error("one of request and request_file is needed; for example request: {images: []}")
    if "request" in values:
        return json.dumps(values["request"]).encode()
    file = section.resolve(section.text("request_file"))
    if not file.is_file():
        raise section.error(f"'{values['request_file']}' is not a file beside this one", "request_file")
    return file.read_bytes()


def _lines(file: Path) -> yamlfile.YamlFile:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError("the file does not exist", file=file) from None
    cases: list[Any] = []
    lines: dict[yamlfile.KeyPath, int] = {(): 1}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            cases.append(json.loads(line))
        except ValueError as error:
            raise UserError(f"is not JSON: {error}", file=file, line=number) from None
        lines["cases", len(cases) - 1] = number
    return yamlfile.YamlFile(file.absolute(), {"cases": cases}, lines)


def _run(target: ScoringTarget, case: Case, timeout: float) -> dict[str, Any]:
    status, body, reason = _answer(target, case.body, timeout)
    if reason is None and status != case.status:
        reason = f"status: {status} must be {case.status}; answer: {body[:_SHOWN].decode('utf-8', 'replace')}"
    elif reason is None and case.expect is not _NOTHING:
        reason = _compared(case, body)
    return {"name": case.name, "status": status, "passed": reason is None, "reason": reason}


def _compared(case: Case, body: bytes) -> str | None:
    try:
        found = json.loads(body)
    except ValueError:
        return f"answer: is not JSON: {body[:_SHOWN].decode('utf-8', 'replace')}"
    return difference(case.expect, found, case.tolerance)


def _answer(target: ScoringTarget, body: bytes, timeout: float) -> tuple[int | None, bytes, str | None]:
    """Status and body, or a reason why there is none."""
    headers = {**target.headers, "Content-Type": "application/json"}
    request = urllib.request.Request(target.uri, body, headers)  # noqa: S310 (an address of the workspace)
    proxies = urllib.request.ProxyHandler({} if is_this_machine(target) else None)
    secure = urllib.request.HTTPSHandler(context=tls_context(target))
    try:
        with urllib.request.build_opener(proxies, secure).open(request, timeout=timeout) as answer:
            return answer.status, answer.read(), None
    except urllib.error.HTTPError as error:
        said = error.headers.get(SCRIPT_STATUS_HEADER, "")
        return int(said) if said.isdigit() else error.code, error.read(), None
    except (OSError, http.client.HTTPException) as error:
        return None, b"", f"no answer: {getattr(error, 'reason', None) or error}"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(expected: Any, found: Any) -> bool:
    return type(expected) is type(found) and expected == found


def _close(expected: float, found: float, tolerance: float) -> bool:
    if math.isnan(expected) or math.isnan(found):
        return math.isnan(expected) and math.isnan(found)
    return abs(expected - found) <= tolerance


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:_SHOWN]
