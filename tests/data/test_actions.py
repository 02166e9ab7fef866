"""What is done to a draft is the same again: as code in another workspace, and as lines of a journal after the process has ended."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from clow_nb import Workspace
from clow_nb.core.errors import ClowError
from clow_nb.data.actions import Call
from clow_nb.data.dataset import Dataset
from clow_nb.data.documents import MISSING
from clow_nb.data.journal import kept_drafts
from clow_nb.data.kept import KeptEdit, reopened
from clow_nb.data.values import same

VALUES: list[Any] = [
    0, 1, True, 1.0, -0.0, 2.5, float("nan"), float("inf"), 10**30, -(2**63), 10**4500, None, "", "배송", 'a"b\'c\\n\n', "한" * 3, "\ud800",
    b"", b"\x00\xff", date(2026, 11, 21), datetime(2026, 11, 21, 21, 5, 0, 1), datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=9))), [], [1, "a", None], {"깊이": {"$x": [b"1"]}}, {"$date": 1}, ["a", "b"],
]  # fmt: skip
KEYS = ["n", "text", "새 키", "a.b", "$weird", ""]
QUERIES: list[Any] = [{}, {"n": {"$gte": 1}}, {"text": "배송"}, {"n": None}, {"새 키": {"$exists": True}}, {"n": {"$in": [0, 2.5]}}]


def a_document(chance: random.Random) -> dict[str, Any]:
    return {key: chance.choice(VALUES) for key in ("n", "text") if chance.random() < 0.8}


def an_action(chance: random.Random, edit: KeptEdit, known: list[str]) -> None:
    ids = chance.sample(known, min(len(known), chance.randrange(1, 4)))
    key, value, query = chance.choice(KEYS), chance.choice(VALUES), chance.choice(QUERIES)
    acts: list[Callable[[], Any]] = [
        lambda: edit.do(*(Call("set", (identity, key, value)) for identity in ids)),
        lambda: edit.do(Call("set", (ids, key, value)), Call("unset", (ids[0], chance.choice(KEYS)))),
        lambda: edit.do(Call("set", (query, key, value))),
        lambda: edit.do(Call("unset", (query, key))),
        lambda: edit.do(Call("delete", (ids,))),
        lambda: edit.do(Call("delete", ({"n": chance.choice([10**30, 2.5])},))),
        lambda: edit.do(Call("insert", ([{"_id": f"새-{len(known)}", **a_document(chance)}],))) or known.append(f"새-{len(known)}"),
        lambda: edit.do(Call("rename_key", (key, f"{key}!"))),
        lambda: edit.do(Call("retype", (key, chance.choice(["text", "int", "datetime", "list"])), {"errors": chance.choice(["keep", "null", "unset"])})),
        lambda: edit.undo() or edit.redo(),
        edit.undo,
        edit.redo,
    ]  # fmt: skip
    with suppress(ClowError):  # what an edit refuses leaves nothing behind
        chance.choice(acts)()


def a_dataset(home: Path, chance: random.Random) -> Dataset:
    documents = [{"_id": f"r{n}", **a_document(chance)} for n in range(30)]
    return Workspace(home).datasets.create("messy", documents, label="text")


def drawn(edit: KeptEdit, known: list[str]) -> list[Any]:
    return list(edit.edit.look_up(known).values())


@pytest.mark.parametrize("many", [3, 20_000])
@pytest.mark.parametrize("seed", range(4))
def test_any_draft_is_the_same_again(tmp_path: Path, seed: int, many: int) -> None:
    chance = random.Random(f"{seed} {many}")
    dataset = a_dataset(tmp_path / "one", random.Random(seed))
    copy = a_dataset(tmp_path / "two", random.Random(seed))
    edit, known = KeptEdit(dataset, "mina"), [document["_id"] for document in dataset.documents()]
    with patch("clow_nb.data.targets._MANY", many):
        for _ in range(25):
            an_action(chance, edit, known)

        states = [drawn(edit, known)]
        while edit.redo():
            states.append(drawn(edit, known))
        for _ in states[1:]:
            edit.undo()

        # Another process opens it.
        edit.journal.release()
        [kept] = kept_drafts(dataset.ctx, edit.journal.heading.table)
        again = reopened(KeptEdit(dataset), kept)
        assert [len(again.done), len(again.undone), again.author] == [len(edit.done), len(edit.undone), "mina"]
        assert same(drawn(again, known), states[0])
        for state in states[1:]:
            assert again.redo() and same(drawn(again, known), state)

        # The code is run in another workspace.
        code = again.code("같은 것")
        committed = again.commit("같은 것").dataset
        exec(code, names := {"ws": Workspace(copy.ctx.home)})
    assert same([*names["ds"].documents()], [*committed.documents()])
    assert kept_drafts(dataset.ctx, kept.heading.table) == []


@pytest.mark.parametrize("many", [3, 20_000])
@pytest.mark.parametrize("seed", range(3))
def test_any_draft_goes_on_from_a_newer_version(tmp_path: Path, seed: int, many: int) -> None:
    """Moved action by action, a draft comes to what its documents would be settled to at once; and each action can be undone."""
    chance = random.Random(f"{seed} {many}")
    dataset = a_dataset(tmp_path / "one", random.Random(seed))
    known = [document["_id"] for document in dataset.documents()]
    with patch("clow_nb.data.targets._MANY", many):
        mina, lee = KeptEdit(dataset, "mina"), KeptEdit(dataset, "lee")
        for edit in (mina, lee):
            for _ in range(12):
                an_action(chance, edit, known)
        head = lee.commit("lee").dataset
        clashes = mina.clashes(head)
        mine = {(clash.id, clash.key) for clash in clashes if chance.random() < 0.5}
        theirs = {document["_id"]: document for document in head.documents()}
        changes = mina.edit.changes()
        moved = mina.moved(head, mine)
        assert moved.clashes(head) == []
        after = {document["_id"]: document for document in moved.edit.seen({}, head.keys + mina.dataset.keys)} if not moved.edit.rules else {}
        for clash in clashes:
            if after and clash.key != "_id" and clash.mine is not None and clash.theirs is not None:
                wanted = clash.mine if (clash.id, clash.key) in mine else clash.theirs
                assert same(after[clash.id].get(clash.key), None if wanted is MISSING else wanted)
        for identity in theirs.keys() - changes.held - {clash.id for clash in clashes}:
            if after and not changes.rules:
                assert same(after[identity], theirs[identity])
        everybody = list(dict.fromkeys([*known, *theirs]))
        before, count = drawn(moved, everybody), len(moved.done)
        assert [moved.undo() for _ in range(count + 1)] == [True] * count + [False]
        assert same(drawn(moved, everybody), [theirs.get(identity) for identity in everybody])
        assert all([moved.redo() for _ in range(count)])
        assert same(drawn(moved, everybody), before)
        bulk, later = bool(moved.edit.rules), moved.commit("mina")
        while later.undo():
            pass
        if not bulk and head.version == 2:  # all that was committed is taken back, by cells
            assert same(drawn(later, everybody), [theirs.get(identity) for identity in everybody])
