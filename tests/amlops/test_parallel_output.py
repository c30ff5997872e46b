"""The typed file beside Azure's: keyed by item, ordered, with the script's columns and their types."""

from __future__ import annotations

import datetime
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from parallel_job import ParallelJob

from amlops.errors import UserError
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.runner import run_parallel
from amlops.local.parallel.typed_output import typed_file

pytestmark = pytest.mark.slow


@pytest.fixture
def job(tmp_path: Path) -> ParallelJob:
    return ParallelJob(tmp_path)


def typed(job: ParallelJob, items: dict[str, str], script: str, **settings: Any) -> pd.DataFrame:
    """Run the job in this process and read its typed file."""
    result = run_parallel(job.plan(items, script=f"def init(): pass\n{script}", **settings), job.folder)
    assert result["status"] == "Completed", result
    return pd.read_parquet(result["typed_file"])


def test_a_list_has_an_item_and_a_value(job: ParallelJob) -> None:
    table = typed(job, {"b/2.txt": "", "b/1.txt": "", "a.txt": ""}, "def run(batch): return [len(i) for i in batch]")
    assert list(table.columns) == ["item", "item_order", "mini_batch", "value"]
    assert table["item"].tolist() == ["a.txt", "b/1.txt", "b/2.txt"]
    assert table["item_order"].tolist() == [0, 1, 2]
    assert table["value"].dtype == "int64"


FRAME = """\
import pandas as pd
from pathlib import Path
def run(batch):
    names = [Path(item).name for item in reversed(batch)]  # any order: each row names its item
    return pd.DataFrame({
        "file": names,
        "label": pd.array([int(n[0]) for n in names], dtype="int32"),
        "score": pd.Series([0.5 for _ in names], dtype="float32"),
        "good": [n != "0.txt" for n in names],
        "at": pd.to_datetime(["2026-01-02 03:04:05.678"] * len(names), utc=True),
        "item": ["mine"] * len(names),
        "tags": [["x", "y"]] * len(names),
    })
"""


def test_a_frame_keeps_names_and_types(job: ParallelJob) -> None:
    table = typed(job, {f"{n}.txt": "" for n in range(4)}, FRAME)
    assert list(table.columns)[3:] == ["file", "label", "score", "good", "at", "item_", "tags"]
    assert table["item"].tolist() == table["file"].tolist() == [f"{n}.txt" for n in range(4)]
    assert [str(table[name].dtype) for name in ("label", "score", "good")] == ["int32", "float32", "bool"]
    assert table["at"].tolist()[0] == datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.UTC)
    assert [list(each) for each in table["tags"]] == [["x", "y"]] * 4
    # Azure's file has the rows as the script gave them, mini-batch by mini-batch.
    assert [row.split()[0] for row in job.rows] == ["1.txt", "0.txt", "3.txt", "2.txt"]


def test_types_that_differ_between_mini_batches_become_the_wider_one(job: ParallelJob) -> None:
    script = "def run(batch): return [1 if batch[0].endswith('0.txt') else 2.5 for _ in batch]"
    assert typed(job, {f"{n}.txt": "" for n in range(4)}, script)["value"].tolist() == [1.0, 1.0, 2.5, 2.5]


def test_types_that_do_not_go_together_become_text_and_that_is_said(job: ParallelJob) -> None:
    script = "def run(batch): return [1 if batch[0].endswith('0.txt') else 'no' for _ in batch]"
    assert typed(job, {f"{n}.txt": "" for n in range(4)}, script)["value"].tolist() == ["1", "1", "no", "no"]
    assert job.result["notes"] == ["predictions.parquet: values of several types became text in value"]


def test_a_row_that_nobody_can_place_has_no_item(job: ParallelJob) -> None:
    table = typed(job, {f"{n}.txt": "" for n in range(2)}, "def run(batch): return ['only one']")
    assert table["item"].isna().tolist() == [True]
    assert table["mini_batch"].tolist() == [0]


@pytest.mark.skipif(os.name == "nt", reason="names of bytes")
def test_names_of_any_kind(job: ParallelJob) -> None:
    names = ["a b.txt", "数字.txt", "quote'\".txt"]
    plan = job.plan(dict.fromkeys(names, ""), script="def init(): pass\ndef run(batch): return batch")
    Path(os.fsdecode(os.fsencode(job.root / "in") + b"/caf\xe9.txt")).write_text("", encoding="utf-8")
    result = run_parallel(plan, job.folder)
    assert pd.read_parquet(result["typed_file"])["item"].tolist() == sorted([*names, "caf\\udce9.txt"])


def test_either_file_that_exists_is_refused(job: ParallelJob) -> None:
    plan = job.plan({"1.txt": "ok"})
    (job.root / "out").mkdir()
    (job.root / "out" / "predictions.parquet").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"predictions\.parquet' exists; --overwrite"):
        run_parallel(plan, job.folder)
    assert not (job.folder / "plan.json").exists()


def test_names_of_the_typed_file() -> None:
    names = {
        "predictions.csv": "predictions.parquet",
        "scores": "scores.parquet",
        "a.parquet": "a.parquet.typed.parquet",
    }
    assert {name: typed_file(Path(name)).name for name in names} == names


def test_the_header_of_a_frame(job: ParallelJob) -> None:
    typed(job, {f"{n}.txt": "" for n in range(4)}, FRAME, append_row_dataframe_header=True)
    assert job.rows[0] == "file label score good at item tags"
    assert len(job.rows) == 5


def test_rows_of_a_table_are_items(job: ParallelJob) -> None:
    folder = job.root / "table"
    folder.mkdir()
    (folder / "sales.csv").write_text("store,sold\n" + "".join(f"s{n},{n}\n" for n in range(5)), encoding="utf-8")
    (folder / "MLTable").write_text(
        "paths:\n  - file: ./sales.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n", encoding="utf-8"
    )
    script = "def init(): pass\ndef run(rows): return rows.assign(twice=rows.sold.astype(int) * 2)[rows.store != 's1']"
    plan = job.plan({}, script=script, mini_batch_size="20")
    result = run_parallel(replace(plan, source=BatchInput(folder, folder, "mltable")), job.folder)
    assert result["mini_batches"]["total"] > 1
    table = pd.read_parquet(result["typed_file"])
    assert table["twice"].tolist() == [0, 4, 6, 8]
    assert table["item"].tolist() == [f"sales.csv#{n}" for n in (0, 2, 3, 4)]
    assert result["items"] == {"total": 5, "succeeded": 4, "failed": 1}


def test_nothing_but_rows_is_in_the_file(job: ParallelJob) -> None:
    """No index of pandas: any reader of parquet sees the same columns."""
    typed(job, {"1.txt": ""}, "def run(batch): return batch")
    assert pq.read_schema(job.root / "out" / "predictions.parquet").names == [
        "item",
        "item_order",
        "mini_batch",
        "value",
    ]
