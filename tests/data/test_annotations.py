"""Regions and spans are found in the forms in which tools write them, and nothing that a document holds is a stumbling block."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.data.annotations import reading_order, regions
from clow_nb.data.pictures import picture_in
from clow_nb.data.spans import spans_in, spans_of

KEYS = st.sampled_from(["x", "y", "width", "height", "w", "h", "bbox", "points", "segmentation", "label", "labels", "start", "end", "text", "x1", "y1", "value", "size", "words"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just(date(2026, 1, 1)) | st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)
BOX = [(10, 20), (30, 20), (30, 60), (10, 60)]


@given(document=st.dictionaries(KEYS, VALUES, max_size=6), size=st.none() | st.just((100.0, 50.0)))
def test_any_document_is_looked_through(document: dict[str, Any], size: tuple[float, float] | None) -> None:
    _, found = regions(document, size)
    assert all(isinstance(c, int | float) and c == c for region in found for point in region.points for c in point)
    assert sorted(reading_order(found)) == list(range(len(found)))
    for key, spans in spans_in(document).items():
        assert all(0 <= span.start <= span.end <= len(document[key]) for span, _ in spans)
    assert all(picture_in(value) is None for value in document.values() if not isinstance(value, bytes | str))


@pytest.mark.parametrize(
    "document",
    [
        {"annotations": [{"bbox": [10, 20, 20, 40], "category_id": 1}]},  # COCO
        {"objects": {"bbox": [[10, 20, 20, 40], [0, 0, 5, 5]], "category": [1, 2]}},  # lists side by side
        {"object": [{"name": "1", "bndbox": {"xmin": 10, "ymin": 20, "xmax": 30, "ymax": 60}}]},  # VOC
        {"labels": [[1, 0.2, 0.4, 0.2, 0.4]]},  # YOLO
        {"boxes": [{"x1": 10, "y1": 20, "x2": 30, "y2": 20, "x3": 30, "y3": 60, "x4": 10, "y4": 60, "label": "1"}]},  # OCR
        {"quads": [{"points": [[10, 20], [30, 20], [30, 60], [10, 60]], "label": "1"}]},
        {"shapes": [{"points": [[10, 20], [30, 60]], "label": "1"}]},  # LabelMe's rectangle
        {"annotations": [{"result": [{"value": {"x": 10, "y": 20, "width": 20, "height": 40, "rectanglelabels": ["1"]}, "original_width": 100}]}]},  # Label Studio
        {"annotations": [{"type": "polygon", "points": [10, 20, 30, 20, 30, 60, 10, 60], "label": 1}]},  # Datumaro
        {"regions": [{"x": 0.1, "y": 0.2, "w": 0.2, "h": 0.4, "label": "1"}]},
        {"width": 50, "height": 50, "words": [{"box": [5, 10, 15, 30], "label": "1"}]},  # half the size of the picture
    ],
)
def test_one_box_in_every_form(document: dict[str, Any]) -> None:
    size, found = regions(document, (100, 100))
    assert (size, found[0].label, [(round(x), round(y)) for x, y in found[0].points]) == ((100, 100), "1", BOX)


def test_numbers_that_are_no_regions() -> None:
    for document in ({"vector": [1, 2, 3, 4]}, {"place": {"x": 127.0, "y": 37.5}}, {"scores": [[1, 2], [3, 4]]}, {"bbox": None}, {"bbox": ["a", 1, 2, 3]}, {"bbox": [10**400, 1, 2, 3]}):
        assert regions(document, (100, 100))[1] == []


def test_spans_of_tools() -> None:
    for item in ({"start": 3, "end": 5, "label": "city"}, {"begin": 3, "stop": 5, "entity": "city"}, {"offset": 3, "length": 2, "type": "city"}, [3, 5, "city"], {"value": {"start": 3, "end": 5, "labels": ["city"]}}):
        assert [span[:3] for span in spans_of([item]) or []] == [(3, 5, "city")]
    assert spans_of([{"start": datetime(2026, 1, 1, tzinfo=UTC), "end": 3}]) is None
