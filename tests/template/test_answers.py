"""Bad answers: one line each, nothing left on disk, no traceback. The questions themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from template_support import QUESTIONS, Template, run_cookiecutter

LONG = "Predictions of the churn of customers"
BAD_ANSWERS = {
    "name too long": ({"project_name": LONG}, f"project_name: '{LONG}' becomes product: "),
    "name too short": ({"project_name": "ab"}, "must have 3 to 24 characters, it has 2"),
    "name begins with a digit": ({"project_name": "2nd try"}, "'2nd-try' must be lower-case letters"),
    "name of nothing but signs": ({"project_name": "!!!"}, "it has 0"),
    "name with a line break": ({"project_name": "Digit\nscoring"}, "must be one line of 1 to 60 characters"),
    "name with spaces around": ({"project_name": " Digit scoring "}, "without spaces around it"),
    "no description": ({"description": ""}, "description: '' must be one line"),
    "description too long": ({"description": "x" * 257}, "must be one line of 1 to 256 characters"),
    "e-mail without @": ({"owner_email": "owner.example.com"}, "owner_email: 'owner.example.com' must be an e-mail"),
    "e-mail with a space": ({"owner_email": "o wner@example.com"}, "must be an e-mail address"),
    "cost centre empty": ({"cost_centre": ""}, "cost_centre: ''"),
    "cost centre with a sign": ({"cost_centre": "CC 1000;"}, "cost_centre: 'CC 1000;'"),
    "region unknown": ({"region": "West Europe"}, "region: 'West Europe' is not an Azure region"),
    "region misspelt": ({"region": "westeurop"}, "for example 'westeurope'"),
    "person climbs out": ({"person": "../../etc"}, "person: '../../etc'"),
    "person is a device on Windows": ({"person": "con"}, "no device name of Windows"),
    "name is a device on Windows": ({"project_name": "Nul"}, "no device name of Windows"),
    "person with capitals": ({"person": "Anna"}, "person: 'Anna' must be"),
    "group no GUID": ({"scientists_group": "data-scientists"}, "scientists_group: 'data-scientists' must be"),
    "group of zeros": ({"scientists_group": "00000000-0000-0000-0000-000000000000"}, "is the empty GUID"),
}


@pytest.mark.parametrize(("answers", "line"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_bad_answer_gets_one_line(template: Template, tmp_path: Path, answers: dict[str, str], line: str) -> None:
    output = tmp_path / "out"
    with pytest.raises(SystemExit) as stopped:
        template.render(output, **answers)
    lines = str(stopped.value).splitlines()
    assert len(lines) == 1
    assert line in lines[0]
    assert lines[0].startswith(next(iter(answers)))
    assert "for example" in lines[0]
    assert not output.exists()


def test_every_fault_is_told_at_once_on_the_command_line(template: Template, tmp_path: Path) -> None:
    bad = {"project_name": "X", "owner_email": "nobody", "region": "moon", "person": "A B", "scientists_group": "1"}
    result = run_cookiecutter(
        template, tmp_path / "out", "--no-input", *(f"{key}={value}" for key, value in bad.items())
    )
    assert result.returncode == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == list(bad)
    assert result.stdout == ""
    assert list((tmp_path / "out").iterdir()) == []


def test_answers_that_are_replayed_are_checked_too(template: Template, tmp_path: Path) -> None:
    assert run_cookiecutter(template, tmp_path / "out", "--no-input").returncode == 0
    replay = tmp_path / "replay_dir" / "template.json"
    content = json.loads(replay.read_text(encoding="utf-8"))
    content["cookiecutter"]["owner_email"] = "nobody"
    replay.write_text(json.dumps(content), encoding="utf-8")
    result = run_cookiecutter(template, tmp_path / "again", "--replay")
    assert result.returncode == 1
    assert "owner_email: 'nobody' must be an e-mail address; for example" in result.stderr
    assert list((tmp_path / "again").iterdir()) == []


def test_a_folder_that_exists_is_left_alone(template: Template, tmp_path: Path) -> None:
    mine = tmp_path / "out" / "digit-scoring" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    result = run_cookiecutter(template, tmp_path / "out", "--no-input")
    assert result.returncode == 1
    assert "already exists" in result.stdout and "Traceback" not in result.stdout + result.stderr
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


def test_questions_are_asked_in_order_and_enter_takes_the_default(template: Template, tmp_path: Path) -> None:
    asked = [field for field in QUESTIONS if not field.startswith("_")]
    assert asked == [
        "project_name", "description", "workload", "ci", "owner_email",
        "cost_centre", "region", "person", "scientists_group", "licence",
    ]  # fmt: skip
    answers = ["Wine quality", "", "1", "2", "", "", "northeurope", "", "", "3"]
    result = run_cookiecutter(template, tmp_path / "out", stdin="\n".join(answers) + "\n")
    assert result.returncode == 0, result.stderr
    positions = [result.stdout.index(f"[{number}/{len(asked)}]") for number in range(1, len(asked) + 1)]
    assert positions == sorted(positions)
    project = tmp_path / "out" / "wine-quality"
    assert (project / ".ado").is_dir() and not (project / ".github").exists()
    request = yaml.safe_load((project / ".cloud" / "request.yaml").read_text(encoding="utf-8"))
    assert request["region"] == "northeurope"
    assert request["groups"]["data_scientists"] == ""
    assert "make setup" in result.stdout


def test_every_question_and_choice_has_words_of_its_own() -> None:
    prompts = QUESTIONS["__prompts__"]
    for field, default in QUESTIONS.items():
        if field.startswith("_"):
            continue
        words = prompts[field]
        if isinstance(default, list):
            assert set(words) == {"__prompt__", *default}, field
        else:
            assert len(words.split()) >= 2, field
    assert set(prompts) == {field for field in QUESTIONS if not field.startswith("_")}
