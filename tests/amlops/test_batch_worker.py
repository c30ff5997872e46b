"""What a worker does with a scoring script and its results, without a process."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlops.errors import UserError
from amlops.local.parallel.amlops_worker.entryscript import ScriptError, described, load_script, takes_context
from amlops.local.parallel.amlops_worker.returned import count, not_named, rendered
from amlops.local.parallel.inputs import BatchInput


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("lambda mini_batch: 0", ""),
        ("lambda mini_batch, mini_batch_context: 0", "keyword"),
        ("lambda mini_batch, *, mini_batch_context: 0", "keyword"),
        ("lambda mini_batch, context: 0", "position"),
        ("lambda mini_batch, verbose=False: 0", ""),
        ("lambda *args: 0", ""),
    ],
)
def test_second_parameter_gets_the_context(source: str, expected: str) -> None:
    run: Callable[..., object] = eval(source)
    assert takes_context(run) == expected


@pytest.mark.parametrize("source", ["lambda: 0", "lambda a, b, c: 0"])
def test_run_that_cannot_be_called(source: str) -> None:
    with pytest.raises(ScriptError, match="run\\(\\)"):
        takes_context(eval(source))


def test_append_row_text_of_a_frame_is_azures() -> None:
    frame = pd.DataFrame({"file": ["a b.png"], "p": [0.5], "at": ["2020-01-01 10:00:00"], "q": ['x"y']}, index=[7])
    assert (count(frame), rendered(frame)) == (1, '"a b.png" 0.5 "2020-01-01 10:00:00" "x""y"\n')


def test_missing_values_leave_two_spaces() -> None:
    frame = pd.DataFrame({"a": ["x"], "b": [None], "c": [float("nan")], "d": [1]})
    assert rendered(frame) == "x   1\n"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (["a", 1, None], (3, "a\n1\nNone\n")),
        (("a b", {"k": 1}), (2, "a b\n{'k': 1}\n")),
        ([], (0, "")),
        (pd.DataFrame({"a": []}), (0, "")),
    ],
)
def test_lists_and_tuples_give_a_line_each(result: object, expected: tuple[int, str]) -> None:
    assert (count(result), rendered(result)) == expected


@pytest.mark.parametrize("result", [None, "text", {"a": 1}, 5, pd.Series([1]), iter([1]), {1, 2}])
def test_other_results_are_refused(result: object) -> None:
    with pytest.raises(ScriptError, match=f"run\\(\\) returned {type(result).__name__}"):
        count(result)


def test_a_name_is_found_as_a_word_only() -> None:
    text = '11.png 3\n"a b.png" 4\n./x/2.png 5\n'
    items = ["/d/1.png", "/d/11.png", "/d/a b.png", "/d/2.png", "/d/.png"]
    assert not_named(items, text) == ["/d/1.png", "/d/.png"]


@given(
    st.lists(st.text(string.ascii_letters + string.digits + " .-_é", min_size=1, max_size=9), unique=True, max_size=8)
)
def test_every_named_item_is_found(names: list[str]) -> None:
    names = [f"{name}.png" for name in names]
    assert not_named([f"/data/{name}" for name in names], "".join(f'"{name}" 1\n' for name in names)) == []


def test_a_script_may_have_the_name_of_a_module(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("value = 1", encoding="utf-8")
    assert load_script(tmp_path / "json.py", []).value == 1
    import json

    assert hasattr(json, "dumps")


def test_traceback_starts_in_the_script(tmp_path: Path) -> None:
    script = tmp_path / "broken_driver.py"
    script.write_text("def helper():\n    raise KeyError('x')\nhelper()\n", encoding="utf-8")
    with pytest.raises(KeyError) as caught:
        load_script(script, [])
    trace = caught.value.__traceback__
    assert trace is not None
    told = described(caught.value.with_traceback(trace.tb_next))  # without the frame of this test
    assert told["type"] == "KeyError"
    assert told["message"] == "'x'"
    assert told["traceback"].splitlines()[1] == f'  File "{script}", line 3, in <module>'


@given(st.dictionaries(st.sampled_from(["", "a", "a/b", "c"]), st.integers(1, 12), min_size=1), st.integers(1, 5))
def test_mini_batches_cover_the_input_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, folders: dict[str, int], size: int
) -> None:
    root = tmp_path_factory.mktemp("data")
    for folder, files in folders.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(files):
            (root / folder / f"{number:02}").touch()
    batches = BatchInput(root, root, "uri_folder").mini_batches(size)
    items = [item for batch in batches for item in batch.items]
    assert sorted(items) == sorted(str(path) for path in root.rglob("*") if path.is_file())
    assert [batch.index for batch in batches] == list(range(len(batches)))
    for batch in batches:
        assert 1 <= len(batch.items) <= size
        assert len({Path(item).parent for item in batch.items}) == 1  # never files of two folders
        assert batch.items == sorted(batch.items)
    # Only the last mini-batch of a folder is short.
    assert len(batches) == sum(-(-files // size) for files in folders.values())


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "x.png").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "y.png").touch()
    (tmp_path / "data" / "a" / "up").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")
    source = BatchInput(tmp_path / "data", tmp_path / "data", "uri_folder")
    names = [source.name(item) for batch in source.mini_batches(10) for item in batch.items]
    assert names == ["a/x.png", "linked/y.png"]


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(UserError, match="has no file in it"):
        BatchInput(tmp_path / "empty", tmp_path / "empty", "uri_folder").mini_batches(10)
