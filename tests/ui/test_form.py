"""A form knows every type that pydantic writes, and every shipped solution speaks Korean."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field

from clow_nb.core.errors import ParameterError
from clow_nb.core.plugins import registry
from clow_nb.core.text import catalogue
from clow_nb.train.spaces import FIXED, check_space
from clow_nb.ui.form import Form
from clow_nb.ui.space import Dimension


class Params(BaseModel):
    """One of each."""

    epochs: int = Field(3, ge=1, le=10)
    lr: float = Field(1e-3, gt=0)
    name: str = "모델"
    fast: bool = False
    mode: Literal["a", "b"] = "b"
    sizes: tuple[int, ...] = (3, 4)
    seed: int | None = None
    tag: str | None = None


def test_what_comes_out_is_what_pydantic_takes() -> None:
    form = Form(Params.model_json_schema())
    assert Params.model_validate(form.values()) == Params()


def test_values_are_kept_exactly() -> None:
    given = {"lr": 1e-7, "name": "따옴표 \" '", "sizes": [1], "seed": 0, "tag": " "}
    values = Form(Params.model_json_schema(), given).values()
    assert {k: values[k] for k in ("lr", "name", "sizes", "seed")} == {k: given[k] for k in ("lr", "name", "sizes", "seed")}
    assert values["tag"] is None  # an empty box is nothing, where nothing is allowed


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [("epochs", "1.5", "whole number"), ("epochs", "", "whole number"), ("epochs", "11", "≥ 1, ≤ 10"), ("lr", "0", "> 0"), ("lr", "nan", "> 0"), ("lr", "빨리", "a number"), ("sizes", "[3,", "JSON")],
)  # fmt: skip
def test_what_is_not_of_the_type_is_refused_by_name(key: str, text: str, words: str) -> None:
    form = Form(Params.model_json_schema())
    form.inputs[key].value = text
    with pytest.raises(ParameterError, match=key) as caught:
        form.values()
    assert words in str(caught.value)


@pytest.mark.parametrize("name", registry("solution").names())
def test_every_parameter_of_a_solution_is_explained_in_korean(name: str) -> None:
    chosen = registry("solution").get(name)
    properties = chosen.Params.model_json_schema()["properties"]
    said = [(chosen.__doc__ or "").partition("\n")[0], *(p["description"] for p in properties.values() if p.get("description"))]
    assert [text for text in said if text not in catalogue("ko")] == []
    form = Form(chosen.Params.model_json_schema())
    assert chosen.Params.model_validate(form.values()) == chosen.Params()


@pytest.mark.parametrize("name", registry("solution").names())
def test_what_is_suggested_for_a_tuning_is_what_the_solution_allows(name: str) -> None:
    schema = registry("solution").get(name).Params
    properties = schema.model_json_schema()["properties"]
    numbers = {key: each for key, each in properties.items() if type(each.get("default")) in (int, float) and key not in FIXED}
    for key, each in numbers.items():
        check_space(schema, {}, {key: Dimension(key, each, each["default"], print).value()})
    assert {"lr", "epochs", "clip"} <= set(numbers)
