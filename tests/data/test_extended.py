"""MongoDB's Extended JSON: every type of its specification, and MongoDB's own samples."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.data.encoding import FileNotice
from clow_nb.data.extended import from_extended, is_extended
from clow_nb.data.json_files import read_json, read_jsonl

SPECIFICATION = [
    ({"$oid": "5ca4bbcea2dd94ee58162a68"}, "5ca4bbcea2dd94ee58162a68"),
    ({"$symbol": "sym"}, "sym"),
    ({"$numberInt": "-2147483648"}, -(2**31)),
    ({"$numberLong": "9223372036854775807"}, 2**63 - 1),
    ({"$numberDouble": "1.5"}, 1.5),
    ({"$numberDouble": "-0.0"}, -0.0),
    ({"$numberDouble": "Infinity"}, math.inf),
    ({"$numberDecimal": "0.1"}, 0.1),
    ({"$numberDecimal": "1E+400"}, "1E+400"),
    ({"$numberDecimal": "0.10000000000000000000000001"}, "0.10000000000000000000000001"),
    ({"$binary": {"base64": "AQI=", "subType": "00"}}, b"\x01\x02"),
    ({"$binary": "AQI=", "$type": "00"}, b"\x01\x02"),
    ({"$uuid": "c8edabc3-f738-4ca3-b68d-ab92a91478a3"}, "c8edabc3-f738-4ca3-b68d-ab92a91478a3"),
    ({"$code": "function() {}"}, "function() {}"),
    ({"$timestamp": {"t": 42, "i": 1}}, {"t": 42, "i": 1}),
    ({"$regularExpression": {"pattern": "^a", "options": "i"}}, {"pattern": "^a", "options": "i"}),
    ({"$date": {"$numberLong": "1565545664000"}}, datetime(2019, 8, 11, 17, 47, 44, tzinfo=UTC)),
    ({"$date": "2019-08-11T17:47:44.123Z"}, datetime(2019, 8, 11, 17, 47, 44, 123000, UTC)),
    ({"$date": "2019-08-11T17:47:44.123+0900"}, datetime(2019, 8, 11, 8, 47, 44, 123000, UTC)),
    ({"$date": 0}, datetime(1970, 1, 1, tzinfo=UTC)),
    ({"$undefined": True}, None),
    ({"$minKey": 1}, {"$minKey": 1}),
    ({"$ref": "c", "$id": {"$oid": "x"}}, {"$ref": "c", "$id": "x"}),
]


@pytest.mark.parametrize(("written", "value"), SPECIFICATION, ids=str)
def test_each_type_of_the_specification(written: Any, value: Any) -> None:
    assert repr(from_extended({"a": [written]})) == repr({"a": [value]})


@pytest.mark.parametrize("value", [{"$set": {"a": 1}}, {"$date": "soon"}, {"$oid": "x", "b": 1}, "$oid", {"a": {"$numberInt": "x"}}, {"$date": []}])
def test_what_only_looks_like_it_stays(value: Any) -> None:
    assert from_extended(value) == value
    assert not is_extended(value)


def test_it_is_found_and_said_and_can_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"at": {"$date": {"$numberLong": "0"}}}]))
    with pytest.warns(FileNotice, match="x.json was read as MongoDB Extended JSON. To keep it as it is written, pass extended=False"):
        assert list(read_json(path)) == [{"at": datetime(1970, 1, 1, tzinfo=UTC)}]
    assert list(read_json(path, extended=False)) == [{"at": {"$date": {"$numberLong": "0"}}}]


@pytest.mark.filterwarnings("ignore::clow_nb.data.encoding.FileNotice")
def test_samples_of_mongodb(shared_data: Path, ctx: Context) -> None:
    files = sorted((shared_data / "mongodb-samples").rglob("*.json"))
    assert len(files) == 3
    for number, path in enumerate(files):
        written = list(read_jsonl(path, extended=False))
        dataset = Datasets(ctx).create(f"sample-{number}", read_jsonl(path))
        documents = list(dataset.documents())
        assert documents == [from_extended(document) for document in written]
        assert not is_extended(documents)
        assert {document["_id"] for document in documents} == {document["_id"]["$oid"] for document in written}
    customer = Datasets(ctx)["sample-1"].find({"username": "fmiller"}) if "customers" in str(files[1]) else None
    assert customer is not None and customer["birthdate"].item() == datetime(1977, 3, 2, 2, 20, 31, tzinfo=UTC)
