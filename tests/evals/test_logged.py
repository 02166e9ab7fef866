"""What a service wrote down, shown by the templates of evaluations."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from clow_nb.core.errors import DataError
from clow_nb.evals.cards import make_card
from clow_nb.evals.logged import predictions_of_log
from clow_nb.evals.metrics import measure
from clow_nb.evals.templates import offered
from clow_nb.serve.traffic import Entry, TrafficWriter, read_traffic


def _log(folder: Path, rows: int = 40) -> pl.DataFrame:
    """The log of a service, written and read as a service does; one request in ten was refused."""
    writer, begin = TrafficWriter(folder), datetime(2026, 11, 22, tzinfo=UTC)
    for n in range(rows):
        sure = 0.6 + n / 100
        said = None if n % 10 == 9 else {"label": "알람" if n % 3 else "날씨", "confidence": sure}
        table = json.dumps({"알람": sure, "날씨": 1 - sure}, ensure_ascii=False)
        asked = {"text": f"문장 {n}", "lang": "ko" if n % 2 else "en", "version": n % 4}
        writer.add(Entry(begin + timedelta(minutes=n), f"r{n}", "s-topic", f"v{n % 2 + 1}", "topics@1", asked, said, 200 if said else 429, 0.1, 2.0, probabilities=table))
    writer.close()
    return read_traffic(folder)


def test_a_log_is_shown_by_the_templates_that_its_columns_allow(tmp_path: Path) -> None:
    log = _log(tmp_path / "traffic")
    table = predictions_of_log(log)
    assert table.height == 36 and {"text", "lang", "version", "log_version", "time", "request_id", "predicted", "confidence", "probabilities"} <= set(table.columns)
    names = offered(table)
    assert "confidences" in names and not {"summary", "confusion", "wrong", "calibration"} & set(names)
    assert make_card("confidences", table).kind == "chart"
    truths = pl.Series("feedback", [None if n % 4 else json.dumps({"label": "날씨"}, ensure_ascii=False) for n in range(log.height)])
    judged = predictions_of_log(log.with_columns(truths))
    assert judged.height == 10 and {"summary", "truth", "wrong", "calibration", "curves", "slices"} <= set(offered(judged))
    assert measure(judged)["accuracy"] == pytest.approx(judged["correct"].mean())
    assert [card.kind for card in (make_card(name, judged) for name in offered(judged)) if card.kind == "error"] == []


def test_logs_that_are_odd(tmp_path: Path) -> None:
    empty = predictions_of_log(_log(tmp_path / "none", 0))
    assert empty.height == 0 and "predicted" in empty.columns
    odd = pl.DataFrame({"input": ["no json", "[1, 2]", None], "output": ['{"value": 1.5}', '{"value": 2}', '{"error": "x"}'], "_id": [1, 2, 3]})
    assert predictions_of_log(odd).select("input", "predicted", "_id").rows() == [("no json", 1.5, 1), ("[1, 2]", 2.0, 2)]
    spans = pl.DataFrame({"input": [{"text": "서울 날씨"}], "output": [{"spans": [{"start": 0, "end": 2, "label": "city"}]}], "actual": [[{"start": 0, "end": 2, "label": "city"}]]})
    assert predictions_of_log(spans)["correct"].to_list() == [True]
    with pytest.raises(DataError, match="no column 'output'"):
        predictions_of_log(odd.drop("output"))
