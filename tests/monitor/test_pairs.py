"""What pairs are made of: spans of a log as a plain filter has them, places as a dictionary has them, sides as people were answered."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from clow_nb import Workspace
from clow_nb.monitor.pairs import Pairs, _last_places
from clow_nb.monitor.review import Review
from clow_nb.monitor.tables import days_of
from clow_nb.serve.log import look
from clow_nb.serve.rolling import roll, table_at
from clow_nb.serve.traffic import Entry, TrafficWriter

START = datetime(2026, 11, 1, tzinfo=UTC)


def _log(folder: Path, *answers: tuple[float, str, str, str, str, int]) -> None:
    writer = TrafficWriter(folder / "traffic")
    for second, request, version, text, label, status in answers:
        output = {"label": label} if status == 200 else {"detail": label}
        writer.add(Entry(START + timedelta(seconds=second), request, "s-intent", version, "m", {"text": text}, output, status, 1.0, 2.0))
    writer.close()


def test_a_span_of_a_log_is_what_a_plain_filter_takes(tmp_path: Path) -> None:
    chance = random.Random(3)
    for part in range(4):
        seconds = [part * 100 + chance.uniform(-60, 160) for _ in range(100)]
        _log(tmp_path, *((second, f"r{part}-{number}", "v1", "글", "x", 200) for number, second in enumerate(seconds)))
        if part < 3:
            roll(tmp_path, days=10**5)
    table = table_at(tmp_path)
    assert table is not None
    table.delete("request_id LIKE '%7'")
    seen = look(tmp_path)
    assert (seen.table.count_rows() if seen.table else 0, seen.tail.height) == (270, 100)
    rows = seen.find().select("time", "request_id", "version")
    for bounds in ((None, None), (0, 1), (50, 120), (95, 305), (350, None), (None, 20), (9000, None), (100, 100)):
        since, until = (None if second is None else START + timedelta(seconds=second) for second in bounds)
        expected = rows.filter(pl.col("time") >= (since or START - timedelta(days=1)), pl.col("time") < (until or START + timedelta(days=9)))
        found = seen.during(["version", "request_id"], since, until)
        assert found.columns == ["version", "request_id", "_at"]
        assert sorted(found["request_id"]) == sorted(expected["request_id"])
        assert seen.rows(found["_at"])["request_id"].equals(found["request_id"])
        assert seen.during(["time"], since, until).select("_at").equals(found.select("_at"))


def test_places_are_those_of_a_dictionary() -> None:
    chance = random.Random(4)
    for many, kinds in ((0, 5), (1, 1), (300, 40), (3000, 10**9), (20_000, 9000)):
        pool = [chance.getrandbits(64) for _ in range(min(kinds, 4 * many) or 1)] + [number << 60 for number in range(16)]
        keys, among = ([chance.choice(pool) for _ in range(many)] for _ in range(2))
        last = {key: place for place, key in enumerate(among)}
        found = _last_places(pl.Series(keys, dtype=pl.UInt64), pl.Series(among, dtype=pl.UInt64))
        assert found.to_list() == [last.get(key) for key in keys]


def test_sides_are_filled_with_the_last_good_answer_to_the_same_input(tmp_path: Path) -> None:
    chance, answers = random.Random(6), []
    for number in range(400):
        versions = chance.choice((("v1",), ("v2",), ("v1", "v2"), ("v3",)))
        text = f"글 {chance.randrange(60)}"
        answers += [(number + chance.random() * 50, f"r{number}", version, text, chance.choice("xyz"), chance.choice((200, 200, 500))) for version in versions]
    chance.shuffle(answers)
    _log(tmp_path, *answers[:300])
    roll(tmp_path, days=10**5)
    _log(tmp_path, *answers[300:])
    own, other = {}, {}
    for _, request, version, text, label, status in sorted(answers):
        own[request, version] = (label,) if status == 200 else (None,)
        if status == 200:
            other[text, version] = (label,)
    texts = {request: text for _, request, version, text, _, _ in answers if version != "v3"}
    expected = {request: [(own.get((request, v)) or other.get((text, v)) or (None,))[0] for v in ("v1", "v2")] for request, text in texts.items()}
    seen = look(tmp_path)
    frame = Pairs(seen, tmp_path, ("v1", "v2")).frame
    ids = seen.rows(frame["_at"])["request_id"]
    assert {request: [a, b] for request, a, b in zip(ids, frame["said_a"], frame["said_b"], strict=True)} == expected
    assert frame["time"].is_sorted(descending=True) and frame["differ"].sum() > 20


def test_a_log_that_is_empty_or_knows_one_version_only(tmp_path: Path) -> None:
    service = Workspace(tmp_path).services.create("s-intent")
    for name in ("v1", "v2"):
        service.create_version(name, flow={"steps": [{"answer": {"label": "x"}}]})
    for day in (None, "2026-11-01"):
        empty = Review(service.ctx, "s-intent", ["v1", "v2"], day)
        assert empty.queries().is_empty() and empty.count("글") == 0 and empty.lacking() == {}
        assert empty.decisions().is_empty() and empty.bins()["v1"].sum() == 0
    assert days_of(service.look()).is_empty()
    _log(service.folder, *((number, f"r{number}", "v2", "글", "x", 200) for number in range(3)))
    for rolled in (False, True):
        if rolled:
            roll(service.folder, days=10**5)
        alone = Review(service.ctx, "s-intent", ["v1", "v2"])
        assert alone.queries().select("request_id", "a", "b", "differ").rows() == [(f"r{number}", None, "x", False) for number in (2, 1, 0)]
        assert alone.lacking() == {"v1": 3} and alone.standing().disagreements == 0
