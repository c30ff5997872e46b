"""Parallel steps on tables: by bytes, and one mini-batch for each store and brand of simulated sales."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from pathlib import Path

import pytest
from amlops_support import SmallProject

pytestmark = pytest.mark.slow

STORES, BRANDS, WEEKS = ("1001", "A.B", "A B"), ("dominicks", "minute maid"), 40
MLTABLE = """\
paths: [{pattern: ./*.csv}]
transformations:
  - read_delimited: {delimiter: ",", encoding: utf8, header: all_files_same_headers}
  - convert_column_types: [{columns: [Store], column_type: string}]
"""
# A linear trend for each series, as "many models" does it; the model goes to a folder that the script is given.
TRAIN = """\
import argparse, json, pathlib, urllib.parse
import numpy as np

def init():
    global options
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=pathlib.Path)
    parser.add_argument("--target")
    options, _ = parser.parse_known_args()

def run(input_data, mini_batch_context):
    keys = mini_batch_context.partition_key_value
    assert (input_data["Store"] == keys["Store"]).all() and (input_data["Brand"] == keys["Brand"]).all()
    slope, level = np.polyfit(input_data["Week"], input_data[options.target], 1)
    name = "-".join(urllib.parse.quote(str(value), safe="").replace(".", "%2E") for value in keys.values())
    (options.models / f"{name}.json").write_text(json.dumps({"slope": slope, "level": level, "rows": len(input_data)}))
    rows = input_data.head(1).assign(slope=round(float(slope), 3))[["Store", "Brand", "slope"]]
    return rows
"""
COUNT = """\
def init(): pass
def run(mini_batch):
    assert type(mini_batch).__name__ == "DataFrame"
    return mini_batch[["Store", "Week"]]
"""
STEP = """\
type: pipeline
settings: {default_compute: azureml:c}
inputs: {sales: {type: mltable, path: ../sales}, target: Quantity}
outputs: {table: {type: uri_file}}
jobs:
  train:
    type: parallel
    inputs:
      sales: {type: mltable, path: "${{parent.inputs.sales}}", mode: direct}
      target: ${{parent.inputs.target}}
    outputs:
      models: {type: uri_folder, mode: rw_mount}
      table: {type: uri_file, path: "${{parent.outputs.table}}"}
    input_data: ${{inputs.sales}}
    HOW
    resources: {instance_count: 2}
    task:
      type: run_function
      code: ../src
      entry_script: SCRIPT
      environment: azureml:e@latest
      program_arguments: --models ${{outputs.models}} --target ${{inputs.target}}
      append_row_to: ${{outputs.table}}
"""


@pytest.fixture
def sales(project: SmallProject) -> SmallProject:
    """Sales with a trend of its own for every store and brand, plus noise; rows of all series mixed, in two files."""
    source = random.Random(7)
    rows = [
        (store, brand, week, round(100 + 10 * place + (place + 1) * week + source.gauss(0, 0.5), 2))
        for place, (store, brand) in enumerate((store, brand) for store in STORES for brand in BRANDS)
        for week in range(WEEKS)
    ]
    source.shuffle(rows)
    for name, part in (("2023", rows[::2]), ("2024", rows[1::2])):
        lines = [",".join(map(str, row)) for row in part]
        project.write(f"sales/{name}.csv", "\n".join(["Store,Brand,Week,Quantity", *lines]) + "\n")
    project.write("sales/MLTable", MLTABLE)
    project.write("src/train.py", TRAIN)
    project.write("src/count.py", COUNT)
    return project


def test_partition_keys_make_one_mini_batch_for_each_store_and_brand(sales: SmallProject) -> None:
    sales.write(
        "pipelines/train.yml", STEP.replace("HOW", "partition_keys: [Store, Brand]").replace("SCRIPT", "train.py")
    )
    result = sales.run("job", "create", "-f", "pipelines/train.yml")
    assert result.code == 0, result.err
    step = result.json["steps"]["train"]
    assert step["mini_batches"]["total"] == len(STORES) * len(BRANDS)
    # One row for a partition of 40: by Azure ML's arithmetic the other 39 are failed items, which -1 ignores.
    assert step["items"] == {"total": 240, "succeeded": 6, "failed": 234}
    models = sorted(path.name for path in Path(step["outputs"]["models"]).iterdir())
    assert len(models) == 6, f"keys that differ by a point and a space only stay apart: {models}"
    # append_row: no header, no index, one space between values, quotes where a value has a space.
    text = Path(result.json["outputs"]["table"]).read_text(encoding="utf-8")
    found = {(row[0], row[1]): float(row[2]) for row in csv.reader(text.splitlines(), delimiter=" ")}
    assert found.keys() == {(store, brand) for store in STORES for brand in BRANDS}
    slopes = [found[store, brand] for store in STORES for brand in BRANDS]
    assert slopes == pytest.approx([1, 2, 3, 4, 5, 6], abs=0.1), "each model saw its own series, and all of it"


def test_a_table_is_cut_by_bytes_and_no_row_is_lost_or_doubled(sales: SmallProject) -> None:
    sales.write("pipelines/count.yml", STEP.replace("HOW", 'mini_batch_size: "1kb"').replace("SCRIPT", "count.py"))
    result = sales.run("job", "create", "-f", "pipelines/count.yml")
    assert result.code == 0, result.err
    step = result.json["steps"]["train"]
    size = sum(path.stat().st_size for path in (sales.root / "sales").glob("*.csv"))
    assert step["mini_batches"]["total"] >= size // 1024
    rows = len(STORES) * len(BRANDS) * WEEKS
    assert step["items"] == {"total": rows, "succeeded": rows, "failed": 0}
    weeks: dict[str, list[int]] = defaultdict(list)
    text = Path(result.json["outputs"]["table"]).read_text(encoding="utf-8")
    for store, week in csv.reader(text.splitlines(), delimiter=" "):
        weeks[store].append(int(week))
    assert {store: sorted(found) for store, found in weeks.items()} == {
        store: sorted(list(range(WEEKS)) * len(BRANDS)) for store in STORES
    }


def test_a_key_that_the_table_does_not_have(sales: SmallProject) -> None:
    sales.write(
        "pipelines/train.yml", STEP.replace("HOW", "partition_keys: [Store, Brands]").replace("SCRIPT", "train.py")
    )
    result = sales.run("job", "create", "-f", "pipelines/train.yml")
    assert result.code == 3 and "partition_keys: 'Brands' is no column" in result.err
    told = sales.run("validate", "pipelines/train.yml").out
    assert "partition-key jobs.train.partition_keys[1]: 'Brands' is neither a column" in told


def test_the_files_of_a_table_are_not_its_rows(sales: SmallProject) -> None:
    job = STEP.replace("HOW", 'mini_batch_size: "1kb"').replace("SCRIPT", "count.py")
    sales.write("pipelines/count.yml", job.replace("mode: direct", "mode: ro_mount"))
    result = sales.run("job", "create", "-f", "pipelines/count.yml")
    assert result.code == 1 and "write mode: direct for its rows, or type: uri_folder for files" in result.line
