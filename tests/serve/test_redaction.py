"""What identifies a person never reaches the log: properties over Korean forms."""

from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.serve.redaction import is_card, is_rrn, redact, redact_text, treatment
from clow_nb.serve.traffic import Entry, TrafficWriter, segments

AROUND = st.text(st.characters(blacklist_categories=("Cs", "Nd", "L", "M")), max_size=8).filter(lambda text: not set(text) & set("-@.+%_~()－＠．‐‑‒–—−"))
WORDS = st.sampled_from(["", "내 번호는 ", "문의: ", "고객(", "tel "])


@st.composite
def rrns(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1900, 1, 1), date(2020, 9, 30)))
    sex = draw(st.integers(1, 2)) + (2 if born.year >= 2000 else 0)
    head = f"{born:%y%m%d}{sex}{draw(st.integers(0, 99999)):05}"
    check = (11 - sum(int(digit) * weight for digit, weight in zip(head, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True)) % 11) % 10
    return f"{head[:6]}{draw(st.sampled_from(['-', '', ' ', ' - ', '－']))}{head[6:]}{check}"


@st.composite
def cards(draw: st.DrawFn) -> str:
    head = draw(st.sampled_from("3459")) + draw(st.text("0123456789", min_size=14, max_size=14))
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(head))]
    number = head + str(-sum(value // 10 + value % 10 for value in doubled) % 10)
    sign = draw(st.sampled_from(["", " ", "-"]))
    return sign.join(number[start : start + 4] for start in range(0, 16, 4))


@st.composite
def phones(draw: st.DrawFn) -> str:
    head = draw(st.sampled_from(["010", "011", "016", "019", "02", "031", "051", "070", "+82-10", "+82 10", "8210"]))
    sign = draw(st.sampled_from(["-", " ", ".", ""]))
    return sign.join([head, draw(st.from_regex(r"[2-9]\d{3}", fullmatch=True)), draw(st.from_regex(r"\d{4}", fullmatch=True))])


@settings(max_examples=60, deadline=None)
@given(st.one_of(*(st.tuples(st.just(name), made) for name, made in (("rrn", rrns()), ("card", cards()), ("phone", phones())))), WORDS, AROUND)
def test_each_number_goes_whatever_stands_around_it(found: tuple[str, str], before: str, after: str) -> None:
    name, number = found
    assert redact_text(f"{before}{number}{after}", [name]) == f"{before}[{name}]{after}"
    assert "".join(filter(str.isdigit, redact_text(f"{before}{number}입니다"))) == ""
    wide = number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert redact({"a": [{"b": before + wide}]}, [name]) == {"a": [{"b": f"{before}[{name}]"}]}


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(blacklist_categories=("Nd", "Cs"), blacklist_characters="@＠"), max_size=40), st.integers(0, 99_999))
def test_what_identifies_nobody_stays(text: str, number: int) -> None:
    assert redact_text(text) == text
    for harmless in (f"{number}원", "2026-11-22 09:30:15", f"제{number}호", "1588-1234", "3.141592653589793", "9.11.2026"):
        assert redact_text(harmless) == harmless


def test_check_digits_decide_bare_numbers() -> None:
    assert is_rrn("9001011234568") and not is_rrn("9001011234567") and not is_rrn("9002301234568") and is_rrn("2011153123456")
    assert is_card("4111111111111111") and not is_card("4111111111111112")
    assert redact_text("주문 4111111111111112") == "주문 4111111111111112"
    for text in ("국민 123456-01-123456", "농협 302-1234-5678-91", "카카오 3333-01-1234567", "우리은행 1002123456789", "입금계좌: 110123456789"):
        assert redact_text(text).endswith("[account]"), text
    assert redact_text("이메일 hong.gil+dong@mail.example.co.kr로") == "이메일 [email]로"


def test_nothing_of_it_reaches_the_disk(tmp_path: Path) -> None:
    writer = TrafficWriter(tmp_path, treat=treatment({"redact": ["rrn", "phone"]}))
    secret = {"text": "900101-1234568", "more": {"전화": ["010-1234-5678", 9876543210]}}
    writer.add(Entry(datetime.now(UTC), "1", "s", "v1", "m", secret, {"label": "010-1234-5678"}, 200, 0, 0))
    writer.close()
    [segment] = segments(tmp_path)
    text = segment.read_text("utf-8")
    assert "1234568" not in text and "5678" not in text and text.count("[phone]") == 2 and "9876543210" in text
