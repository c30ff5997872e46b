"""What may go wrong on a first day: the table knows what the offline Azure answers, and what passes with time."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from amlplatform.cli import app
from amlplatform.passing_errors import ERRORS, found_in, pass_with_time

URN = "azure-native:storage:StorageAccount (lake):"


def log(*errors: str) -> str:
    """As Pulumi prints it: each error where it happens and again in the end."""
    lines = [f" +  {URN} creating (0s) error: {error}" for error in errors]
    diagnostics = [f"  {URN}\n    error: {error}\n" for error in errors]
    return "\n".join(
        [*lines, "Diagnostics:", *diagnostics, "  pulumi:pulumi:Stack (s):", "    error: update failed", ""]
    )


SPREADS = 'Status=403 Code="AuthorizationFailed" Message="The client \'a\' does not have authorization."'
THROTTLED = 'Status=429 Code="TooManyRequests" Message="The request is being throttled."'
SOFT_DELETED = 'Status=400 Code="BadRequest" Message="Soft-deleted workspace exists. Please purge or recover it."'
NO_QUOTA = (
    'Status=400 Code="BadRequest" Message="The specified subscription has a standardNCSv3Family vCPU quota of 0 and"'
)
STRANGE = 'Status=400 Code="BadRequest" Message="Something else."'
EXISTS = "cannot create already existing resource '/subscriptions/s/resourceGroups/rg'"


@pytest.mark.parametrize(
    ("errors", "again"),
    [
        ([SPREADS], True),
        ([SPREADS, THROTTLED], True),
        ([SPREADS, SOFT_DELETED], False),
        ([NO_QUOTA], False),
        ([SPREADS, STRANGE], False),
        ([EXISTS], False),
        ([], False),
    ],
)
def test_whether_up_again_is_enough(errors: list[str], again: bool) -> None:
    found = found_in(log(*errors))
    assert len(found) == len(errors)
    assert pass_with_time(found) is again


def test_one_code_may_have_several_causes() -> None:
    causes = [entry.known.cause for entry in found_in(log(SOFT_DELETED, NO_QUOTA)) if entry.known]
    assert causes == [
        "a deleted workspace keeps its name for 14 days",
        "no cores of this VM family; GPU families start with none",
    ]
    assert found_in(log(STRANGE))[0].known is None


def test_no_entry_hides_another() -> None:
    for entry in ERRORS:
        first = next(other for other in ERRORS if other.fits(entry.code, entry.says or "anything"))
        assert first is entry
        assert entry.code or entry.says


@pytest.mark.parametrize(
    ("errors", "code", "said"),
    [
        ([SPREADS], 0, "do:      wait 5 minutes, `up` again"),
        ([EXISTS], 3, "do:      `amlplatform interrupted` (state.md)"),
        ([STRANGE], 3, "not known: Something else."),
        ([], 3, "no error in it"),
    ],
)
def test_the_command(tmp_path: Path, errors: list[str], code: int, said: str) -> None:
    file = tmp_path / "up.log"
    file.write_text(log(*errors), encoding="utf-8")
    result = CliRunner().invoke(app, ["explain", str(file)])
    assert result.exit_code == code
    assert said in result.stdout
    absent = CliRunner().invoke(app, ["explain", str(tmp_path / "absent")])
    assert (absent.exit_code, absent.stderr.count("\n")) == (1, 1)
