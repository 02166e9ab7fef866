"""Workbooks as people make them."""

import warnings
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from clow_nb.core.errors import FileError, ParameterError
from clow_nb.data.encoding import FileNotice
from clow_nb.data.files import read_file


@pytest.fixture
def book(tmp_path: Path) -> Any:
    """A function that writes rows into sheets, each `{name: rows}`."""

    def write(name: str = "x.xlsx", **sheets: list[list[Any]]) -> Path:
        with xlsxwriter.Workbook(tmp_path / name, {"default_date_format": "yyyy-mm-dd hh:mm:ss", "nan_inf_to_errors": True}) as made:
            for title, rows in sheets.items():
                page = made.add_worksheet(title)
                for number, row in enumerate(rows):
                    page.write_row(number, 0, row)
        return tmp_path / name

    return write


def _rows(path: Path, **options: Any) -> list[dict[str, Any]]:
    return list(read_file(path, **options))


def test_values_keep_their_types(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as made:
        page = made.add_worksheet()
        day, moment, hours = (made.add_format({"num_format": text}) for text in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm", "[h]:mm"))
        page.write_row(0, 0, ["n", "f", "text", "ok", "day", "at", "for", "sum", "error", "mixed"])
        page.write_row(1, 0, [1, 1, "007", True])
        page.write_row(2, 0, [2, 2.5, "x", False])
        page.write_datetime(1, 4, date(2026, 1, 1), day)
        page.write_datetime(1, 5, datetime(2026, 1, 1), moment)
        page.write_datetime(2, 5, datetime(2026, 1, 1, 9, 30), moment)
        page.write_datetime(1, 6, timedelta(hours=36), hours)
        page.write_formula(1, 7, "=1+2", None, 3)
        page.write_formula(1, 8, "=1/0", None, "#DIV/0!")
        page.write(1, 9, 5)
        page.write(2, 9, "n/a")
    rows = _rows(tmp_path / "x.xlsx")
    assert rows == [
        {"n": 1, "f": 1.0, "text": "007", "ok": True, "day": date(2026, 1, 1), "at": datetime(2026, 1, 1), "for": "36:00:00", "sum": 3, "mixed": 5},
        {"n": 2, "f": 2.5, "text": "x", "ok": False, "at": datetime(2026, 1, 1, 9, 30), "mixed": "n/a"},
    ]
    assert [type(rows[0][key]) for key in ("n", "f", "sum")] == [int, float, int]


def test_the_first_sheet_with_data_is_read_and_others_are_named(book: Any) -> None:
    path = book(표지=[], 매출=[["점포", "합계"], ["강남", 3]], 메모=[["a"], ["b"]])
    with pytest.warns(FileNotice, match="2 sheets with data, 매출, 메모; '매출' was read"):
        assert _rows(path) == [{"점포": "강남", "합계": 3}]
    with warnings.catch_warnings():
        warnings.simplefilter("error", FileNotice)
        assert _rows(path, sheet="매출") == _rows(path, sheet=2) == [{"점포": "강남", "합계": 3}]
        assert _rows(path, sheet=3) == [{"a": "b"}]


def test_hidden_sheets_come_last(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as made:
        for name in ("secret", "shown"):
            made.add_worksheet(name).write_column(0, 0, ["k", name])
        made.get_worksheet_by_name("shown").activate()
        made.get_worksheet_by_name("shown").set_first_sheet()
        made.get_worksheet_by_name("secret").hide()
    with pytest.warns(FileNotice, match="'shown' was read"):
        assert _rows(tmp_path / "x.xlsx") == [{"k": "shown"}]


def test_titles_blank_rows_and_a_header_anywhere(book: Any) -> None:
    rows = [["2026년 매출"], [], ["", "점포", "합계"], ["", "강남", 3], [], ["", "서초", 4]]
    path = book(a=rows)
    with pytest.warns(FileNotice, match="were left out: 2026년 매출"):
        assert _rows(path) == [{"점포": "강남", "합계": 3}, {"점포": "서초", "합계": 4}]
    assert _rows(path, header=3) == [{"점포": "강남", "합계": 3}, {"점포": "서초", "합계": 4}]
    assert _rows(path, header=False)[0] == {"column_1": "2026년 매출"}


def test_no_header(book: Any) -> None:
    with pytest.warns(FileNotice, match="has no line of keys"):
        assert _rows(book(a=[[1, "가"], [2, "나"], [3, "다"]]))[0] == {"column_1": 1, "column_2": "가"}


def test_merged_cells_say_the_same_for_all(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as made:
        page = made.add_worksheet()
        page.merge_range(0, 0, 1, 0, "지역")
        page.merge_range(0, 1, 0, 2, "매출")
        page.write_row(1, 1, ["2025", "2026"])
        page.merge_range(2, 0, 3, 0, "서울")
        page.write_row(2, 1, [1, 2])
        page.write_row(3, 1, [3, 4])
    assert _rows(tmp_path / "x.xlsx") == [
        {"지역": "서울", "매출 2025": 1, "매출 2026": 2}, {"지역": "서울", "매출 2025": 3, "매출 2026": 4},
    ]  # fmt: skip


def test_a_time_of_day_is_text(book: Any, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "t.xlsx", {"default_date_format": "hh:mm:ss"}) as made:
        made.add_worksheet().write_column(0, 0, ["at", time(9, 30)])
    assert _rows(tmp_path / "t.xlsx") == [{"at": "09:30:00"}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sheet": "c"}, "x.xlsx has no sheet 'c'. It has: a, b"),
        ({"sheet": 3}, "has no sheet 3"),
        ({"sheet": 0}, "has no sheet 0"),
        ({"sheet": True}, "has no sheet True"),
        ({"sheet": "a", "header": 9}, "header=9: row 9 of x.xlsx is blank"),
        ({"sheet": "a", "header": 0}, "header=0 is no row"),
        ({"sheet": "a", "delimiter": ";"}, "'xlsx' has no option 'delimiter'. It has: sheet, header, lists, spans"),
    ],
)
def test_wrong_options(book: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError) as caught:
        _rows(book(a=[["k"], [1]], b=[["k"], [1]]), **options)
    assert words in str(caught.value)


def test_files_that_are_no_workbook(tmp_path: Path, book: Any) -> None:
    whole = book(a=[["k"], [1]]).read_bytes()
    for data, words in (
        (whole[:200], "can't be read as a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "can't be read as a workbook"),
        (b"<html><table><tr><td>k</td></tr></table></html>", "is a web page or XML"),
        (b"plain text", "can't be read as a workbook"),
    ):
        (tmp_path / "y.xls").write_bytes(data)
        with pytest.raises(FileError) as caught:
            _rows(tmp_path / "y.xls")
        assert words in str(caught.value), str(caught.value)
    with pytest.raises(FileError, match="none of its sheets holds a cell"):
        _rows(book("z.xlsx", a=[]))


def test_text_under_the_name_of_a_workbook_is_read_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.xls").write_text("a\tb\n1\t2\n")
    with pytest.warns(FileNotice, match="holds tsv, whatever its name says"):
        assert read_file(tmp_path / "x.xls").read_all().to_pylist() == [{"a": 1, "b": 2}]
