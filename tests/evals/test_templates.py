"""Templates: what they show, how much they send, and what happens when one of them fails."""

import io
import json
import random
from typing import Any

import polars as pl
import pytest

from clow_nb.core.errors import DataError, ParameterError
from clow_nb.core.plugins import registry
from clow_nb.core.text import catalogue
from clow_nb.evals.cards import make_card
from clow_nb.evals.charts import chart_svg
from clow_nb.evals.clicks import documents_of
from clow_nb.evals.templates import Template, offered, template

SHIPPED = sorted(name for name, entry in registry("template")._declared.items() if entry.value.startswith("clow_nb."))


def show(name: str, table: pl.DataFrame, **settings: Any) -> Any:
    return registry("template").get(name)(table, settings)


def judged(documents: int = 400, labels: int = 150) -> pl.DataFrame:
    chance = random.Random(3)
    actual = [f"주제 {i % labels}" for i in range(documents)]
    predicted = [a if chance.random() < 0.8 else f"주제 {chance.randrange(labels)}" for a in actual]
    table = pl.DataFrame({"text": [f"문서 {i}" for i in range(documents)], "actual": actual, "predicted": predicted})
    return table.with_columns(correct=pl.col("actual") == pl.col("predicted"), confidence=pl.int_range(pl.len()) / documents)


def sent(spec: dict[str, Any]) -> pl.DataFrame:
    """The rows that a chart sends: its first table."""
    return pl.read_csv(io.StringIO(next(iter(spec["datasets"].values()))))


def test_the_shipped_templates_are_plugins_that_speak_korean() -> None:
    assert {"summary", "confusion", "wrong", "conflicts", "gallery"} <= set(SHIPPED)
    known = catalogue("ko")
    for name in SHIPPED:
        found = registry("template").get(name)
        said = [found.title, *(each["description"] for each in found.schema()["properties"].values())]
        assert isinstance(found, Template) and [text for text in said if text not in known] == []
        assert found.check({}) == found.settings
    assert {"confusion", "wrong"} <= set(offered(judged())) and "confusion" not in offered(pl.DataFrame({"text": ["a"]}))


@pytest.mark.parametrize("labels", [1, 2, 13, pytest.param(31, marks=pytest.mark.slow), 150])
def test_the_matrix_counts_each_document_once_and_sends_aggregates(labels: int) -> None:
    table = judged(1200, labels)
    for limit in (1, 20, 100):
        spec = show("confusion", table, limit=limit).to_dict()
        rows = sent(spec)
        assert rows["count"].sum() == 1200 and rows.height <= (limit + 1) ** 2
        assert len(json.dumps(spec)) < 100_000
        assert chart_svg(spec).startswith("<svg")


def test_a_cell_that_is_clicked_finds_as_many_documents_as_it_says() -> None:
    table = judged(900, 30).with_columns(predicted=pl.when(pl.int_range(pl.len()) % 50 == 3).then(None).otherwise("predicted"))
    spec = show("confusion", table, limit=5).to_dict()
    layer = spec["layer"][0]
    actual, predicted = ([*json.loads(each["calculate"].partition("]")[0] + "]")] for each in layer["transform"])
    for row in sent(spec).iter_rows(named=True):
        cell = {"actual": actual[row["a"]], "predicted": predicted[row["p"]]}
        assert documents_of(table, spec, [cell]).height == row["count"]


def test_a_perfect_model_and_a_constant_one_can_be_drawn() -> None:
    table = judged(60, 3)
    for predicted in (pl.col("actual"), pl.lit("주제 0"), pl.lit("nothing known")):
        spec = show("confusion", table.with_columns(predicted=predicted)).to_dict()
        assert sent(spec)["tone"].is_between(-1, 1).all()


def test_wrong_examples_come_most_confident_first_and_stay_in_order_without_confidence() -> None:
    table = judged()
    shown = show("wrong", table, limit=5)
    assert shown.height == 5 and shown["confidence"].is_sorted(descending=True)
    assert "correct" not in shown.columns and shown.columns[-3:] == ["actual", "predicted", "confidence"]
    plain = show("wrong", table.drop("confidence", "correct"), limit=1000)
    assert plain.height == table.filter(pl.col("actual") != pl.col("predicted")).height
    assert plain["text"].to_list()[0] == table.filter(~pl.col("correct"))["text"][0]


def test_settings_and_columns_are_checked_in_words() -> None:
    for settings, words in [
        ({"limits": 1}, r"no setting 'limits'. It has: limit, columns"),
        ({"limit": 0}, r"limit of the template wrong can't be 0: 1 or more is needed"),
        ({"limit": "many"}, r"can't be 'many'"),
        ({"limit": float("nan")}, r"can't be nan"),
    ]:
        with pytest.raises(ParameterError, match=words):
            show("wrong", judged(), **settings)
    with pytest.raises(DataError, match="needs the column 'predicted'"):
        show("summary", pl.DataFrame({"actual": ["a"]}))


def test_one_decorator_makes_a_template_and_its_error_stays_in_its_card() -> None:
    names = registry("template")._plugins

    @template("mean-length", needs=["text"], title="Mean length", digits=1)
    def mean_length(predictions: pl.DataFrame, settings: dict) -> str:
        return f"{predictions['text'].str.len_chars().mean():.{settings['digits']}f}"

    try:
        assert make_card("mean-length", judged(4)).content == "4.0"
        assert make_card("mean-length", judged(4), {"digits": "x"}).kind == "error"
    finally:
        names.pop("mean-length")
    card = make_card("mean-length", judged(4))
    assert card.kind == "error" and "'mean-length'" in card.content


def test_what_documents_say_is_never_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    table = pl.DataFrame({"text": [evil, evil], "actual": [evil, "b"], "predicted": ["b", "b"], evil: [1, 2]})
    for name in SHIPPED:
        body = make_card(name, table)._repr_html_()
        assert "<img" not in body and "onerror" not in body.replace("&lt;img src=x onerror=alert(1)&gt;", "")
