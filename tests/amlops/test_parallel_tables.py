"""Rows of a.1 about tables: how they are cut into mini-batches, and what `run()` then gets."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlops.errors import UserError
from amlops.local.parallel.amlops_worker.tablereader import read_rows
from amlops.local.parallel.codec import from_json, to_json
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.minibatches import MiniBatch, number_of_bytes, number_of_files

READ = "transformations:\n- read_delimited: {delimiter: ','}\n"


def mltable(folder: Path, text: str = READ, paths: str = "[{pattern: ./**/*.csv}]", **files: str) -> Path:
    """A folder with an MLTable file, and files by name (two underscores for a dot)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "MLTable").write_text(f"type: mltable\npaths: {paths}\n{text}", encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return folder


def batches(folder: Path, size: int | str = "1mb", keys: tuple[str, ...] = ()) -> list[MiniBatch]:
    made = BatchInput(folder, folder, "mltable").mini_batches(size, keys)
    return [from_json(MiniBatch, to_json(batch)) for batch in made]  # as a resumed job has them


def frame(batch: MiniBatch) -> pd.DataFrame:
    assert batch.table is not None
    return read_rows(batch.table.as_message())


def names(batch: MiniBatch) -> list[str]:
    return [item.rpartition("/")[2] for item in batch.items]


@pytest.mark.parametrize(("size", "expected"), [("10kb", 10240), ("2MB", 2 * 1024**2), ("1Gb", 1024**3), ("7", 7)])
def test_a1_a_size_of_tables_is_bytes(size: str, expected: int) -> None:
    assert number_of_bytes(size) == expected


@pytest.mark.parametrize("size", ["100 kb", "10x", "kb", "", "0", "-5"])
def test_a1_sizes_that_the_service_rejects(size: str) -> None:
    with pytest.raises(UserError, match="mini_batch_size"):
        number_of_bytes(size)


def test_a1_bytes_are_refused_for_files() -> None:
    with pytest.raises(UserError, match="is for tables"):
        number_of_files("10kb")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    files=st.lists(st.lists(st.integers(1, 40), max_size=30), min_size=1, max_size=4),
    limit=st.integers(1, 400),
    last_line_ends=st.booleans(),
)
def test_a1_rows_are_cut_by_bytes_and_never_over_a_file(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int]], limit: int, last_line_ends: bool
) -> None:
    folder = mltable(tmp_path_factory.mktemp("table"))
    rows: list[str] = []
    for place, lengths in enumerate(files):
        values = [f"{place}-{row}-{'x' * length}" for row, length in enumerate(lengths)]
        text = "\n".join(["name,size", *(f"{value},{len(value)}" for value in values)])
        (folder / f"{place}.csv").write_text(text + "\n" * last_line_ends, encoding="utf-8")
        rows += values
    if not rows:
        with pytest.raises(UserError, match="has no rows"):
            batches(folder, limit)
        return
    made = batches(folder, max(2, limit))
    assert [value for batch in made for value in frame(batch)["name"]] == rows
    for batch in made:
        assert batch.table is not None
        (piece,) = batch.table.pieces
        assert piece.count == 1 or piece.length <= max(2, limit)
        assert len(frame(batch)) == len(batch.items) == piece.count
        assert list(frame(batch).columns) == ["name", "size"]


def test_a1_items_of_a_table_are_rows_of_files(tmp_path: Path) -> None:
    made = batches(mltable(tmp_path, a__csv="x\n1\n2\n3\n", b__csv="x\n4\n"), 4)
    assert [names(batch) for batch in made] == [["a.csv#0", "a.csv#1"], ["a.csv#2"], ["b.csv#0"]]
    assert made[0].items[-1].endswith("a.csv#1")
    assert made[0].sources == [str(tmp_path / "a.csv")]


def test_a1_the_default_size_is_a_megabyte(tmp_path: Path) -> None:
    assert len(batches(mltable(tmp_path, a__csv="x\n" + "1\n" * 5000), "1")) == 1


def test_a1_a_file_without_rows_gives_no_mini_batch(tmp_path: Path) -> None:
    made = batches(mltable(tmp_path, a__csv="x\n", b__csv="", c__csv="x\n\n7\n\n"))
    assert [frame(batch)["x"].tolist() for batch in made] == [[7]]


def test_a1_partition_keys_of_columns(tmp_path: Path) -> None:
    text = "store,brand,n\n1,b,10\n2,a,20\n1,b,30\n1,,40\n"
    made = batches(mltable(tmp_path, x__csv=text, y__csv="store,brand,n\n2,a,50\n"), 1, ("store", "brand"))
    assert [(batch.partition, frame(batch)["n"].tolist()) for batch in made] == [
        ({"store": 1, "brand": "b"}, [10, 30]),
        ({"store": 2, "brand": "a"}, [20, 50]),  # keys win over the size, and a partition may have rows of two files
        ({"store": 1, "brand": None}, [40]),
    ]
    assert names(made[1]) == ["x.csv#1", "y.csv#0"]


def test_a1_partition_keys_cover_every_row_once(tmp_path: Path) -> None:
    chance = random.Random(5)
    keys = [chance.choice("abcdef") for _ in range(500)]
    text = "key,row\n" + "".join(f"{key},{row}\n" for row, key in enumerate(keys))
    made = batches(mltable(tmp_path, x__csv=text), keys=("key",))
    for batch in made:
        assert frame(batch)["row"].tolist() == [row for row, key in enumerate(keys) if key == batch.partition["key"]]
    assert sum(len(batch.items) for batch in made) == 500


def test_a1_partition_keys_of_the_path(tmp_path: Path) -> None:
    text = READ + "- extract_columns_from_partition_format: '/{Store}/{Day:yyyy/MM/dd}/*.csv'\n"
    folder = mltable(tmp_path, text)
    for path, value in (("1004/2024/05/06", 1), ("1002/2024/05/06", 2), ("1004/2024/05/07", 3)):
        (folder / path).mkdir(parents=True)
        (folder / path / "a.csv").write_text(f"n\n{value}\n", encoding="utf-8")
    made = batches(folder, keys=("Store",))
    assert [(batch.partition, frame(batch)["n"].tolist()) for batch in made] == [
        ({"Store": "1002"}, [2]),
        ({"Store": "1004"}, [1, 3]),
    ]
    assert frame(made[1])["Day"].tolist() == [pd.Timestamp(2024, 5, 6), pd.Timestamp(2024, 5, 7)]


def test_a1_the_partitions_of_microsofts_example_of_sales(tmp_path: Path) -> None:
    # azureml-examples, 1a_oj_sales_prediction: one folder per key, and an MLTable as its partition step writes it.
    text = (
        "transformations:\n"
        "- read_delimited: {delimiter: ',', encoding: ascii, header: all_files_same_headers, empty_as_string: false,\n"
        "    include_path_column: true}\n"
        "- extract_columns_from_partition_format: {partition_format: '{Store}/{Brand}/{file_name}.{extension}'}\n"
        "- drop_columns: [Path, file_name, extension]\n"
    )
    folder = mltable(tmp_path, text, "[{pattern: './**/*.csv'}]")
    for store, brand in (("1002", "dominicks"), ("1002", "tropicana"), ("1005", "dominicks")):
        (folder / store / brand).mkdir(parents=True)
        csv = f"WeekStarting,Quantity\n1990-06-14,{store}\n1990-06-21,7\n"
        (folder / store / brand / "partitioned_data.csv").write_text(csv, encoding="ascii")
    made = batches(folder, "1", ("Store", "Brand"))
    assert [batch.partition for batch in made] == [
        {"Store": "1002", "Brand": "dominicks"},
        {"Store": "1002", "Brand": "tropicana"},
        {"Store": "1005", "Brand": "dominicks"},
    ]
    assert list(frame(made[0]).columns) == ["WeekStarting", "Quantity", "Store", "Brand"]
    assert frame(made[2])["Quantity"].tolist() == [1005, 7]


def test_a1_a_partition_format_may_leave_out_the_file(tmp_path: Path) -> None:
    folder = mltable(tmp_path, READ + "- extract_columns_from_partition_format: '/puYear={year}/puMonth={month}'\n")
    (folder / "green" / "puYear=2013" / "puMonth=8").mkdir(parents=True)
    (folder / "green" / "puYear=2013" / "puMonth=8" / "a.csv").write_text("n\n1\n", encoding="utf-8")
    assert [batch.partition for batch in batches(folder, keys=("year", "month"))] == [{"year": "2013", "month": "8"}]


def test_a1_partition_keys_of_folders_called_key_value(tmp_path: Path) -> None:
    for path in ("store=1/brand=b", "store=1/brand=a", "store=2/brand=a"):
        (tmp_path / path / "more").mkdir(parents=True)
        for name in ("y.txt", "x.txt", "more/z.txt"):
            (tmp_path / path / name).touch()
    made = BatchInput(tmp_path, tmp_path, "uri_folder").mini_batches(1, ("store",))
    assert [(batch.partition, len(batch.items)) for batch in made] == [({"store": "1"}, 6), ({"store": "2"}, 3)]
    with pytest.raises(UserError, match="partition_keys: 'shop' is not in the path of"):
        BatchInput(tmp_path, tmp_path, "uri_folder").mini_batches(1, ("shop",))


def test_a1_an_unknown_partition_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"partition_keys: 'shop' is no column of .*x.csv; it has store, n"):
        batches(mltable(tmp_path, x__csv="store,n\n1,2\n"), keys=("shop",))


def test_a_script_may_change_its_rows(tmp_path: Path) -> None:
    made = batches(mltable(tmp_path, x__csv="key,n\na,1\nb,2\na,3\n"), keys=("key",))
    rows = frame(made[0])
    rows.loc[:, "n"] = 0
    rows.drop(columns="key", inplace=True)
    assert frame(made[0])["n"].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("options", "text", "columns", "first"),
    [
        ("{delimiter: ';', encoding: iso88591}", "a;b\n1;ü\n".encode("latin-1"), ["a", "b"], [1, "ü"]),
        ("{header: no_header}", b"1,x\n2,y\n", ["Column1", "Column2"], [1, "x"]),
        ("{infer_column_types: false}", b"a\n007\n", ["a"], ["007"]),
        ("{empty_as_string: true}", b"a,b\nx,\n", ["a", "b"], ["x", ""]),
        ("{encoding: utf16}", "a,b\n1,ü\n".encode("utf-16"), ["a", "b"], [1, "ü"]),
        ("{encoding: utf8bom}", "a,b\n1,ü\n".encode("utf-8-sig"), ["a", "b"], [1, "ü"]),
        ("{support_multi_line: true}", b'a,b\n"x\ny",1\n', ["a", "b"], ["x\ny", 1]),
    ],
)
def test_a1_how_delimited_files_are_read(
    tmp_path: Path, options: str, text: bytes, columns: list[str], first: list[object]
) -> None:
    folder = mltable(tmp_path, f"transformations:\n- read_delimited: {options}\n")
    (folder / "x.csv").write_bytes(text)
    (batch,) = batches(folder)
    assert list(frame(batch).columns) == columns
    assert frame(batch).iloc[0].tolist() == first
    assert len(batch.items) == len(frame(batch))


def test_a1_the_header_of_the_first_file_is_that_of_all(tmp_path: Path) -> None:
    folder = mltable(tmp_path, "transformations:\n- read_delimited: {header: from_first_file}\n")
    for name, text in (("a.csv", "n,m\n1,2\n"), ("b.csv", "3,4\n")):
        (folder / name).write_text(text, encoding="utf-8")
    assert [frame(batch).to_dict("list") for batch in batches(folder)] == [{"n": [1], "m": [2]}, {"n": [3], "m": [4]}]


def test_a1_text_in_the_first_rows_is_text_in_every_mini_batch(tmp_path: Path) -> None:
    made = batches(mltable(tmp_path, x__csv="id\nA1\n007\n008\n"), 4)
    assert [frame(batch)["id"].tolist() for batch in made] == [["A1"], ["007"], ["008"]]


def test_a1_columns_of_an_mltable(tmp_path: Path) -> None:
    text = READ.replace("','", "',', include_path_column: true") + (
        "- convert_column_types:\n"
        "  - {columns: id, column_type: string}\n"
        "  - {columns: [at], column_type: {datetime: {formats: ['%d/%m/%Y']}}}\n"
        "  - {columns: ok, column_type: {boolean: {true_values: ['yes'], false_values: ['no', '0']}}}\n"
        "- drop_columns: [junk]\n"
        "- skip: 1\n"
        "- take: 2\n"
    )
    csv = "id,at,ok,junk\n0,,,\n1,02/01/2024,yes,5\n2,bad,0,6\n3,,,7\n"
    (batch,) = batches(mltable(tmp_path, text, x__csv=csv))
    assert names(batch) == ["x.csv#1", "x.csv#2"]
    rows = frame(batch)
    assert rows.columns.tolist() == ["id", "at", "ok", "Path"]
    assert rows["id"].tolist() == ["1", "2"]
    assert rows["at"].tolist()[0] == pd.Timestamp(2024, 1, 2)
    assert rows["at"].isna().tolist() == [False, True]
    assert rows["ok"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("steps", "expected"), [("- take: 3", "012"), ("- skip: 4", "4567"), ("- skip: 2\n- take: 3", "234")]
)
def test_a1_take_and_skip_go_over_files_and_mini_batches(tmp_path: Path, steps: str, expected: str) -> None:
    folder = mltable(tmp_path, f"{READ}{steps}\n", a__csv="n\n0\n1\n2\n", b__csv="n\n3\n4\n5\n6\n7\n")
    for size in (1, 4, "1mb"):
        rows = [value for batch in batches(folder, 2 if size == 1 else size) for value in frame(batch)["n"]]
        assert rows == [int(digit) for digit in expected]


def test_a1_json_lines(tmp_path: Path) -> None:
    folder = mltable(tmp_path, "transformations:\n- read_json_lines\n", "[{folder: ./}]")
    (folder / "x.jsonl").write_text('{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', encoding="utf-8")
    assert [frame(batch)["a"].tolist() for batch in batches(folder, 20)] == [[1], [2]]


def test_a1_parquet_is_cut_between_row_groups_only(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    folder = mltable(tmp_path, "transformations:\n- read_parquet\n", "[{pattern: ./*.parquet}]")
    pd.DataFrame({"n": range(100)}).to_parquet(folder / "many.parquet", row_group_size=30)
    pd.DataFrame({"n": range(50)}).to_parquet(folder / "one.parquet")
    made = batches(folder, 10)
    assert [len(batch.items) for batch in made] == [30, 30, 30, 10, 50]
    assert [value for batch in made for value in frame(batch)["n"]] == [*range(100), *range(50)]
    assert [len(frame(batch)) for batch in batches(folder, keys=("n",))] == [2] * 50 + [1] * 50


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    folder = mltable(tmp_path, "transformations:\n- read_parquet\n", "[{file: x.parquet}]", x__parquet="PAR1 nonsense")
    with pytest.raises(UserError, match=r"x.parquet: is not a parquet file"):
        batches(folder)


@pytest.mark.parametrize(
    ("text", "paths", "said"),
    [
        ("transformations: []\n", "[{file: x.csv}]", "one of read_delimited, read_parquet, read_json_lines is needed"),
        (READ + "- filter: 'col(\"a\") > 1'\n", "[{file: x.csv}]", "filter: is not done on the laptop"),
        (READ + "- take: 0\n", "[{file: x.csv}]", "must be a number of rows"),
        (READ.replace("delimiter", "delimeter"), "[{file: x.csv}]", "'delimeter' is not an option"),
        (READ.replace("','", "',', encoding: ebcdic"), "[{file: x.csv}]", "encoding 'ebcdic' is not one of"),
        (READ, "[{file: y.csv}]", "'y.csv' is no file"),
        (READ, "[{pattern: ../*.csv}]", "outside the folder of the table"),
        (READ, "[{file: 'https://example.org/x.csv'}]", "is not on this machine"),
        (READ, "[x.csv]", "must be one of file, folder, pattern"),
    ],
)
def test_a1_what_an_mltable_cannot_have_is_one_line(tmp_path: Path, text: str, paths: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        batches(mltable(tmp_path / "t", text, paths, x__csv="a\n1\n"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a1_a_table_needs_its_mltable_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(UserError, match="has no file MLTable"):
        batches(tmp_path)
