"""Templates: what they show, how much they send, and what happens when one of them fails."""

import json
import random

import polars as pl
import pytest

from clow_nb.core.errors import DataError, ParameterError
from clow_nb.core.plugins import registry
from clow_nb.core.text import catalogue
from clow_nb.evals.cards import make_card
from clow_nb.evals.charts import chart_svg
from clow_nb.evals.templates import Template, confusion, offered, summary, template, wrong

SHIPPED = ["confusion", "summary", "wrong"]


def judged(documents: int = 400, labels: int = 150) -> pl.DataFrame:
    chance = random.Random(3)
    actual = [f"주제 {i % labels}" for i in range(documents)]
    predicted = [a if chance.random() < 0.8 else f"주제 {chance.randrange(labels)}" for a in actual]
    table = pl.DataFrame({"text": [f"문서 {i}" for i in range(documents)], "actual": actual, "predicted": predicted})
    return table.with_columns(correct=pl.col("actual") == pl.col("predicted"), confidence=pl.int_range(pl.len()) / documents)


def test_the_shipped_templates_are_plugins_with_korean_titles() -> None:
    assert set(SHIPPED) <= set(registry("template").names())
    for name in SHIPPED:
        found = registry("template").get(name)
        assert isinstance(found, Template) and found.title in catalogue("ko")
        assert name in offered(["actual", "predicted"]) and name not in offered(["text"])


@pytest.mark.parametrize("labels", [1, 2, 12, 13, 31, 150])
def test_the_matrix_counts_each_document_once_and_sends_aggregates(labels: int) -> None:
    table = judged(1200, labels)
    for limit in (0, 1, 20):
        spec = confusion(table, {"limit": limit}).to_dict()
        rows = next(iter(spec["datasets"].values()))
        assert sum(row["count"] for row in rows) == 1200
        assert len(rows) <= (limit + 1) ** 2 or limit == 0
        assert len(json.dumps(spec)) < 300_000
        assert chart_svg(spec).startswith("<svg")


def test_a_perfect_model_and_a_constant_one_can_be_drawn() -> None:
    table = judged(60, 3)
    for predicted in (pl.col("actual"), pl.lit("주제 0"), pl.lit("nothing known")):
        spec = confusion(table.with_columns(predicted=predicted)).to_dict()
        tones = [row["tone"] for row in next(iter(spec["datasets"].values()))]
        assert all(-1 <= tone <= 1 for tone in tones)


def test_wrong_examples_come_most_confident_first_and_stay_in_order_without_confidence() -> None:
    table = judged()
    shown = wrong(table, {"limit": 5})
    assert shown.height == 5 and shown["confidence"].is_sorted(descending=True)
    assert "correct" not in shown.columns and shown.columns[-3:] == ["actual", "predicted", "confidence"]
    plain = wrong(table.drop("confidence", "correct"), {"limit": 0})
    assert plain.height == table.filter(pl.col("actual") != pl.col("predicted")).height
    assert plain["text"].to_list()[0] == table.filter(~pl.col("correct"))["text"][0]


def test_settings_and_columns_are_checked_in_words() -> None:
    with pytest.raises(ParameterError, match=r"no setting 'limits'. It has: limit"):
        wrong(judged(), {"limits": 1})
    with pytest.raises(DataError, match="needs the column 'predicted'"):
        summary(pl.DataFrame({"actual": ["a"]}))


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
