"""Pictures of charts show Korean letters and not boxes, and nothing is fetched from anywhere."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import vl_convert

from clow_nb.core.text import catalogue
from clow_nb.evals import charts
from clow_nb.evals.charts import FONT, chart_png, chart_svg, font_css, font_folder, styled

KOREAN = "가각간날씨알람음악뉴스똠뷁힣"
NOWHERE = "\u0378\u0379\u0380\u0381"  # code points that no font has a glyph for

needs_font = pytest.mark.skipif(
    not (font_folder() / f"{FONT}-Regular.otf").exists(), reason="the front end has not been built"
)


def bars(label: str) -> dict:
    return {
        "data": {"values": [{"a": label * 3, "n": 2}]},
        "mark": "bar",
        "encoding": {"x": {"field": "n", "type": "quantitative"}, "y": {"field": "a", "type": "nominal", "title": label}},
        "height": 20,
        "width": 40,
    }


def pictures(letters: str) -> set[str]:
    """The different pictures of charts that differ only in a letter: one where each letter is drawn as the same box."""
    return {hashlib.sha256(chart_png(bars(letter), scale=1)).hexdigest() for letter in letters}


@needs_font
def test_each_korean_letter_has_a_picture_of_its_own() -> None:
    assert len(pictures(KOREAN)) == len(KOREAN)
    assert not pictures(KOREAN) & pictures(NOWHERE)


def test_the_test_above_can_fail() -> None:
    assert len(pictures(NOWHERE)) == 1


@needs_font
def test_it_is_the_shipped_font_that_is_drawn() -> None:
    chart_svg(bars("가"))

    def picture(family: str) -> bytes:
        letters = f'<text x="5" y="30" font-size="24" font-family="{family}">한글 Rg1</text>'
        return vl_convert.svg_to_png(f'<svg xmlns="http://www.w3.org/2000/svg" width="160" height="40">{letters}</svg>')

    assert picture(FONT) != picture("no such font, sans-serif")


@needs_font
def test_the_shipped_font_has_every_letter_of_the_catalogue() -> None:
    fonts = pytest.importorskip("fontTools.ttLib")
    known = set(fonts.TTFont(font_folder() / f"{FONT}-Regular.otf").getBestCmap())
    used = {letter for text in catalogue("ko").values() for letter in text if letter.isalpha()}
    assert len(used) > 200 and not {letter for letter in used if ord(letter) not in known}


def test_letters_stay_letters_in_svg() -> None:
    drawn = chart_svg(bars("날씨"))
    families = set(re.findall(r'font-family="([^"]+)"', drawn))
    assert ">날씨</text>" in drawn and all(family.startswith(FONT) for family in families)


def test_without_the_build_charts_still_come_out_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(charts, "font_folder", lambda: tmp_path)
    assert chart_png(bars("a")).startswith(b"\x89PNG")
    assert "make setup" in caplog.text
    assert "@font-face" not in font_css("날씨")


def test_a_chart_that_asks_the_network_gets_nothing() -> None:
    remote = {**bars("a"), "data": {"url": "http://127.0.0.1:9/data.json"}}
    with pytest.raises(ValueError, match=r"127\.0\.0\.1"):
        chart_svg(remote)


def test_the_style_is_added_and_what_the_chart_says_stays() -> None:
    chart = {**bars("a"), "config": {"axis": {"grid": True}, "background": "black", "bar": {"color": "red"}}}
    before = json.dumps(chart)
    config = styled(chart)["config"]
    assert config["axis"]["grid"] is True and config["axis"]["ticks"] is False
    assert (config["background"], config["bar"]["color"]) == ("black", "red")
    assert json.dumps(chart) == before
