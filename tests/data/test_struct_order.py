"""Sorting by objects and by lists of objects gives what the documents themselves say."""

import math
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clow_nb import Workspace
from clow_nb.data.order import sort_documents, sort_key
from clow_nb.data.struct_order import plain_ranks, struct_order

VALUES: dict[str, list[Any]] = {
    "count": [-(2**63), 2**63 - 1, 0, 1, 2],
    "price": [math.nan, 0.0, -0.0, 1.5, -3.0, math.inf],
    "name": ["", "a", "ab", "b", "가", "a\0"],
    "on": [True, False],
}


def an_object(chance: random.Random, inside: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {name: chance.choice(values) for name, values in VALUES.items() if chance.random() < 0.7}
    return found | ({"more": an_object(chance, False)} if inside and chance.random() < 0.7 else {})


@pytest.mark.parametrize("falling", [False, True])
def test_objects_sort_as_their_keys_do(falling: bool) -> None:
    chance = random.Random(3)
    kind = {"count": pl.Int64, "price": pl.Float64, "name": pl.String, "on": pl.Boolean}
    dtype = pl.Struct({**kind, "more": pl.Struct(kind)})
    for _ in range(40):
        given = [an_object(chance) if chance.random() < 0.9 else None for _ in range(chance.randrange(40))]
        column = pl.Series(given, dtype=dtype)
        places = [place for place, value in enumerate(given) if value is not None]
        keys = {place: sort_key(given[place]) for place in places}
        assert struct_order(column, falling).tolist() == sorted(places, key=keys.__getitem__, reverse=falling)
        ranks, distinct = plain_ranks(column).to_list(), sorted(set(keys.values()))
        assert [ranks[place] for place in places] == [distinct.index(keys[place]) for place in places]


def odd(chance: random.Random) -> Any:
    return chance.choice([None, 7, "text", {}, [], {"count": "one"}, {"strange key": 1}, [None], {"more": None}, [3, {"count": 1}]])


def test_a_dataset_sorts_by_objects_and_lists_of_them_as_its_documents_do(tmp_path: Path) -> None:
    chance = random.Random(5)
    documents = []
    for number in range(400):
        document: dict[str, Any] = {"number": number, "box": an_object(chance), "boxes": [an_object(chance) for _ in range(chance.randrange(3))]}
        document["prices"] = chance.choices(VALUES["price"], k=chance.randrange(3))
        for key in ("box", "boxes", "prices"):
            if chance.random() < 0.1:
                document[key] = odd(chance)
            elif chance.random() < 0.1:
                del document[key]
        documents.append(document)
    ds = Workspace(tmp_path).datasets.create("boxes", documents)
    for path in ("box", "boxes", "prices", "box.more"):
        for direction in (1, -1):
            wanted = [document["number"] for document in sort_documents(documents, [(path, direction)])]
            for query in (None, {"number": {"$gte": 0}}, {"number": {"$lt": 150}}):
                found = [document["number"] for document in ds.documents(query, sort=[(path, direction)])]
                assert found == [number for number in wanted if query is None or number < query["number"].get("$lt", 400)], (path, direction)
