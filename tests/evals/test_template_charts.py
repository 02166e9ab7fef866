"""Every shipped template on tables of every task, on the odd ones too: a chart that can be drawn, or a sentence; never an exception."""

import json
import math
from datetime import datetime, timedelta

import polars as pl
import pytest

from clow_nb.core.plugins import registry
from clow_nb.evals.arranging import preview
from clow_nb.evals.calibration import confidence_histogram
from clow_nb.evals.cards import Card, make_card
from clow_nb.evals.charts import chart_svg
from clow_nb.evals.clicks import documents_of
from clow_nb.evals.regression import residual_histogram
from clow_nb.evals.shipped import SHIPPED, shipped
from clow_nb.evals.templates import Beside, offered

LABELS = ["날씨", "알람 [1]", 'a "quoted", label', "음악"]
SPAN = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64, "label": pl.String}))


def labelled(rows: int = 200, labels: int = 4) -> pl.DataFrame:
    names = [LABELS[i] if i < 4 else f"l{i}" for i in range(labels)]
    actual = [names[i % labels] for i in range(rows)]
    sure = [0.3 + 0.7 * abs(math.sin(i)) for i in range(rows)]
    said = [name if value > 0.5 else names[(i + 1) % labels] for i, (name, value) in enumerate(zip(actual, sure, strict=True))]
    rest = [{name: (value if name == guess else (1 - value) / max(1, labels - 1)) for name in names} for guess, value in zip(said, sure, strict=True)]
    table = pl.DataFrame({
        "_id": [str(i) for i in range(rows)], "text": [f"문장 {i % 150}" for i in range(rows)], "a.b [c]": ["ko", "en"] * (rows // 2),
        "letters": [float(i) for i in range(rows)], "actual": actual, "predicted": said, "confidence": sure, "probabilities": rest,
    })  # fmt: skip
    return table.with_columns(correct=pl.col("actual") == pl.col("predicted"))


def flagged(rows: int = 120) -> pl.DataFrame:
    score = [0.1 + 0.8 * (i % 40 > 35) for i in range(rows)]
    return pl.DataFrame({"at": [datetime(2026, 1, 1) + timedelta(hours=i) for i in range(rows)], "score": score,
                         "actual": [i % 40 > 33 for i in range(rows)], "predicted": [value > 0.5 for value in score]})  # fmt: skip


def numbers(rows: int = 120) -> pl.DataFrame:
    return pl.DataFrame({"_id": [str(i) for i in range(rows)], "region": ["a", "b", "c"] * (rows // 3), "actual": [float(i) for i in range(rows)],
                         "predicted": [i + 3 * math.sin(i) for i in range(rows)]})  # fmt: skip


TABLES = {
    "classification": labelled(),
    "binary": labelled(labels=2),
    "one label": labelled(40, 1),
    "one row": labelled(2).head(1),
    "many labels": labelled(3000, 150),
    "constant": labelled().with_columns(predicted=pl.lit(LABELS[0])),
    "no answers": labelled().with_columns(predicted=pl.lit(None, pl.String)),
    "nan confidence": labelled().with_columns(confidence=pl.lit(float("nan"))),
    "bare": labelled().select("actual", "predicted"),
    "several": pl.DataFrame({"text": ["a", "b", "c"], "actual": [["x", "y"], [], ["y"]], "predicted": [["x"], ["z"], ["y"]]}),
    "regression": numbers(),
    "one number": numbers().head(1),
    "same numbers": numbers().with_columns(actual=pl.lit(2.0), predicted=pl.lit(2.0)),
    "missing numbers": numbers().with_columns(predicted=pl.when(pl.col("actual") > 50).then(None).otherwise("predicted")),
    "forecast": pl.concat([numbers().with_columns(step=pl.lit(step), at=pl.int_range(pl.len()), series=pl.col("region"), anomaly=pl.col("actual") == 7) for step in (1, 2)]),
    "anomaly": flagged(),
    "no anomaly": flagged().with_columns(actual=pl.lit(False), predicted=pl.lit(False)),
    "spans": pl.DataFrame({"text": ["내일 서울"], "actual": [[{"start": 0, "end": 2, "label": "날짜"}, {"start": 3, "end": 5, "label": "곳"}]], "predicted": [[{"start": 0, "end": 2, "label": "곳"}]]}, {"text": pl.String, "actual": SPAN, "predicted": SPAN}),
    "empty": labelled().head(0),
}  # fmt: skip

DRAWN = {"classification", "one label", "several", "forecast", "anomaly"}  # a picture takes a while


def size(card: Card) -> int:
    return len(json.dumps(card.chart(), ensure_ascii=False).encode()) if card.kind == "chart" else 0


@pytest.mark.parametrize("name", TABLES)
def test_each_template_draws_each_table_or_says_why_not(name: str) -> None:
    table = TABLES[name]
    cards = [make_card(each, table) for each in registry("template").names()]
    broken = [card.content for card in cards if card.kind == "error" and "failed:" in card.content]
    assert broken == []
    for card in cards if name in DRAWN else ():
        assert card.kind != "chart" or chart_svg(card.chart()).startswith("<svg")
    assert sum(map(size, cards)) < 300_000


def test_the_shipped_presets_show_their_tasks_without_an_error() -> None:
    for task in SHIPPED:
        cards = preview(shipped(task).spec["templates"], TABLES[task], Beside())
        assert len(cards) >= 5 and [card.content for card in cards if card.kind == "error"] == []
        assert {part["template"] for part in shipped(task).spec["templates"]} - {card.template for card in cards} <= {"gallery", "conflicts"}


def test_a_bar_that_is_clicked_finds_as_many_documents_as_it_says() -> None:
    tenths = [round(value, 1) for value in TABLES["classification"]["confidence"]]  # all of them on an edge
    table = TABLES["classification"].with_columns(confidence=pl.Series(tenths))
    chart = make_card("confidences", table).content
    for bar in confidence_histogram(table, 10).iter_rows(named=True):
        found = documents_of(table, chart, [{"confidence_from": bar["low"], "confidence_to": bar["high"]}])
        assert found.height == bar["right"] + bar["wrong"]
    residuals = make_card("residuals", TABLES["regression"]).content
    for bar in residual_histogram(TABLES["regression"], 30).iter_rows(named=True):
        found = documents_of(TABLES["regression"], residuals, [{"residual_from": bar["low"], "residual_to": bar["high"]}])
        assert found.height == bar["documents"] and found.columns == TABLES["regression"].columns


def test_a_part_whose_key_has_an_odd_name_is_drawn_and_not_clicked() -> None:
    parted = make_card("slices", TABLES["classification"], {"by": "a.b [c]"}).content.to_dict()
    assert "documents" not in json.dumps(parted.get("params", []))
    clicked = make_card("slices", TABLES["classification"], {"by": "letters"}).content
    first = documents_of(TABLES["classification"], clicked, [{"letters_from": 0.0, "letters_to": 50.0}])
    assert first["letters"].to_list() == [float(i) for i in range(50)]


def test_the_table_of_the_issue() -> None:
    counts = [("yes", "yes", 327), ("yes", "no", 46), ("no", "yes", 51), ("no", "no", 318)]
    pairs = pl.DataFrame([pair[:2] for pair in counts for _ in range(pair[2])], ["actual", "predicted"], orient="row")
    spec = make_card("truth", pairs).content.to_dict()
    assert spec["title"]["text"][0] == "precision 0.86508 · recall 0.87668 · F1 0.87084 · accuracy 0.86927"
    for actual, predicted, count in counts:
        cell = {"actual": actual if actual == "yes" else "…", "predicted": predicted if predicted == "yes" else "…"}
        assert documents_of(pairs, spec, [cell]).height == count


def test_what_is_offered_fits_the_task() -> None:
    assert {"truth", "curves", "thresholds", "doubts"} <= set(offered(TABLES["binary"])) and "residuals" not in offered(TABLES["binary"])
    assert {"residuals", "fit"} <= set(offered(TABLES["regression"])) and "confusion" not in offered(TABLES["regression"])
    assert {"forecast", "horizon"} <= set(offered(TABLES["forecast"])) and {"anomalies", "truth"} <= set(offered(TABLES["anomaly"]))
    assert "confidences" in offered(pl.DataFrame({"predicted": ["a"], "confidence": [0.5]}))  # a prediction log, without the truth
