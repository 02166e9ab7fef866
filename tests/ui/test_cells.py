"""Every value of a document has a cell that JavaScript keeps as it is, whatever it holds."""

import base64
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clow_nb.ui.cells import cell, cells, preview, weight, whole

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.dates() | st.datetimes(timezones=st.just(UTC) | st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=6,
)
KINDS = {"null", "number", "cut", "odd", "date", "bytes", "picture", "json", "chips", "spans", "boxes"}


@given(value=VALUES)
def test_every_value_has_a_cell(value: Any) -> None:
    drawn = json.loads(json.dumps(cell(value), allow_nan=False, ensure_ascii=False).encode())
    assert drawn is not None
    if isinstance(drawn, dict):
        assert drawn["kind"] in KINDS
    assert len(preview(value, 50)) <= 51


def _unwrapped(drawn: Any) -> Iterator[Any]:
    if isinstance(drawn, dict) and drawn["kind"] in ("object", "array"):
        inside = [item for _, item in drawn["entries"]] if drawn["kind"] == "object" else drawn["items"]
        for item in inside:
            yield from _unwrapped(item)
    else:
        yield drawn


@given(value=VALUES)
def test_the_whole_of_a_value_keeps_its_leaves(value: Any) -> None:
    assert json.loads(json.dumps(whole(value), allow_nan=False, ensure_ascii=False).encode()) is not None
    assert all(not isinstance(leaf, dict) or leaf["kind"] in KINDS for leaf in _unwrapped(whole(value)))


def test_integers_keep_every_digit() -> None:
    for value in (2**53 - 1, 2**53, -(2**63), 10**30):
        drawn = cell(value)
        assert (drawn if isinstance(drawn, int) else int(drawn["text"])) == value


def test_numbers_that_json_would_change_come_as_text() -> None:
    assert [cell(x)["text"] for x in (1.0, float("nan"), float("-inf"), 1e22, -0.0)] == ["1.0", "nan", "-inf", "1e+22", "-0.0"]


def test_moments_come_in_the_users_zone_with_all_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_TZ", "Asia/Seoul")
    assert cell(datetime(2026, 1, 1, 23, 0, 5, 120000, tzinfo=UTC)) == {"kind": "date", "text": "2026-01-02 08:00:05.120", "hint": "2026-01-01T23:00:05.120000Z"}
    assert cell(datetime(2026, 1, 1, 23)) == {"kind": "date", "text": "2026-01-01 23:00:00", "hint": ""}
    assert cell(date(2026, 1, 1)) == {"kind": "date", "text": "2026-01-01"}
    monkeypatch.setenv("CLOW_TZ", "UTC")
    assert cell(datetime(2026, 1, 1, 23, tzinfo=UTC))["text"] == "2026-01-01 23:00:00"


def test_a_picture_is_known_by_its_bytes_and_never_fetched() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    assert [cell(v)["kind"] for v in (file.getvalue(), uri, {"object": "0" * 64 + ".png", "media": "image/png", "size": 3, "name": "a.png"})] == ["picture"] * 3
    assert cell("https://somewhere/a.png") == "https://somewhere/a.png"
    assert cell(b"%PDF-1.7")["kind"] == "bytes"


def test_a_row_quotes_what_its_spans_cover_by_code_points() -> None:
    document = {"text": "😀 서울 날씨", "slots": [{"start": 2, "end": 4, "label": "도시"}]}
    assert cells(document, ["slots"])[0]["marks"] == [["도시", "서울"]]


def test_a_huge_value_is_not_read_to_its_end() -> None:
    huge = {"rows": [{"n": n} for n in range(200_000)]}
    assert len(cell(huge)["text"]) < 400
    assert weight(huge, 1000) < 10_000_000
