"""CSV and TSV as people write them."""

import csv
import io
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import FileError
from clow_nb.data.delimited import read_csv, read_tsv
from clow_nb.data.encoding import FileNotice

pytestmark = pytest.mark.filterwarnings("ignore::clow_nb.data.encoding.FileNotice")


@pytest.fixture
def rows(tmp_path: Path) -> Any:
    def read(text: str | bytes, encoding: str | None = None) -> list[dict[str, Any]]:
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "x.csv").write_bytes(data)
        return read_csv(tmp_path / "x.csv", encoding).read_all().to_pylist()

    return read


def test_delimiters_are_found(rows: Any) -> None:
    for mark in ",;\t|":
        assert rows(f"a{mark}b\n1{mark}x y\n2{mark}z\n") == [{"a": 1, "b": "x y"}, {"a": 2, "b": "z"}]
    assert rows("a;b\n1,5;2,5\n") == [{"a": "1,5", "b": "2,5"}]
    assert rows("text\nonly one\n") == [{"text": "only one"}]


def test_quoting_is_found(rows: Any) -> None:
    assert rows('a,b\n"x, y","say ""hi"""\n') == [{"a": "x, y", "b": 'say "hi"'}]
    assert rows('a,b\n1,"say \\"hi\\", x"\n') == [{"a": 1, "b": 'say "hi", x'}]
    assert rows("a;b\n'x; y';'z'\n'1';'2'\n") == [{"a": "x; y", "b": "z"}, {"a": "1", "b": "2"}]
    assert rows('a,b\n1,5" disk\n2,3" tape\n') == [{"a": 1, "b": '5" disk'}, {"a": 2, "b": '3" tape'}]
    assert rows('a,b\n"two\nlines",1\n') == [{"a": "two\nlines", "b": 1}]


def test_marks_that_enclose_nothing_are_text(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text('comment\tlabel\n"정말" 좋아요\t1\n좋은 "영화\t0\n"나빠\t0\n')
    with pytest.warns(FileNotice, match="quotation marks"):
        table = read_tsv(tmp_path / "x.tsv").read_all()
    assert table["comment"].to_pylist() == ['"정말" 좋아요', '좋은 "영화', '"나빠']


def test_empty_text_and_no_value_are_two_things(rows: Any) -> None:
    assert rows('a,b\n"",1\n,2\nx,\n') == [{"a": "", "b": 1}, {"a": None, "b": 2}, {"a": "x", "b": None}]


def test_blank_lines_and_short_lines(rows: Any) -> None:
    assert rows("\n\na,b\n1,2\n\n,\n3\n") == [{"a": 1, "b": 2}, {"a": 3, "b": None}]
    assert rows(",\na,b\n1,2\n") == [{"a": 1, "b": 2}]
    assert rows("a,b\r\n1,2\r\n3,4") == rows("a,b\r1,2\r3,4\r") == rows("a,b\n1,2\n3,4\n")
    assert rows("a;b;\n1;2;\n") == [{"a": 1, "b": 2}]


def test_blanks_after_delimiters_belong_to_them(rows: Any) -> None:
    assert rows('id, text\n1, "x, y"\n2, z\n') == [{"id": 1, "text": "x, y"}, {"id": 2, "text": "z"}]
    assert rows("id,text\n1, x\n2,y\n")[0] == {"id": 1, "text": " x"}


def test_comments_at_the_top_are_left_out(rows: Any) -> None:
    with pytest.warns(FileNotice, match="start with #"):
        assert rows("# from 2026; see notes\n#\nid,n\n1,2\n") == [{"id": 1, "n": 2}]
    assert rows("#id,n\n1,2\n") == [{"#id": 1, "n": 2}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n1,2,3\n", "x.csv, line 3: 3 cells, but the table has 2 columns"),
        ('a,b\n"1\n2",x\n\n1,2,3\n', "x.csv, line 5: 3 cells"),
        ("# c\na,b\n1,2,3\n", "x.csv, line 3: 3 cells"),
        ('a,b\n1,2\n"open,3\n4,5,6\n', "x.csv, line 4: a quotation mark"),
        ("\n\n", "x.csv is empty"),
        ("\ufeff", "x.csv is empty"),
    ],
)
def test_malformed_lines_are_named(rows: Any, text: str, words: str) -> None:
    with pytest.raises(FileError) as caught:
        rows(text)
    assert words in str(caught.value)


def test_a_header_that_may_be_data_is_doubted(rows: Any) -> None:
    with pytest.warns(FileNotice, match="'2019' looks like a value"):
        assert rows("k,2019,2020\na,1,2\n") == [{"k": "a", "2019": 1, "2020": 2}]


def test_keys_are_never_blank_nor_double(rows: Any) -> None:
    with pytest.warns(FileNotice, match="column_2, a_2, a_2_2, a_3"):
        assert rows("a,,a,a_2,a\n1,2,3,4,5\n") == [{"a": 1, "column_2": 2, "a_2": 3, "a_2_2": 4, "a_3": 5}]


def test_encodings(rows: Any) -> None:
    text = "이름,나이\n한강,55\n"
    for encoding in ("utf-8-sig", "cp949", "utf-16"):
        assert rows(text.encode(encoding)) == [{"이름": "한강", "나이": 55}]
    assert rows("nom\ncafé\n".encode("latin-1"), "latin-1") == [{"nom": "café"}]


def test_large_cells(rows: Any) -> None:
    big = "가" * 6_000_000
    assert rows(f'a,b\n1,"{big}"\n2,x\n')[0]["b"] == big


CELLS = st.text(alphabet=st.sampled_from("ab가 ,;|\t\"'\\\n#=0"), max_size=6)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5))
def test_what_python_writes_comes_back(tmp_path: Path, table: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("key one", "key two", "key three"), *table])
    (tmp_path / "x.csv").write_text(text.getvalue(), newline="")
    found = read_csv(tmp_path / "x.csv").read_all()
    for number, column in enumerate(found.columns):
        values = [row[number] for row in table]
        assert [str(value) for value in column.to_pylist()] == values


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(alphabet=st.sampled_from("ab가1 ,;|\t\"'\\\r\n#=\0"), min_size=1, max_size=60))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_text(text, newline="")
    try:
        read_csv(tmp_path / "x.csv").read_all()
    except FileError as error:
        assert "x.csv" in str(error)


def test_korean_files(shared_data: Path) -> None:
    with pytest.warns(FileNotice, match=r"so it stays text: label \('2   '\)"):
        chat = read_csv(shared_data / "ko-chatbot" / "ChatbotData.csv").read_all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", FileNotice)
        hate = read_tsv(shared_data / "ko-hate-speech" / "labeled" / "train.tsv").read_all()
    assert (len(chat), len(hate)) == (11_823, 7_896)
    assert set(chat["label"].to_pylist()) == {"0", "1", "2", "2   "}
    with pytest.warns(FileNotice, match="quotation marks"):
        movies = read_tsv(shared_data / "ko-nsmc" / "ratings_train.txt").read_all()
    assert len(movies) == 45_000 and str(movies.schema.field("label").type) == "int64"


def test_a_stray_zero_stays_in_its_text(rows: Any) -> None:
    assert rows(b"a,b\n1,x\x00y\n") == [{"a": 1, "b": "x\x00y"}]


def test_one_column_of_a_tsv_keeps_its_commas(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("comments\n네, 맞아요\n아니요\n음, 글쎄, 몰라요\n")
    assert read_tsv(tmp_path / "x.tsv").read_all()["comments"].to_pylist() == ["네, 맞아요", "아니요", "음, 글쎄, 몰라요"]
