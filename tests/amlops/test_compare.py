"""`amlops batch-deployment compare`: two deployments on the same input, the switch, and back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from amlops_support import SmallProject
from batch_support import DEPLOYMENT, BatchProject, InProcess, table

from amlops.errors import JobFailed, UserError
from amlops.local.batch.compare_report import most_telling
from amlops.local.batch.compare_rows import LABEL, NUMBER, Difference, Rows, compared
from amlops.workspace import CompareOptions

NAN = float("nan")


def rows(by_item: dict[str, list[list[Any]]], *columns: str, words: str = "", failed: str = "") -> Rows:
    return Rows(by_item, columns or ("label", "score"), frozenset(words.split()), dict.fromkeys(failed.split(), "why"))


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (["cat", 0.5], ["cat", 0.5000001], []),
        (["cat", 0.5], ["dog", 0.7], [("label", "label", None), ("number", "score", 0.2)]),
        ([3, NAN], [5, NAN], [("label", "label", None)]),  # whole numbers are labels, two missing values are equal
        ([3, 1.0], [3, None], [("label", "score", None)]),
        ([3, 1.0], [3.0, math.inf], [("number", "score", math.inf)]),
        ([{"a": 1, "p": [0.1]}, 0], [{"a": 1, "p": [0.2]}, 0], [("number", "label.p[0]", 0.1)]),
        (['{"a": [1.5]}', 0], ['{"a": [1.75]}', 0], [("number", "label.a[0]", 0.25)]),
        ([True, 0], [1, 0], []),
    ],
)
def test_values(first: list[Any], second: list[Any], found: list[tuple[str, str, float | None]]) -> None:
    result = compared(rows({"a": [first]}), rows({"a": [second]}), 1e-6)
    assert [(each.kind, each.column) for each in result.differences] == [each[:2] for each in found]
    assert [each.difference for each in result.differences] == [pytest.approx(each[2]) for each in found]
    assert (result.items, result.different) == (1, int(bool(found)))


def test_text_of_lists_is_compared_word_by_word() -> None:
    first, second = (
        rows({"a": [["a.png 3 0.91"]]}, "value", words="value"),
        rows({"a": [["a.png 4 0.9"]]}, "value", words="value"),
    )
    found = compared(first, second, 1e-6).differences
    assert [(each.kind, each.column, each.first, each.second) for each in found] == [
        ("label", "value: word 2", 3, 4),
        ("number", "value: word 3", 0.91, 0.9),
    ]


def test_items_that_only_one_has_or_one_failed() -> None:
    first = rows({"a": [["x", 1.0]], "b": [["x", 1.0], ["y", 2.0]], "c": [["x", 1.0]]}, failed="d e")
    second = rows({"b": [["x", 1.0]], "c": [["x", 1.0]], "d": [["x", 1.0]]}, failed="a e")
    result = compared(first, second, 0)
    assert [(each.item, each.kind, each.row) for each in result.differences] == [
        ("a", "failed in the second", 0),
        ("b", "only in the first", 2),
        ("d", "failed in the first", 0),
    ]
    assert (result.items, result.equal, result.different, result.failed_in_both) == (5, 1, 3, 1)


def test_columns_of_other_names_are_compared_by_place_and_others_are_told() -> None:
    by_place = compared(rows({"a": [["x", 1.0]]}), rows({"a": [["x", 2.0]]}, "class", "probability"), 0)
    assert [each.column for each in by_place.differences] == ["score"] and "by their place" in by_place.notes[0]
    more = compared(rows({"a": [["x", 1.0]]}), rows({"a": [["x", 1.0, 0]]}, "label", "score", "more"), 0)
    assert more.different == 0 and more.notes == ["not compared, because only one of the two has them: more"]


OTHER = DEPLOYMENT.replace("name: first", "name: second").replace("score/driver.py", "score/other.py")
DRIVER = """\
from pathlib import Path
def init(): pass
def run(mini_batch):
    rows = []
    for item in mini_batch:
        text = Path(item).read_text()
        if text == "skip" and {skip}:
            continue
        rows.append([item.rpartition("/")[2], text, len(text) * {factor}])
    import pandas
    return pandas.DataFrame(rows, columns=["file", "label", "score"])
"""


def test_the_page_shows_labels_first_and_then_the_largest_numbers() -> None:
    small, large = (Difference(f"{gap}.png", NUMBER, 1, "p", 0.0, gap, gap) for gap in (0.1, 0.7))
    label = Difference("z.png", LABEL, 1, "label", "4", "9")
    assert most_telling([small, large, label]) == [label, large, small]


@pytest.fixture
def two(project: SmallProject) -> BatchProject:
    batch = BatchProject.make(project)
    batch.deploy(driver=DRIVER.format(skip=False, factor=0.5))
    batch.files.write("code/scoring/score/other.py", DRIVER.format(skip=True, factor=0.25))
    batch.deployments.create(batch.files.write(".cloud/endpoints/scorer/second.yml", OTHER))
    return batch


@pytest.mark.slow
def test_two_deployments_are_compared_then_switched_and_back(two: BatchProject, monkeypatch: Any, capsys: Any) -> None:
    pytest.importorskip("pandas")
    amlops = InProcess(two.root, monkeypatch, capsys)
    two.images({"a/1.txt": "ab", "2 3.txt": "abcd", "4.txt": "skip", "5.txt": ""})
    words = ("batch-deployment", "compare", "--endpoint-name", "scorer", "--name", "first", "--with", "second")
    result = amlops(*words, "--input", "images", "--tolerance", "0.6")
    assert result.code == 0
    assert result.err.splitlines()[-1] == (
        "different: 2 of 4 items (50%): 1 in a number, 1 failed in the second; largest difference 1 in score of 2 3.txt"
    )
    summary = result.json
    assert summary["items"] == {"total": 4, "equal": 2, "different": 2, "failed_in_both": 0}
    jobs = [job["name"] for job in summary["jobs"].values()]
    assert [amlops("job", "show", "-n", name, "--query", "status").json for name in jobs] == ["Completed"] * 2
    assert [(row["item"], row["kind"], row["difference"]) for row in table(summary["differences_file"])] == [
        ("2 3.txt", "number", "1"),
        ("4.txt", "failed in the second", ""),
    ]
    page = Path(summary["report"]).read_text(encoding="utf-8")
    assert "set defaults.deployment_name=second" in page and "2 3.txt" in page
    for name in ("second", "first"):
        switched = amlops("batch-endpoint", "update", "--name", "scorer", "--set", f"defaults.deployment_name={name}")
        assert switched.json["defaults"]["deployment_name"] == name
    limited = amlops(*words, "--input", "images", "--fail-over", "60%", "-o", "table")
    assert limited.code == 3 and "3 of 4 items" in limited.err and "--fail-over allows 60%" in limited.err
    assert "items per second" in limited.out


@pytest.mark.slow
def test_the_column_that_names_the_item_can_be_told(two: BatchProject, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    folder = two.images({"1.txt": "ab"})
    same = two.deployments.compare("first", "second", "scorer", CompareOptions(str(folder), key="file", tolerance=1))
    assert same["verdict"] == "equal: 1 of 1 items have the same result (tolerance 1)"
    with pytest.raises(UserError, match="has no column 'name'; it has: file, label, score"):
        two.deployments.compare("first", "second", "scorer", CompareOptions(str(folder), key="name"))
    # Without pyarrow there is Azure's text file only: its first column is the key.
    monkeypatch.setattr("amlops.local.batch.compare_results.is_available", lambda: False)
    text = two.deployments.compare("first", "second", "scorer", CompareOptions(str(folder)))
    assert text["verdict"].endswith("1 in a number; largest difference 0.5 in column 3 of 1.txt")


@pytest.mark.parametrize(
    ("with_", "options", "said"),
    [
        ("first", {}, "is the same deployment"),
        ("third", {}, "has no deployment 'third'"),
        ("second", {"tolerance": -1.0}, "--tolerance: '-1.0' must be 0 or more"),
        ("second", {"fail_over": "some"}, "--fail-over: 'some' must be a number of items or a percentage"),
        ("second", {"report": Path("made")}, "exists; give another folder"),
    ],
)
def test_what_cannot_be_compared_makes_nothing(
    two: BatchProject, monkeypatch: pytest.MonkeyPatch, with_: str, options: dict[str, Any], said: str
) -> None:
    two.files.write("made/report.html", "")
    monkeypatch.chdir(two.root)
    with pytest.raises(UserError, match=said):
        two.deployments.compare("first", with_, "scorer", CompareOptions(str(two.images({"1.txt": "ab"})), **options))
    assert not (two.root / ".amlops" / "jobs").exists()


def test_deployments_that_write_their_results_themselves_are_not_compared(two: BatchProject) -> None:
    two.deployments.update("second", "scorer", sets=["settings.output_action=summary_only"])
    with pytest.raises(UserError, match="'second' writes its results itself"):
        two.deployments.compare("first", "second", "scorer", CompareOptions(str(two.images({"1.txt": "ab"}))))


@pytest.mark.slow
def test_a_job_that_fails_ends_the_comparison(two: BatchProject) -> None:
    two.files.write("code/scoring/score/other.py", "def init(): raise ValueError('broken')\ndef run(x): return x\n")
    two.deployments.create(two.root / ".cloud/endpoints/scorer/second.yml")
    with pytest.raises(JobFailed, match="broken"):
        two.deployments.compare("first", "second", "scorer", CompareOptions(str(two.images({"1.txt": "ab"}))))
