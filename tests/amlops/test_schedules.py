"""`amlops schedule` on the laptop: records of schedules, previews, and what is refused in one line."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from amlops_support import SmallProject

FILE = ".cloud/schedules/digits/nightly.yml"
SCHEDULE = """\
name: nightly
display_name: Every night
trigger:
  type: cron
  expression: "30 3 * * *"
  start_time: "2026-01-01T00:00:00"
  time_zone: W. Europe Standard Time
create_job:
  type: pipeline
  job: ../../../pipelines/train.yml
  inputs: {rate: 0.3}
"""
TRAIN = """\
type: pipeline
display_name: Train
experiment_name: digits
settings: {default_compute: azureml:cpu-cluster}
inputs: {rate: 0.1}
jobs:
  fit:
    type: command
    command: python -c "print(${{inputs.rate}})"
    environment: azureml:e@latest
    inputs: {rate: "${{parent.inputs.rate}}"}
"""


@pytest.fixture
def nightly(project: SmallProject) -> SmallProject:
    project.write(FILE, SCHEDULE)
    project.write("pipelines/train.yml", TRAIN)
    return project


def test_a_schedule_is_made_switched_off_and_on_and_deleted(nightly: SmallProject) -> None:
    made = nightly.call("schedule", "create", "-f", FILE)
    assert "nothing starts by itself on this machine; amlops job create -f pipelines/train.yml" in made.line
    record = made.json
    assert record["is_enabled"] and record["provisioning_state"] == "Succeeded" and record["next_run"]
    job = record["create_job"]
    assert (job["file"], job["inputs"], job["steps"]) == ("pipelines/train.yml", {"rate": 0.3}, ["fit"])
    off = nightly.call("schedule", "disable", "-n", "nightly").json
    assert off == {**record, "is_enabled": False, "next_run": None}
    assert nightly.call("schedule", "list").json == []
    assert nightly.call("schedule", "list", "--disabled-only").json == [off]
    on = nightly.call("schedule", "enable", "-n", "nightly").json
    assert on["is_enabled"] and on["next_run"] == nightly.call("schedule", "show", "-n", "nightly").json["next_run"]
    again = nightly.call("schedule", "create", "-f", FILE, "--set", "trigger.expression=0 4 * * *").json
    assert (again["created_at"], again["trigger"]["expression"]) == (record["created_at"], "0 4 * * *")
    assert nightly.call("schedule", "delete", "-n", "nightly", "--yes").code == 0
    assert nightly.call("schedule", "list", "--include-disabled").json == []
    assert nightly.call("job", "list").json == []


def test_a_time_without_quotes_is_a_time(nightly: SmallProject) -> None:
    nightly.write(FILE, SCHEDULE.replace('"2026-01-01T00:00:00"', "2026-01-01T00:00:00"))
    record = nightly.call("schedule", "create", "-f", FILE).json
    assert record["trigger"]["start_time"] == "2026-01-01T00:00:00"


def test_preview_of_a_file_shows_both_clocks_and_how_often(nightly: SmallProject) -> None:
    words = ("schedule", "preview", "-f", FILE, "--from", "2026-03-28T12:00:00+01:00", "--count", "2")
    found = nightly.call(*words).json
    assert found["runs"] == [
        {"utc": "2026-03-29T01:30:00Z", "local": "2026-03-29T03:30:00+02:00"},
        {"utc": "2026-03-30T01:30:00Z", "local": "2026-03-30T03:30:00+02:00"},
    ]
    assert (found["runs_per_month"], found["notes"]) == (30.4, [])
    table = nightly.call(*words, "-o", "table").out.splitlines()
    assert table[0] == "nightly: about 30.4 runs a month, time zone W. Europe Standard Time"
    assert nightly.call("schedule", "list", "--include-disabled").json == []


def test_preview_says_what_azure_reads_otherwise(nightly: SmallProject) -> None:
    words = ("schedule", "preview", "-f", FILE, "--set", "trigger.expression=0 6 1 * *", "is_enabled=false")
    notes = [line for line in nightly.call(*words, "-o", "table").out.splitlines() if line.startswith("note: ")]
    assert [note.split(":")[1].strip() for note in notes] == ["expression", "is_enabled"]
    assert "reads the days of '0 6 1 * *' as *" in notes[0]
    never = nightly.call("schedule", "preview", "-f", FILE, "--set", "trigger.end_time='2026-01-02T00:00:00'").json
    assert never["runs"] == [] and "it never runs from" in never["notes"][0]


def test_preview_of_a_stored_schedule_counts_from_its_creation(nightly: SmallProject) -> None:
    text = "{type: recurrence, frequency: hour, interval: 5, time_zone: UTC}"
    record = nightly.call("schedule", "create", "-f", FILE, "--set", f"trigger={text}").json
    words = ("schedule", "preview", "-n", "nightly", "--count", "1", "--from", "2030-01-01")
    (run,) = nightly.call(*words).json["runs"]
    passed = datetime.fromisoformat(run["utc"]) - datetime.fromisoformat(record["created_at"]).replace(microsecond=0)
    assert passed % timedelta(hours=5) == timedelta()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("create", "-f", FILE, "--set", "trigger.expression=61 * * * *"), "trigger.expression: '61' is not a value"),
        (("create", "-f", FILE, "--set", "trigger.time_zone=Europe/Berlin"), "'Europe/Berlin' is not a time zone"),
        (("create", "-f", FILE, "--set", "create_job=../../../pipelines/tran.yml"), "tran.yml"),
        (("create", "-f", FILE, "--set", "create_job.inputs.rates=1"),
         "create_job.inputs.rates: is not an input of the job; it has: rate"),
        (("create", "-f", FILE, "--set", "create_job=azureml:old"), "create_job: "),
        (("create", "-f", FILE, "--name", "a b"), "name: 'a b' must be letters"),
        (("create", "-f", "missing.yml"), "missing.yml: the file does not exist"),
        (("show", "-n", "../../x"), "--name: there is no schedule '../../x'; make one: amlops schedule create -f FILE"),
        (("enable", "-n", "none"), "there is no schedule 'none'"),
        (("delete", "-n", "nightly"), "--yes: is needed to delete without a terminal"),
        (("preview", "-f", FILE, "--from", "soon"), "--from: 'soon' must be a date and time"),
        (("preview", "-f", FILE, "--from", "9999-12-31"), "from 1970 to 2999"),
        (("preview", "-f", FILE, "--count", "0"), "--count"),
        (("preview",), "give --file, with --set, or --name"),
        (("list", "--disabled-only", "--include-disabled"), "give one of them"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(nightly: SmallProject, words: tuple[str, ...], says: str) -> None:
    refused = nightly.call("schedule", *words)
    assert refused.code in (1, 2) and refused.out == "" and says in refused.line


def test_a_command_job_cannot_be_scheduled_even_when_it_ran_here(nightly: SmallProject) -> None:
    nightly.write("hello.yml", 'type: command\ncommand: python -c "1"\nenvironment: azureml:e@latest\n')
    assert nightly.run("job", "create", "-f", "hello.yml", "-n", "hello").code == 0
    refused = nightly.call("schedule", "create", "-f", FILE, "--set", "create_job=azureml:hello")
    assert "'hello' is a command job; only pipeline jobs can be scheduled" in refused.line


def test_status_shows_schedules_with_their_next_run(nightly: SmallProject) -> None:
    record = nightly.call("schedule", "create", "-f", FILE).json
    view = nightly.call("status").json
    assert view["schedules"] == [
        {"name": "nightly", "is_enabled": True, "next_run": record["next_run"], "state": "Succeeded"}
    ]
    assert "\nschedules\n" in nightly.call("status", "-o", "table").out


def test_a_damaged_record_is_told_with_its_file(nightly: SmallProject) -> None:
    nightly.write(".amlops/schedules/nightly.json", "{")
    refused = nightly.call("schedule", "show", "-n", "nightly")
    assert "the record is not valid JSON; delete it and create the schedule again" in refused.line
