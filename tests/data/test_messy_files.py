"""The 301 files of frictionless-data and the 12 of csv-spectrum: each is imported right, or refused with a sentence.

Tables are compared with what Python's `csv` cuts out of the file, cell by cell; JSON with what Python's `json` reads; for
spreadsheets, archives and files with a fault the right answer stands in a table here.
"""

import csv
import json
import warnings
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from clow_nb.core.errors import ClowError
from clow_nb.data.encoding import FileNotice
from clow_nb.data.files import read_file
from clow_nb.data.shaping import as_documents

LATIN = "is neither UTF-8 nor UTF-16 nor CP949. Say what it is, for example encoding='latin-1'"
REFUSED = {
    "LICENSE.md": "the format 'md' is not known",
    "SOURCE.md": "the format 'md' is not known",
    "capital-invalid.csv": "line 12: 4 cells, but the table has 3 columns",
    "countries.csv": "line 4: 5 cells, but the table has 4 columns",
    "defective-rows.csv": "line 3: 4 cells, but the table has 3 columns",
    "dialect.csv": "line 3: 3 cells, but the table has 2 columns",
    "empty.csv": "is empty. Choose a file with documents",
    "invalid.csv": "line 5: 5 cells, but the table has 4 columns",
    "invalid.json": "line 2: this is not JSON (Expecting property name",
    "issue-1004-data1.csv": "line 3: 5 cells, but the table has 4 columns",
    "issue-1004-data2.csv": "line 5: 5 cells, but the table has 4 columns",
    "issue-647.csv.txt": LATIN,
    "issue-811.csv": LATIN,
    "latin1.csv": LATIN,
    "schema-errors.csv": "line 5: 6 cells, but the table has 3 columns",
    "structure-errors.csv": "line 5: 6 cells, but the table has 3 columns",
    "table-infer-iso-8859-7.csv": LATIN,
    "table-output.json": "item 1 of the list is a list, not an object",
    "table-with-accents.csv": LATIN,
    "table.json": "item 1 of the list is a list, not an object",
    "transform.json": "item 1 of the list is a list, not an object",
    "without-headers-extra.csv": "line 3: 3 cells, but the table has 2 columns",
    "zipped-resources/ogd10_catalogs.zip": "capital-invalid.csv, line 12",
}
DELIMITERS = dict.fromkeys(
    ("accent.csv", "country-2.csv", "delimiter.csv", "issue-1009-semicolon.csv", "issue-1100.csv", "issue-1105-timezone.csv",
     "issue-1138.csv", "issue-1232.csv", "table-delimiter.csv", "vix.csv"), ";",
) | {"issue-1478/table.csv": "|", "table.tsv": "\t"}  # fmt: skip
HEADERLESS = {"chunk2.headless.csv", "chunk3.csv", "issue-1478/table.csv", "table-1MB.csv", "without-headers.csv"}
SPACED = {"capitals.csv", "escaping.csv", "issue-1109.csv", "table-limits.csv", "timezone.csv"}
TABLE = [{"id": 1, "name": "english"}, {"id": 2, "name": "中国人"}]
GERMAN = [{"id": 1, "name": "english"}, {"id": 2, "name": "german"}]
EXACT: dict[str, list[dict[str, Any]]] = {
    **dict.fromkeys(
        ("table.csv.bz2", "table.csv.gz", "table.csv.xz", "table.csv.zip", "table.ods", "table.xls", "table.xlsx", "table.parquet",
         "table.jsonl", "table.ndjson", "compression/explicit.csv.gz", "compression/explicit.csv.zip", "compression/implicit-gz.csv",
         "compression/implicit-zip.csv", "resource.zip", "sheet2.xls", "sheet2.xlsx", "table-with-two-sheets.ods"), TABLE,
    ),
    "table-output.ods": GERMAN,
    "table-output.xlsx": GERMAN,
    "table.tsv": [*TABLE, {"id": 3}],
    "escaping.csv": [{"ID": n, "Test": text} for n, text in ((1, "Test line 1"), (2, 'Test " line 2'), (3, 'Test " line 3'))],
    "chunk1.csv.zip": TABLE[:1],
    "chunk2.csv.zip": TABLE[1:],
    "sheets.xlsx": [{"id": 1, "name": "london"}],
    "issue-312.xlsx": [{"id": 1, "name": "english"}, {"id": 1, "name": "english"}, {"id": 11, "name": "english"},
                       {"id": 2, "name": "german", "column_3": 1, "name_2": 2, "column_5": 3}],
    "skip-rows.xlsx": [{"A": 8, "B": 9}, {"B": "TOTAL"}],
    "skip-rows.csv": TABLE,
    "skip-blank-at-the-end.csv": [{"test1": 1, "test2": 2}],
    "table-infer-boolean.xlsx": [{"number": 1, "string": "two", "boolean": True}, {"number": 3, "string": "four", "boolean": False}],
    "table-with-booleans.ods": [{"id": 1, "boolean": True}, {"id": 2, "boolean": False}],
    "table-with-booleans.xls": [{"id": 1, "boolean": True}, {"id": 2, "boolean": False}],
    "cast-int-to-string-issue-1251.xls": [{"A": "001", "B": "b", "C": 1, "D": "a", "E": 1}, {"A": "002", "B": "c", "C": 1, "D": 1, "E": 1}],
    "cast-int-to-string-issue-1251.xlsx": [{"A": "001", "B": "b", "C": 1, "D": "a", "E": 1}, {"A": "002", "B": "c", "C": 1, "D": 1, "E": 1}],
    "multiline-headers.xlsx": [{"Region": "A", "Caloric contribution (%)": "B",
                                "Cumulative impact of changes on cost of food basket from previous quarter": "C",
                                "Cumulative impact of changes on cost of food basket from baseline (%)": "D"}],
    "preserve-formatting-percentage.xlsx": [{"col1": 123, "col2": 0.52}, {"col1": 456, "col2": 0.3}, {"col1": 789, "col2": 0.06}],
    "number-format-multicode.xlsx": [{"col1": 4.51119775197299}, {"col1": -9.03233986479077}, {"col1": 15.7929464439101}],
    "table-multiple-files.zip": [{**row, "file": name} for name, rows in (
        ("table-reverse.csv", [{"id": 1, "name": "中国人"}, {"id": 2, "name": "english"}]), ("table.csv", TABLE)) for row in rows],
    **{key: [] for key in ("fixtures/template.xlsx", "merged-cells.xls", "merged-cells.xlsx", "merged-cells-boolean.xls", "without-rows.csv.zip")},
}  # fmt: skip
FIRST: dict[str, tuple[int, dict[str, Any]]] = {
    "adjust-floating-point-error.xlsx": (5, {"Sample Name": "P-1-94-AR P21 16-20cm Pi split 3", "peak PO4": 60.565}),
    "doublequote.csv.zip": (5, {"INCISO": "A.N.E.P.", "CODIGOAP": 8}),
    "innerpath.package.zip": (317, {"file": "data/emissions.historical.agriculture.csv", "year": 1986}),
    "issue-1024.xlsx": (48, {"Date of Analysis": "Oct 2021", "Country Population": 41700000}),
    "issue-320.xlsx": (48, {"Country": "Afghanistan: Acute Food Insecurity April 2020", "Date of Analysis": "Apr 2020"}),
    "issue-313.xlsx": (2, {"Column_1": "column_1_value_1", "Column_5": "Column_5_value_1"}),
    "issue-870.xlsx": (9, {"0": 1, "First Name": "Dulce", "Age": 32, "Date": "15/10/2017", "Id": 1562}),
    "package-invalid.zip": (5, {"parent": "A3001", "comment": "comment1", "file": "data2.csv"}),
    "package.zip": (5, {"parent": "A3001", "comment": "comment1", "file": "data2.csv"}),
    "preserve-formatting.xlsx": (1, {"0.00": 1000.5577, "m/d/yy": date(2040, 5, 20)}),
    "table-with-ints-floats-dates.ods": (3, {"Int": 2013, "Float": 3.3, "Date": date(2009, 8, 16), "Datetime": datetime(2009, 8, 16, 5, 43, 21)}),
    "table-with-ints-floats-dates.xls": (3, {"Int": 2013, "Float": 3.3, "Date": date(2009, 8, 16)}),
}


def _read(path: Path) -> list[dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FileNotice)
        return list(as_documents(read_file(path)))


def _same(value: Any, cell: str) -> bool:
    """Whether a value is what a cell of text says."""
    if isinstance(value, bool):
        return str(value).lower() == cell.lower()
    if isinstance(value, int | float):
        return float(cell) == value
    if isinstance(value, datetime):
        return value == datetime.fromisoformat(cell.replace("Z", "+00:00"))
    return (value.isoformat() if isinstance(value, date) else value) == cell


def _by_csv(path: Path, name: str) -> list[dict[str, str]]:
    """The rows by Python's own reader; blank and comment lines left out, keys made distinct."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=DELIMITERS.get(name, ","), skipinitialspace=name in SPACED))
    rows = [row for row in rows if any(row) and not row[0].startswith("#")]
    keys = [f"column_{number}" for number in range(1, len(rows[0]) + 1)] if name in HEADERLESS else rows.pop(0)
    names: list[str] = []
    for number, key in enumerate(keys, 1):
        key = key.strip() or f"column_{number}"
        names.append(key if key not in names else f"{key}_{1 + sum(one == key or one.startswith(f'{key}_') for one in names)}")
    return [dict(zip(names, row, strict=False)) for row in rows]


def _check_table(name: str, found: list[dict[str, Any]], rows: list[dict[str, str]]) -> None:
    assert len(found) == len(rows), name
    nothing = {"NA", "N/A", "n/a", "null", "NaN", ""}
    for document, row in zip(found, rows, strict=True):
        for key, cell in row.items():
            if key in document:
                assert _same(document[key], cell), f"{name}: {key!r} is {document[key]!r} instead of {cell!r}"
            else:
                assert cell in nothing, f"{name}: {key!r} lacks {cell!r}"
        assert document.keys() <= row.keys(), name


def _check(path: Path, name: str) -> str:
    if name in REFUSED:
        with pytest.raises(ClowError) as caught:
            _read(path)
        assert REFUSED[name] in str(caught.value) and str(caught.value).endswith((".", "}.")), str(caught.value)
        return "refused"
    found = _read(path)
    if name in EXACT:
        assert found == EXACT[name] and repr(found) == repr(EXACT[name]), (name, found)
    elif name in FIRST:
        count, first = FIRST[name]
        assert len(found) == count and first.items() <= found[0].items(), (name, found[0])
    elif path.suffix == ".json":
        value = json.loads(path.read_text("utf-8-sig"))
        assert found == (value if isinstance(value, list) else [value]), name
    elif path.suffix == ".txt":
        assert found == [{"text": line} for line in path.read_text().split("\n") if line.strip()], name
    else:
        assert path.suffix in (".csv", ".tsv"), f"{name}: nothing says what is right"
        _check_table(name, found, _by_csv(path, name))
    return "imported"


def test_each_file_of_frictionless_data(shared_data: Path) -> None:
    folder = shared_data / "frictionless-data"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    outcomes = [_check(path, path.relative_to(folder).as_posix()) for path in files]
    assert outcomes.count("refused") == len(REFUSED)
    assert outcomes.count("imported") == len(files) - len(REFUSED) >= 276


def test_each_file_of_csv_spectrum(shared_data: Path) -> None:
    """Every cell is what the expected JSON has, apart from the types, which JSON there leaves as text."""
    files = sorted((shared_data / "csv-spectrum" / "csvs").glob("*.csv"))
    assert len(files) == 12
    for path in files:
        expected = json.loads((shared_data / "csv-spectrum" / "json" / f"{path.stem}.json").read_text().replace(r"\r\n", r"\n"))
        expected = expected if isinstance(expected, list) else [expected]
        if path.stem == "location_coordinates":  # the project changed the number in the JSON alone
            expected = [{**expected[0], "Contact Phone Number": "2095257564"}]
        found = [{key: str(value).replace("\r\n", "\n") for key, value in row.items()} for row in _read(path)]
        assert found == expected, path.name


def test_the_comparison_sees_a_fault() -> None:
    with pytest.raises(AssertionError, match="lacks"):
        _check_table("x.csv", [{"a": 1}], [{"a": "1", "b": "2"}])
    with pytest.raises(AssertionError, match="instead of"):
        _check_table("x.csv", [{"a": 1}], [{"a": "2"}])
