"""The command line itself: start-up, exit codes, output formats, what is refused, and the docs made from it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from amlops_support import PROJECT, ROOT, SmallProject

from amlops import __version__
from amlops.cli import flags, reference
from amlops.cli.output import emit
from amlops.cli.words import as_declared

DEV_YML = """\
environment: dev
subscription_id: "11111111-2222-3333-4444-555555555555"
resource_group: rg-churn-dev
workspace: mlw-churn-dev
location: westeurope
endpoints: {image-scoring: image-scoring-dev-k3x9a}
compute: {cpu-cluster: cpu-cluster}
registry: crchurndev
"""


@pytest.mark.parametrize(
    ("words", "become", "notes"),
    [
        (["job", "list", "-g", "rg", "--workspace-name=ws"], ["job", "list"], ["-g, --workspace-name not used: every"]),
        (["job", "show", "-n", "x", "--web"], ["job", "show", "-n", "x"], ["--web not used: there is no studio"]),
        (["batch-endpoint", "create", "-n", "x", "--no-wait"], ["batch-endpoint", "create", "-n", "x"], []),
        (["job", "list", "--only-show-errors"], ["job", "list"], []),
        (["x", "--set", "a=1", "b=2", "-n", "c"], ["x", "--set", "a=1", "--set", "b=2", "-n", "c"], []),
        (["x", "--set", "a", "b=2"], ["x", "--set", "a", "--set", "b=2"], []),
        (["model", "create", "--tags", "a=1", "b=2"], ["model", "create", "--tag", "a=1", "--tag", "b=2"], []),
        (["batch-deployment", "list", "--endpoint", "e"], ["batch-deployment", "list", "--endpoint-name", "e"], []),
        (["x", "--in=e"], ["x", "--in=e"], []),
        (["validate", "-g", "x"], ["validate", "-g", "x"], []),
    ],
)
def test_command_lines_of_az_become_ours(words: list[str], become: list[str], notes: list[str]) -> None:
    found, said = as_declared(words, lambda: ["--endpoint-name", "--input", "--input-type"])
    assert found == become
    assert [note.startswith(start) for note, start in zip(said, notes, strict=True)] == [True] * len(notes)


@pytest.fixture
def with_dev(project: SmallProject) -> SmallProject:
    project.write(".cloud/environments/dev.yml", DEV_YML)
    project.write("pipelines/train.yml", "type: pipeline\ninputs: {rate: 1, images: {type: uri_folder}}\njobs: {}\n")
    return project


def test_a_command_imports_nothing_heavy(project: SmallProject) -> None:
    result = project.run("--help")
    assert result.code == 0 and "batch-endpoint" in result.out
    heavy = "import sys; from amlops.cli import main; main(['job', 'list', '-o', 'json']); "
    heavy += "print(sorted({'mlflow', 'pandas', 'numpy', 'sklearn', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", heavy], cwd=project.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_any_folder_that_amlops_root_names_is_a_project(tmp_path: Path, amlops_cache: Path) -> None:
    foreign = SmallProject(tmp_path / "not a project", amlops_cache)
    foreign.write("w/a.txt", "x")
    nowhere = foreign.run("model", "list")
    assert nowhere.code == 1 and "name any folder to work in: export AMLOPS_ROOT=." in nowhere.line
    assert not (foreign.root / ".amlops").exists()
    assert foreign.run("model", "create", "-n", "m", "-p", "a.txt", cwd=foreign.root / "w", AMLOPS_ROOT="..").code == 0
    status = foreign.run("status", AMLOPS_ROOT=str(foreign.root)).json
    assert (status["environments"], status["models"]) == (["local"], {"m": "1"})
    wrong = foreign.run("status", AMLOPS_ROOT="nowhere")
    assert wrong.code == 1 and "nowhere' is not a folder; name the project's folder, or any other" in wrong.line


def test_version(project: SmallProject) -> None:
    assert project.run("--version").out.strip() == __version__
    text = (PROJECT / "tools" / "amlops" / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{__version__}"' in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["jobs"], "No such command 'jobs'"),
        (["job", "xyz", "-n", "x"], "No such command 'xyz'; one of create, show, list"),
        (["job", "create"], "Missing option '-f' / '--file'"),
        (["job", "show", "-n", "x", "-g", "rg", "--env", "dev"], "-g: --env dev says where; it stands in .cloud"),
        (["model", "list", "--web"], "--web is not supported"),
        (["job", "create", "-f", "x", "--nonsense"], "No such option: --nonsense"),
        (["model", "create", "-n", "m"], "--file, or --name and --path, are needed"),
        (["model", "create", "--name"], "requires an argument"),
        (["--env", "dev", "job", "list"], "--env stands after the verb"),
        (
            ["batch-endpoint", "invoke", "-n", "x", "--input", ".", "-m", "abc"],
            "'--mini-batch-size': must be a whole number; for example 10",
        ),
        (["job", "list", "--query", "[["], "--query: '[[' is not JMESPath"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(project: SmallProject, words: list[str], says: str) -> None:
    result = project.call(*words)
    assert result.code == 2 and says in result.line and result.out == ""


@pytest.mark.parametrize("noun", ["model", "data", "environment", "component"])
def test_a_label_that_is_not_kept_is_a_wrong_value_for_every_noun(project: SmallProject, noun: str) -> None:
    unknown = project.call(noun, "show", "-n", "x", "--label", "newest")
    assert unknown.code == 1 and unknown.line.startswith("amlops: --label: 'newest' is not known; use latest")
    both = project.call(noun, "show", "-n", "x", "--label", "latest", "--version", "1")
    assert both.code == 2 and "--label: give a version or a label, not both" in both.line


def test_nouns_without_a_verb_show_their_verbs(project: SmallProject) -> None:
    for noun in ("job", "model"):
        result = project.call(noun)
        assert result.code == 2 and result.err.startswith(f"Usage: amlops {noun}") and "create" in result.err


def test_output_formats(project: SmallProject) -> None:
    project.write("w/a.txt", "x")
    project.run("model", "create", "-n", "m", "-p", "w", "-d", "tab\there")
    assert project.run("model", "list").json[0]["description"] == "tab\there", "JSON when piped"
    assert project.run("model", "list", "-o", "tsv", "--query", "[].[name, description]").out == "m\ttab here\n"
    assert project.run("model", "show", "-n", "m", "-o", "none").out == ""
    assert project.run("model", "show", "-n", "m", "-o", "yaml", "--query", "{v: version}").out == "v: '1'\n"
    table = project.run("model", "list", "-o", "table").out.splitlines()
    assert table[0].split()[:3] == ["name", "version", "type"] and table[1].split()[:3] == ["m", "1", "custom_model"]
    assert project.run("job", "list", "-o", "table").out == ""
    assert project.run("model", "show", "-n", "m", "--query", "version").out == '"1"\n'


@pytest.mark.parametrize(
    ("result", "query", "lines"),
    [
        ({"name": "j", "b": None}, "name", ["j"]),
        ({"name": "j"}, "nothing", []),
        ([{"b": 1, "a": None}, {"b": True, "a": "x"}], "[].{b: b, a: a}", ["1\tNone", "True\tx"]),
        ({"b": 1, "a": {"x": 1}, "c": [1, 2]}, None, ["\t1\t2"]),
        ([True, "x"], None, ["true", "x"]),
    ],
)
def test_tab_separated_values_are_those_of_az(
    capsys: pytest.CaptureFixture[str], result: Any, query: str | None, lines: list[str]
) -> None:
    emit(result, "tsv", query)
    assert capsys.readouterr().out.splitlines() == lines


def test_status(with_dev: SmallProject) -> None:
    with_dev.write("w/a.txt", "x")
    with_dev.run("model", "create", "-n", "m", "-p", "w")
    status = with_dev.run("status").json
    assert status["environments"] == ["local", "dev"] and status["environment"] == "local"
    assert status["models"] == {"m": "1"} and status["jobs"] == {} and status["batch_endpoints"] == []
    assert with_dev.run("status", AMLOPS_ENV="dev").json["workspace"] == "mlw-churn-dev"


SCOPE = (
    "--resource-group rg-churn-dev --workspace-name mlw-churn-dev --subscription 11111111-2222-3333-4444-555555555555"
)
# What is asked of amlops, and the az command that answers, both without their common end.
AZURE = [
    (
        "job create -f pipelines/train.yml --set inputs.rate=3 -n a --stream --tag k=v",
        "job create --file build/dev/pipelines/train.yml --name a --stream --set inputs.rate=3 tags.k=v",
    ),
    ("job show -n a", "job show --name a"),
    ("job list", "job list"),
    ("job list -r 3 --parent-job-name a", "job list --max-results 3 --parent-job-name a"),
    ("job stream -n a", "job stream --name a"),
    ("job wait -n a --timeout 5", "job stream --name a"),
    ("job cancel -n a", "job cancel --name a"),
    ("job download -n a --all -p out", "job download --name a --download-path out --all"),
    (
        "batch-endpoint invoke -n image-scoring -f inputs.yml --set inputs.mode.default=fast",
        "batch-endpoint invoke --name image-scoring-dev-k3x9a --file inputs.yml --set inputs.mode.default=fast",
    ),
    (
        "model create -n m -p w --tag a=b -v 3",
        "model create --name m --version 3 --path w --type custom_model --tags a=b",
    ),
    ("model show -n m", "model show --name m --label latest"),
    ("model list --tag stage=test", "model list --query '[?tags.\"stage\" == '\"'\"'test'\"'\"']'"),
    ("batch-endpoint create -f .cloud/e.yml", "batch-endpoint create --file build/dev/.cloud/e.yml"),
    (
        "batch-endpoint invoke -n image-scoring --input w --mini-batch-size 5 --set output_file_name=p.csv",
        "batch-endpoint invoke --name image-scoring-dev-k3x9a --input w --mini-batch-size 5 "
        "--set output_file_name=p.csv",
    ),
    ("batch-endpoint delete -n image-scoring -y", "batch-endpoint delete --name image-scoring-dev-k3x9a --yes"),
    (
        "batch-deployment create -f .cloud/d.yml --set-default",
        "batch-deployment create --file build/dev/.cloud/d.yml --set-default",
    ),
    ("batch-endpoint list-jobs -n image-scoring", "batch-endpoint list-jobs --name image-scoring-dev-k3x9a"),
    (
        "batch-deployment list-jobs -n blue -e image-scoring",
        "batch-deployment list-jobs --name blue --endpoint-name image-scoring-dev-k3x9a",
    ),
    (
        "batch-deployment list -e image-scoring",
        "batch-deployment list --endpoint-name image-scoring-dev-k3x9a",
    ),
    (
        "schedule create -f .cloud/s.yml -n nightly --set trigger.interval=2 --no-wait",
        "schedule create --file build/dev/.cloud/s.yml --name nightly --set trigger.interval=2",
    ),
    ("schedule list --include-disabled", "schedule list --include-disabled"),
    ("schedule show -n nightly", "schedule show --name nightly"),
    ("schedule enable -n nightly", "schedule enable --name nightly"),
    ("schedule disable -n nightly", "schedule disable --name nightly"),
    ("schedule delete -n nightly", "schedule delete --name nightly --yes"),
]


@pytest.mark.parametrize(("command", "az_words"), AZURE)
def test_print_az_prints_the_az_command_and_does_nothing(with_dev: SmallProject, command: str, az_words: str) -> None:
    printed = with_dev.call(*command.split(), "--print-az", "--env", "dev")
    assert (printed.code, printed.out, printed.err) == (0, f"az ml {az_words} {SCOPE}\n", "")


def test_print_az_spells_out_the_path_of_a_data_input(with_dev: SmallProject) -> None:
    words = ["job", "create", "-f", "pipelines/train.yml", "--set", "inputs.images=some", "--env", "dev", "--print-az"]
    assert f"--set 'inputs.images.path=\"{with_dev.root}/some\"'" in with_dev.run(*words).out


def test_azure_refuses_what_is_wrong_before_it_answers(with_dev: SmallProject) -> None:
    with_dev.write("e.yml", "name: scorer\n")
    for words, says in (
        (["-f", "pipelines/train.yml", "--set", "inputs.rates=3"], "did you mean 'rate'? it has: rate, images"),
        (["-f", "e.yml"], "is not a job: it has neither 'type: pipeline' nor 'command'"),
    ):
        for option in ([], ["--print-az"]):
            result = with_dev.call("job", "create", *words, "--env", "dev", *option)
            assert (result.code, result.out) == (1, "") and says in result.line
    words = ["job", "create", "-f", "pipelines/train.yml", "--set", "inputs.images.path=x", "--env", "dev"]
    assert with_dev.run(*words, "--print-az").code == 0


def test_names_are_not_wrapped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amlops.cli.output._WIDTH_WHEN_PIPED", 60)
    name = "image-scoring-20260301-120000-ab12"
    emit([{"name": name, "type": "x" * 50, "status": "Completed"}], "table", columns=("name", "type", "status"))
    assert any(line.startswith(name) for line in capsys.readouterr().out.splitlines())


def test_the_docs_tell_which_flags_every_command_has() -> None:
    text = reference.markdown()
    for command, entries in reference.commands():
        common = {entry.split()[-1] for entry in entries} & {"--env", "--output", "--query"}
        assert (f"- `amlops {command}` has only" in text) == (len(common) < 3)


def test_every_flag_stands_in_the_table() -> None:
    known = {name for flag in flags.FLAGS.values() for name in flag.names} | {"--help", "-h"}
    used = {spelling for _, entries in reference.commands() for entry in entries for spelling in entry.split()}
    assert {name for name in used if name.startswith("-")} <= known
    ignored = {name for flag in flags.IGNORED for name in flag.names}
    assert not ({name for names in flags.NOT_SUPPORTED for name in names} | ignored) & known


@pytest.mark.slow
def test_docs_and_manifest_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generated.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_docs_name_only_commands_that_exist() -> None:
    page = (PROJECT / "docs" / "amlops.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`amlops ([a-z-]+(?: [a-z][a-z-]*)?)", page))
    assert named <= {command for command, _ in reference.commands()}
