"""`${{…}}` expressions, and commands split as bash splits them."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlops import bindings
from amlops.bindings import Input, Output, ParentInput, ParentOutput, StepOutput


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{parent.inputs.rate}}", ParentInput("rate")),
        ("${{ parent.inputs.rate }}", ParentInput("rate")),
        ("${{parent.outputs.model}}", ParentOutput("model")),
        ("${{parent.jobs.train_1.outputs.model}}", StepOutput("train_1", "model")),
        ("${{inputs.rate}}", Input("rate")),
        ("${{outputs.model}}", Output("model")),
        ("plain text", None),
        ("$[[optional]]", None),
    ],
)
def test_parse(text: str, expected: object) -> None:
    assert bindings.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "${{parent.inputs.rate}}_suffix",
        "${{inputs.a}}${{inputs.b}}",
        "${{parent.jobs.train.model}}",
        "${{parent.inputs.group.rate}}",
        "${{search_space.rate}}",
        "${{}}",
    ],
)
def test_parse_refuses_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"\$\{\{") as caught:
        bindings.parse(text)
    assert "\n" not in str(caught.value)


def test_optional_parts_come_and_go() -> None:
    command = "python main.py $[[--images ${{inputs.images}} --scale ${{inputs.scale}}]] --out ${{outputs.out}}"
    assert bindings.words(command, present={"images"}) == ["python", "main.py", "--out", "${{outputs.out}}"]
    assert bindings.words(command, present={"images", "scale"})[2:6] == [
        "--images", "${{inputs.images}}", "--scale", "${{inputs.scale}}",
    ]  # fmt: skip
    assert bindings.optional_inputs(command) == {"images", "scale"}
    assert bindings.optional_inputs(command + " ${{inputs.scale}}") == {"images"}


def test_a_value_with_spaces_and_quotes_stays_one_word() -> None:
    words = bindings.words("python main.py --data ${{ inputs.data }}/raw '--note=${{inputs.note}} !'")
    values = {"data": "/a b/c", "note": 'say "hi" $HOME'}
    filled = [bindings.fill(word, lambda binding: values[binding.name]) for word in words]
    assert filled == ["python", "main.py", "--data", "/a b/c/raw", '--note=say "hi" $HOME !']


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("pip install x && python main.py", "'&'"),
        ("python main.py | tee log", "'|'"),
        ("python main.py; ls", "';'"),
        ("python main.py > log", "'>'"),
        ("python main.py --glob *.png", "'*'"),
        ("python main.py $HOME", "'$'"),
        ('python main.py "$HOME"', "'$'"),
        ("python main.py `ls`", "'`'"),
        ("python a.py\npython b.py", "line break"),
        ("python main.py # all", "'#'"),
        ("python main.py ~/data", "'~'"),
        ("python 'main.py", "quotation"),
        ("  ", "empty"),
    ],
)
def test_what_needs_a_shell_is_refused(command: str, named: str) -> None:
    with pytest.raises(ValueError, match=r"command|shell") as caught:
        bindings.words(command)
    assert named in str(caught.value)


def test_lines_that_go_on_are_one_command() -> None:
    assert bindings.words("python main.py \\\n  --rate 1 \\\r\n --flag") == [
        "python",
        "main.py",
        "--rate",
        "1",
        "--flag",
    ]


_PIECES = st.one_of(
    st.text(alphabet="abc019-_=./:,%+@", min_size=1, max_size=6),
    st.text(alphabet="ab |&;<>()$`*?\\ ", max_size=6).map(lambda text: f"'{text}'"),
    st.text(alphabet="ab |&;<>()*? ", max_size=6).map(lambda text: f'"{text}"'),
    st.sampled_from([" ", "  ", "\\ ", "\\&", "\\'", '\\"', "\\\n", " \\\n "]),
)


@pytest.mark.skipif(shutil.which("bash") is None, reason="compares with bash")
@given(st.lists(_PIECES, min_size=1, max_size=8).map("".join))
@settings(max_examples=150, deadline=None)
def test_words_are_those_of_bash(text: str) -> None:
    command = f"python {text}"
    printed = subprocess.run(
        ["bash", "-c", f"python() {{ printf '%s\\0' python \"$@\"; }}; {command}"],
        capture_output=True,
        check=True,
        cwd="/",
    ).stdout.decode()
    assert bindings.words(command) == printed.split("\0")[:-1]
