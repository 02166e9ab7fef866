"""Reviews: pairs agree with a plain reckoning, votes are kept and undone, labels become versions."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from clow_nb import Workspace
from clow_nb.core.errors import ReadOnly
from clow_nb.monitor.review import Review
from clow_nb.serve.service import Service
from clow_nb.serve.traffic import Entry, TrafficWriter

START = datetime(2026, 10, 27, 12).astimezone()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    ws = Workspace(tmp_path / "home")
    made = ws.services.create("s-intent")
    for name in ("v1", "v2"):
        made.create_version(name, flow={"steps": [{"answer": {"label": "x"}}]})
    yield made


def _log(service: Service, *answers: tuple[float, str, str, str, str, float]) -> None:
    writer = TrafficWriter(service.folder / "traffic")
    for second, request, version, text, label, sure in answers:
        output = {"label": label, "confidence": sure}
        writer.add(Entry(START + timedelta(seconds=second), request, "s-intent", version, "m", {"text": text}, output, 200, 1.0, 2.0))
    writer.close()


def test_pairs_and_tables_agree_with_a_plain_reckoning(service: Service) -> None:
    chance, answers = random.Random(5), []
    for number in range(300):
        text, sure = f"글 {chance.randrange(80)}", chance.random()
        kind = chance.random()
        if kind < 0.8:
            answers.append((number, f"r{number}", "v1", text, chance.choice("xyz"), round(sure, 3)))
        if kind > 0.4:
            answers.append((number, f"r{number}", "v2", text, chance.choice("xyz"), round(chance.random(), 3)))
        if number % 30 == 7:  # asked again under the same id: the later answer counts
            answers.append((number + 0.5, f"r{number}", chance.choice(("v1", "v2")), text, chance.choice("xyz"), 0.5))
    _log(service, *answers[:300])
    service.roll_log()
    _log(service, *answers[300:])
    by_request, by_text = {}, {}
    for _, request, version, text, label, sure in answers:
        by_request[request, version] = by_text[text, version] = (label, sure)
    texts = {request: text for _, request, _, text, _, _ in answers}
    expected = {
        request: tuple(by_request.get((request, version)) or by_text.get((text, version)) for version in ("v1", "v2")) for request, text in texts.items()
    }
    review = Review(service.ctx, "s-intent", ["v1", "v2"], date="2026-10-27")
    seen = {}
    for page in range(-(-review.count() // 20)):
        for row in review.queries(page=page).iter_rows(named=True):
            assert json.loads(row["input"])["text"] == texts[row["request_id"]]
            seen[row["request_id"]] = tuple((row[name], row[f"{name}_confidence"]) if row[name] else None for name in "ab")
    assert seen == expected
    for place, version in enumerate(("v1", "v2")):
        sures = [pair[place][1] for pair in expected.values() if pair[place]]
        assert review.bins()[version].to_list() == [sum(int(sure * 10 + 1e-9) == n for sure in sures) for n in range(10)]
        assert dict(review.decisions().select("decision", version).iter_rows()) == {
            label: sum(pair[place] is not None and pair[place][0] == label for pair in expected.values()) for label in "xyz"
        }
    differing = sum(None not in pair and pair[0][0] != pair[1][0] for pair in expected.values())
    assert review.count(only_disagreements=True) == differing > 20
    assert review.queries()["differ"].all() and review.disagreements()["differ"].all()
    assert review.count("글 1") == sum("글 1" in text for text in texts.values())
    assert Review(service.ctx, "s-intent", ["v1", "v2"], date="2026-10-28").queries().is_empty()


def test_a_shadow_that_answers_in_another_order_makes_the_same_pairs(service: Service) -> None:
    chance = random.Random(7)
    answers = [(number, f"r{number}", version, f"글 {number}", chance.choice("xyz"), chance.random()) for number in range(60) for version in ("v1", "v2")]
    _log(service, *answers)
    expected = Review(service.ctx, "s-intent", ["v1", "v2"]).disagreements()
    service.roll_log()
    other = service.ctx.home.parent / "other"
    shaken = Workspace(other).services.create("s-intent")
    for name in ("v1", "v2"):
        shaken.create_version(name, flow={"steps": [{"answer": {"label": "x"}}]})
    _log(shaken, *(answer for answer in answers if answer[2] == "v1"), *chance.sample([answer for answer in answers if answer[2] == "v2"], 60))
    assert Review(shaken.ctx, "s-intent", ["v1", "v2"]).disagreements().equals(expected)
    assert expected.height == 20 and expected["time"].is_sorted(descending=True)


def test_a_review_is_opened_as_a_page(service: Service) -> None:
    _log(service, *((number, f"r{number}", version, f"글 {number}", version, 0.5) for number in range(3) for version in ("v1", "v2")))
    page = Workspace(service.ctx.home).review("s-intent", ["v2", "v1"], "2026-10-27").view()
    assert page.ballot.versions == ["v2", "v1"] and [row["text"] for row in page.ballot.rows] == ["글 2", "글 1", "글 0"]
    assert page.header.code == 'ws.review("s-intent", ["v2", "v1"], "2026-10-27").view()' and "글 2" in page.static_html()


def test_votes_are_kept_undone_and_become_versions(service: Service) -> None:
    _log(service, *((number, f"r{number}", version, f"글 {number}", f"{version}-label", 0.5) for number in range(10) for version in ("v1", "v2")))
    ws = Workspace(service.ctx.home)
    review = ws.review("s-intent", ["v1", "v2"], "2026-10-27")
    for number, choice in enumerate(("a", "b", "neither", "skip")):
        review.vote(f"r{number}", choice, "kim")
    review.vote("r4", "label", "kim", label="다른 것")
    again = ws.review("s-intent", versions=["v1", "v2"], date="2026-10-27")
    votes = dict(again.queries().select("request_id", "vote").iter_rows())
    assert [votes[f"r{number}"] for number in range(6)] == ["a", "b", "neither", "skip", "label", None]
    made = again.label("reviewed", author="kim")
    assert {(row["text"], row["label"]) for row in made.documents()} == {("글 0", "v1-label"), ("글 1", "v2-label"), ("글 4", "다른 것")}
    assert {edge.source for edge in ws.ctx.catalog.edges(made.ref)} == {"service:s-intent@1", "service:s-intent@2"}
    for _ in range(2):
        again.undo("kim")
    again.vote("r1", "a", "lee")
    later = again.label("reviewed", author="lee")
    assert (later.version, {(row["text"], row["label"]) for row in later.documents()}) == (2, {("글 0", "v1-label"), ("글 1", "v1-label"), ("글 4", "다른 것")})
    assert again.undo("nobody") is None


def test_who_only_looks_does_not_vote(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    _log(service, (0, "r0", "v1", "글", "x", 0.5))
    assert Review(service.ctx, "s-intent", ["v1", "v2"]).queries().height == 1
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    looking = Workspace(service.ctx.home).review("s-intent", ["v1", "v2"])
    assert looking.queries().height == 1
    with pytest.raises(ReadOnly):
        looking.vote("r0", "a", "kim")
