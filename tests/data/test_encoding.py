"""The encoding of text files, decided by their bytes."""

import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import FileError
from clow_nb.data.encoding import FileNotice, detect_encoding

KOREAN = "이름,도시\n한강,서울\n"


def _written(folder: Path, text: str, encoding: str) -> Path:
    (folder / "x.csv").write_bytes(text.encode(encoding))
    return folder / "x.csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_goes_without_a_notice(tmp_path: Path, encoding: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", FileNotice)
        assert detect_encoding(_written(tmp_path, KOREAN, encoding)) == encoding


@pytest.mark.parametrize("encoding", ["cp949", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_others_are_found_and_said(tmp_path: Path, encoding: str) -> None:
    path = _written(tmp_path, KOREAN, encoding)
    with pytest.warns(FileNotice, match=f"x.csv is not UTF-8; it was read as {encoding.upper()}"):
        name = detect_encoding(path)
    assert path.read_bytes().decode(name) == KOREAN


def test_a_notice_comes_each_time_and_in_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _written(tmp_path, KOREAN, "cp949")
    monkeypatch.setenv("CLOW_LANG", "ko")
    for _ in range(2):
        with pytest.warns(FileNotice, match=r"CP949\(으\)로 읽었습니다"):
            detect_encoding(path)


def test_what_decides_may_lie_at_the_end_of_a_large_file(tmp_path: Path) -> None:
    path = _written(tmp_path, "a" * (3 << 20) + "한", "cp949")
    with pytest.warns(FileNotice):
        assert detect_encoding(path) == "cp949"
    path = _written(tmp_path, "a" * ((1 << 20) - 1) + "한글", "utf-8")  # a letter across two chunks
    assert detect_encoding(path) == "utf-8"


def test_a_given_encoding_is_used_and_checked(tmp_path: Path) -> None:
    path = _written(tmp_path, KOREAN, "cp949")
    assert detect_encoding(path, "euc-kr") == "euc_kr"
    assert detect_encoding(path, "CP949") == "cp949"
    assert detect_encoding(_written(tmp_path, KOREAN, "utf-8-sig"), "UTF-8") == "utf-8-sig"
    for wrong, words in (("ascii", "is not ascii"), ("klingon", "no encoding 'klingon'"), ("base64", "no encoding"), ("", "no encoding")):
        with pytest.raises(FileError, match=words):
            detect_encoding(path, wrong)


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF-1.7", b"\x89PNG\r\n"])
def test_binary_files_are_named_for_what_they_are(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(start + bytes(range(256)))
    with pytest.raises(FileError, match="is no text but a file of the kind"):
        detect_encoding(tmp_path / "x.csv")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FileNotice)
        try:
            data.decode(detect_encoding(tmp_path / "x.csv"))
        except FileError as error:
            assert "x.csv" in str(error)
