"""The signature of a notebook: what is understood, what is refused, and that values arrive as they left."""

import json
import math
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import FileError, NotFound, ParameterError
from clow_nb.core.refs import Ref
from clow_nb.runs.contract import Signature, signature
from clow_nb.runs.kinds import Secret
from clow_nb.runs.literals import plain, source_of
from clow_nb.runs.source import load_notebook

ROOT = Path(__file__).parents[2]


def signature_of(source: str) -> Signature:
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    return signature(nbformat.v4.new_notebook(cells=[cell]), "a.ipynb")


names = st.from_regex(r"[a-z][a-z0-9._-]{0,8}[a-z]", fullmatch=True)
values_by_annotation = {
    "int": st.integers(),
    "float": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "str": st.text(st.characters(exclude_categories=["Cs"])),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=st.sampled_from([None, UTC])),
    "Path": st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(Path),
    "Literal['a', 2]": st.sampled_from(["a", 2]),
    "DatasetRef": st.builds(Ref, st.just("dataset"), names, st.none() | st.integers(1, 99) | names),
    "Secret": names.map(Secret),
}
pairs = st.one_of([st.tuples(st.just(name), values) for name, values in values_by_annotation.items()])
pairs |= pairs.flatmap(
    lambda pair: st.tuples(
        st.just(f"list[{pair[0]}]"), st.lists(values_by_annotation[pair[0]], max_size=3)
    )
) | pairs.flatmap(
    lambda pair: st.tuples(
        st.just(f"dict[str, Optional[{pair[0]}]]"),
        st.dictionaries(st.text(max_size=3, alphabet="가나ab'\"\\"), st.none() | values_by_annotation[pair[0]], max_size=3),
    )
)


@given(pairs)
@settings(max_examples=300, deadline=None)
def test_values_arrive_as_they_left(pair: tuple[str, Any]) -> None:
    annotation, value = pair
    known = signature_of(f"x: {annotation}")
    assert known.validate({"x": value}) == {"x": value}
    through_a_queue = plain(value)
    typed = known.validate({"x": through_a_queue})
    assert typed == {"x": value}
    arrived: dict[str, Any] = {}
    exec(source_of(typed), arrived)
    assert arrived["x"] == value and type(arrived["x"]) is type(typed["x"])


def test_not_a_number_arrives() -> None:
    arrived: dict[str, Any] = {}
    exec(source_of(signature_of("x: float").validate({"x": math.nan})), arrived)
    assert math.isnan(arrived["x"])


def test_korean_stays_readable() -> None:
    assert source_of({"이름": "상담 '라벨'"}) == '이름 = "상담 \'라벨\'"'


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        ("int", np.int64(3), 3),
        ("float", np.float32(0.5), 0.5),
        ("float", 1, 1.0),
        ("list[float]", np.array([0.5, 1.0]), [0.5, 1.0]),
        ("list[int]", (1, 2), [1, 2]),
        ("datetime", "2026-01-02T03:04:05+09:00", datetime.fromisoformat("2026-01-02T03:04:05+09:00")),
        ("'list[date]'", ["2026-01-02"], [date(2026, 1, 2)]),
        ("dt.date | None", None, None),
        ("Union[int, str]", "5", "5"),
        ("Any", {"free": [1]}, {"free": [1]}),
    ],
)
def test_what_is_taken(annotation: str, value: Any, expected: Any) -> None:
    checked = signature_of(f"x: {annotation}").validate({"x": value})["x"]
    assert checked == expected and type(checked) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        *[("int", v) for v in ("5", 5.5, True, None, [5])],
        *[("bool", v) for v in (0, 1, "true")],
        *[("float", v) for v in ("0.5", False, None)],
        *[("str", v) for v in (5, None)],
        *[("date", v) for v in ("yesterday", "2026-02-30", 5, datetime(2026, 1, 2, 3))],
        *[("Literal['a', 'b']", v) for v in ("c", "")],
        *[("list[int]", v) for v in (["1"], 1, "12", {"a": 1})],
        *[("dict[str, int]", v) for v in ({"a": "1"}, [1])],
        *[("Path", v) for v in (5, None)],
        *[("DatasetRef", v) for v in ("model:books@1", "a b", 5, None, Ref("model", "books"))],
        *[("list[ModelRef]", v) for v in (["dataset:books"], "books")],
        *[("Secret", v) for v in ("my token", 5, None, "")],
        ("int", object()),
    ],
)
def test_what_is_refused(annotation: str, value: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        signature_of(f"x: {annotation}").validate({"x": value})
    assert "The parameter x is " in caught.value.message
    assert f"It takes {annotation}" in caught.value.message


def test_the_place_of_a_wrong_value_is_named() -> None:
    with pytest.raises(ParameterError, match=r"\(x\['b'\]\[1\]\)"):
        signature_of("x: dict[str, Optional[list[int]]]").validate({"x": {"a": [1], "b": [1, "two"]}})


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(ParameterError) as caught:
        signature_of("x: int").validate({"x": "long" * 1000})
    assert len(caught.value.message) < 200


def test_defaults_and_descriptions() -> None:
    known = signature_of(
        "%matplotlib inline\n"
        "import os\n"
        "from datetime import date  # no parameter\n"
        "a: int = 1  # one\n"
        "# two\n"
        "# lines\n"
        "b: str = '# no comment'\n"
        "\n"
        "# not b's: an empty line is between\n"
        "\n"
        "c: float = 60 * 60\n"
        "d: list[str] = [  # in the middle\n    'x',\n]  # at the end\n"
        "e: str = None\n"
        "f = 3\n"
        "g: Path = Path('a') \n"
        "h: date\n"
        "os.nice = 5\n"
        "a: int = 2  # said again\n"
    )
    found = {p.name: (p.default, p.description, p.required) for p in known.parameters}
    assert found == {
        "a": (2, "said again", False),
        "b": ("# no comment", "two lines", False),
        "c": (..., "", False),
        "d": (["x"], "at the end", False),
        "e": (None, "", False),
        "f": (3, "", False),
        "g": (Path("a"), "", False),
        "h": (..., "", True),
    }
    assert known.validate({"e": None, "f": "anything", "h": "2026-01-02"})["h"] == date(2026, 1, 2)


def test_nothing_in_the_cell_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    open_it = f"open({str(trap)!r}, 'w')"
    assert signature_of(f"x: int = {open_it}\n{open_it}").parameters[0].default is ...
    with pytest.raises(ParameterError):
        signature_of(f"x: {open_it} = 1")
    with pytest.raises(ParameterError):
        signature_of(f"x: Literal[{open_it}] = 1")
    assert not trap.exists()


@pytest.mark.parametrize("annotation", ["Tensor", "tuple[int, int]", "list[", "1", "'list['", "Optional"])
def test_unknown_annotations_are_refused(annotation: str) -> None:
    with pytest.raises(ParameterError, match=r"a\.ipynb"):
        signature_of(f"x: {annotation} = 1")


CLASSES = """
import enum
from enum import Enum, auto
from pydantic import BaseModel, Field
class Colour(str, Enum):
    "of a plot"
    RED = "red"
    BLUE = "blue"
    def shout(self): return self.value.upper()
class Level(enum.IntEnum):
    LOW = auto()
    HIGH = auto()
class Layer(BaseModel):
    width: int
    colour: Colour = Colour.RED
class Net(BaseModel):
    layers: list[Layer] = []
    since: date | None = None
    name: str = Field(default="a")
"""


def test_classes_of_the_cell_arrive_as_themselves() -> None:
    known = signature_of(
        CLASSES + "c: Colour = Colour.RED\nl: Level = Level.HIGH\nn: Net = Net(layers=[Layer(width=2)])\nm: dict[str, list[Net]] = {}"
    )
    given = {"c": "blue", "l": 1, "n": {"layers": [{"width": 3, "colour": "blue"}], "since": "2026-01-02", "name": "b"}}
    values = known.validate({**given, "m": {"가": [given["n"]]}})
    arrived: dict[str, Any] = {"date": date}
    exec(CLASSES, arrived)
    exec(source_of(values), arrived)
    assert arrived["c"] is arrived["Colour"].BLUE and arrived["l"] is arrived["Level"].LOW
    layer = arrived["Layer"](width=3, colour="blue")
    net = arrived["Net"](layers=[layer], since=date(2026, 1, 2), name="b")
    assert arrived["n"] == net and arrived["m"] == {"가": [net]}
    assert [p.default.value for p in known.parameters[:2]] == ["red", 2] and known.parameters[2].default.layers[0].width == 2
    assert known.validate(plain(values)) == values
    with pytest.raises(ParameterError, match=r"It takes Colour \('red', 'blue'\)"):
        known.validate({"c": "green"})
    with pytest.raises(ParameterError, match=r"\(n\['layers'\]\[0\]\['width'\]\).*It takes Net \(layers: "):
        known.validate({"n": {"layers": [{"width": "wide"}]}})


def test_the_schema_of_classes_stands_alone() -> None:
    schema = signature_of(CLASSES + "n: Net | None = None\nc: list[Colour] = []\nd: DatasetRef = 'books'\ns: Secret | None = None").json_schema()
    assert schema["$defs"]["Colour"]["enum"] == ["red", "blue"] and "Layer" in schema["$defs"]
    references = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
    assert references and references <= set(schema["$defs"])
    assert schema["properties"]["d"] == {"type": "string", "format": "dataset-ref", "default": "dataset:books"}
    assert {"type": "string", "format": "secret"} in schema["properties"]["s"]["anyOf"]


def test_classes_of_packages_are_imported_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "open(__file__ + '.seen', 'w')\nfrom enum import Enum\nclass Mode(Enum):\n    FAST = 'fast'\n"
    (tmp_path / "of_a_package.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    signature_of("from of_a_package import Mode\nx: int = 1")
    assert not (tmp_path / "of_a_package.py.seen").exists()
    values = signature_of("from of_a_package import Mode as M\nx: M = M.FAST").validate({"x": "fast"})
    arrived: dict[str, Any] = {}
    exec(source_of(values), arrived)
    assert arrived["x"].value == "fast"


def test_defaults_arrive_with_their_type_too() -> None:
    known = signature_of("d: DatasetRef = 'books@3'\nr: float = 1\np: Path = 'out'\nn: int = 1\ns: date = '2026-01-02'")
    assert known.arriving() == {"d": Ref("dataset", "books", 3), "r": 1.0, "p": Path("out"), "s": date(2026, 1, 2)}
    assert known.arriving({"r": 2, "n": 3})["r"] == 2.0 and known.arriving({"n": 3})["n"] == 3


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("int", "5", 5),
        ("str", "5", "5"),
        ("bool", "true", True),
        ("date", "2026-01-02", date(2026, 1, 2)),
        ("list[int]", "[1, 2]", [1, 2]),
        ("str | None", "null", "null"),
        ("int | None", "null", None),
        ("DatasetRef", "books@3", Ref("dataset", "books", 3)),
        ("dict[str, float]", '{"a": 1}', {"a": 1.0}),
        ("Any", "5", "5"),
    ],
)
def test_texts_of_a_command_line(annotation: str, text: str, value: Any) -> None:
    assert signature_of(f"x: {annotation}").read({"x": text}) == {"x": value}


def test_a_text_that_does_not_fit_is_refused() -> None:
    for annotation, text in (("int", "five"), ("list[int]", "1,2"), ("bool", "yes")):
        with pytest.raises(ParameterError, match=f"The parameter x is '{text}'"):
            signature_of(f"x: {annotation}").read({"x": text})
    with pytest.raises(ParameterError, match="no parameter 'y'"):
        signature_of("x: int = 1").read({"y": "5"})


def test_help_has_a_line_for_each_parameter() -> None:
    text = signature_of(CLASSES + "n: int  # how many\nc: Colour = Colour.RED  # of the plot\nf = len('a')").help()
    assert [line.split()[0] for line in text.splitlines()] == ["n:", "c:", "f:"]
    assert "how many  (required)" in text and "Colour ('red', 'blue')" in text and '(default: "red")' in text
    assert signature_of("").help() == ""


def test_the_schema_describes_a_form() -> None:
    schema = signature_of(
        "n: int  # how many\nwhich: Literal['a', 'b'] = 'a'\nsince: date | None = None\nwhere: Path = Path('out')"
    ).json_schema()
    assert schema["required"] == ["n"] and schema["additionalProperties"] is False
    assert schema["properties"]["n"] == {"type": "integer", "description": "how many"}
    assert schema["properties"]["which"] == {"enum": ["a", "b"], "type": "string", "default": "a"}
    assert schema["properties"]["since"]["anyOf"] == [{"format": "date", "type": "string"}, {"type": "null"}]
    assert schema["properties"]["where"]["default"] == "out"
    json.dumps(schema)


def test_a_notebook_without_parameters_takes_none(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("x: int = 1")]), path)
    assert signature(path).validate({}) == {}
    with pytest.raises(ParameterError, match=r"a\.ipynb has no parameter 'x'\. It takes: -\."):
        signature(path).validate({"x": 1})


def test_an_old_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    nbformat.write(nbformat.v3.new_notebook(worksheets=[nbformat.v3.new_worksheet(cells=[])]), path, version=3)
    assert load_notebook(path).nbformat == 4


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", "{}", '{"cells": 1, "nbformat": 4, "metadata": {}}', '{"nbformat": 99}', "\x00"]
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(FileError, match="can't be read as a notebook"):
        signature(path)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="No notebook at"):
        signature(tmp_path / "missing.ipynb")
    with pytest.raises(FileError):
        signature(tmp_path)


@pytest.mark.parametrize("path", sorted((ROOT / "clow_nb/runs/notebooks").glob("*.ipynb")), ids=lambda p: p.name)
def test_the_notebooks_of_the_product_are_understood(path: Path) -> None:
    assert {"home"} < {p.name for p in signature(path).parameters}
    assert all(p.description for p in signature(path).parameters if p.name != "home")
