"""Checks before a training: what they find in made-up and in real data, and what their fixes leave."""

import json
import random
import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import DataError, NotFound
from clow_nb.data.checks import Checks, check
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.traits import blank, folded, text_key

CLEAN = [{"text": f"a sentence about {number * 7919}", "label": "ab"[number % 2], "split": "train" if number % 5 else "test"} for number in range(60)]


def _checked(ctx: Context, more: list[dict[str, Any]], label: str | None = "label", clean: list[dict[str, Any]] = CLEAN) -> tuple[Dataset, Checks]:
    dataset = Datasets(ctx).create(f"d-{random.getrandbits(40)}", [*clean, *more], label=label)
    return dataset, check(dataset.snapshot, label)


def _names(checks: Checks) -> set[str]:
    return {finding.name for finding in checks.found}


def _fixed(dataset: Dataset, checks: Checks, *names: str) -> list[dict[str, Any]]:
    edit = dataset.edit()
    for name in names:
        assert checks[name].fix(edit) is edit
    return list(edit.commit("fixed").documents())


def test_a_clean_dataset(ctx: Context) -> None:
    _, checks = _checked(ctx, [])
    assert checks.found == [] and len(checks) == 13
    assert set(checks.frame["severity"]) == {"ok"} and repr(checks) == "0 of 13 checks found something in 60 documents."
    with pytest.raises(NotFound, match="There is no check 'nothing'"):
        checks["nothing"]


@pytest.mark.parametrize(
    ("name", "more", "count", "left"),
    [
        ("duplicates", [{**CLEAN[0]}, {**CLEAN[0]}], 2, 60),
        ("same_texts", [{**CLEAN[1], "more": 1}], 1, 60),
        ("near_duplicates", [{**CLEAN[1], "text": "A   sentence, about 7919!"}], 1, 60),
        ("conflicting_labels", [{**CLEAN[1], "label": "a"}], 2, 61),
        ("leakage", [{**CLEAN[0], "split": "train", "more": 1}], 1, 60),
        ("near_leakage", [{**CLEAN[0], "split": "train", "text": "ａ Sentence about 0"}], 1, 60),
        ("spelling", [{"text": "other one", "label": "Ａ ", "split": "train"}], 1, 61),
        ("missing_labels", [{"text": "other one", "split": "train"}, {"text": "other two", "label": None}], 2, 60),
        ("empty_texts", [{"label": "a"}, {"text": None, "label": "b"}, {"text": " \u3000\u200b\n", "label": "a"}], 3, 60),
        ("rare_classes", [{"text": f"lone {number}", "label": "c"} for number in range(9)], 9, 60),
        ("lengths", [{"text": "long " * 2000 + "end", "label": "a"}], 1, 60),
        ("untidy", [{"text": "other one ", "label": "a"}, {"text": "other two", "label": "a", "note": "\u1112\u1161\u11ab"}], 2, 62),
        ("empty_documents", [{}, {"text": " ", "label": None}], 2, 60),
    ],
)
def test_each_check_finds_its_flaw_and_its_fix_ends_it(ctx: Context, name: str, more: list[dict[str, Any]], count: int, left: int) -> None:
    dataset, checks = _checked(ctx, more)
    finding = checks[name]
    assert finding.severity != "ok" and finding.count == count == finding.frame["fix"].count()
    assert finding.sentence and "{" not in finding.sentence + finding.remedy
    if name in ("conflicting_labels",):
        assert len(_fixed(dataset, checks, name)) == left
        again = check(dataset.at("latest").snapshot, "label")
        assert again[name].count == 0 and again["missing_labels"].count == 2
        return
    assert len(_fixed(dataset, checks, name)) == left
    assert name not in _names(check(dataset.at("latest").snapshot, "label"))


def test_texts_are_tidied_where_they_may_be_written(ctx: Context) -> None:
    dataset = Datasets(ctx).create("d-key", [{"sku": " a ", "name": " 각\u1100\u1161 ", "n": 1}, {"sku": "b", "name": "b"}], key="sku")
    finding = check(dataset.snapshot)["untidy"]
    assert finding.count == 1 and "' a '" in finding.sentence
    documents = list(finding.fix(dataset.edit()).commit("tidy").documents())
    assert documents[0] == {"_id": " a ", "sku": " a ", "name": "각가", "n": 1}


def test_the_majority_decides_about_a_label(ctx: Context) -> None:
    dataset, checks = _checked(ctx, [{**CLEAN[0], "more": 1}, {**CLEAN[0], "label": "b"}])
    assert checks["conflicting_labels"].frame["fix"].to_list() == [None, None, 'set "b"' if CLEAN[0]["label"] == "b" else 'set "a"']
    documents = _fixed(dataset, checks, "conflicting_labels")
    assert {d["label"] for d in documents if d["text"] == CLEAN[0]["text"]} == {"a"}


def test_labels_of_different_types_and_spellings(ctx: Context) -> None:
    docs = [{"text": f"t{number}", "label": 2} for number in range(30)] + [
        {"text": "u", "label": "2   "}, {"text": "v", "label": "\u1100\u1161\u11a8"}, {"text": "w", "label": "각"}, {"text": "x", "label": "각"}, {"text": "y", "label": ["각"]},
    ]  # fmt: skip
    dataset, checks = _checked(ctx, docs, clean=[])
    assert checks["spelling"].frame["fix"].to_list() in (["set 2", 'set "각"'], ['set "각"', "set 2"])
    labels = [document["label"] for document in _fixed(dataset, checks, "spelling")]
    assert labels == [2] * 31 + ["각"] * 3 + [["각"]]


def test_a_label_of_many_numbers_is_no_class(ctx: Context) -> None:
    _, checks = _checked(ctx, [], clean=[{"text": f"text {number} {number**3}", "label": number / 3} for number in range(100)])
    assert checks.found == []


def test_without_text_label_or_documents(ctx: Context) -> None:
    dataset, checks = _checked(ctx, [], None, [{"n": 1}, {"n": 1}, {"n": 2}])
    assert [finding.name for finding in checks] == ["duplicates", "untidy", "empty_documents"] and checks["duplicates"].count == 1
    assert [d["n"] for d in _fixed(dataset, checks, "duplicates")] == [1, 2]
    empty = Datasets(ctx).create("empty", [])
    assert check(empty.snapshot, "label").found == []
    with pytest.raises(DataError, match=r"No document has the key 'nokey'. The keys are: n."):
        check(dataset.snapshot, text="nokey")


def test_the_text_is_where_most_text_is(ctx: Context) -> None:
    docs = [{"id": f"x{number}", "question": f"what is number {number}", "answer": "a very long answer that never changes at all", "label": "a"} for number in range(20)]
    dataset = Datasets(ctx).create("d-1", docs, label="label")
    assert text_key(dataset.snapshot, "label") == "question" == text_key(dataset.snapshot, "label", dataset.statistics())


def test_odd_values_take_part(ctx: Context) -> None:
    docs = [{"text": f"text number {number}", "label": "a"} for number in range(20)] + [{"text": 5, "label": "a"}, {"text": "5", "label": "b"}, {"text": ["x"], "label": "a"}]
    _, checks = _checked(ctx, docs, clean=[])
    assert "empty_texts" not in _names(checks)
    assert checks["conflicting_labels"].count == 2


_WORDS = st.sampled_from(["turn on", "Turn on!", "turn  on", "off", "OFF", "weather", " ", "5"])
_ROWS = st.lists(
    st.fixed_dictionaries({"text": _WORDS | st.just(5), "label": st.sampled_from(["a", "A ", "b"]), "split": st.sampled_from(["train", "valid", "test", "held"]), "n": st.integers(0, 2)}),
    min_size=1,
    max_size=25,
)  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(_ROWS)
def test_fixes_together_leave_one_of_each_text_where_it_judges(rows: list[dict[str, Any]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        dataset, checks = _checked(Context.open(f"{folder}/.clow"), rows, clean=[])
        names = [finding.name for finding in checks.found if finding.name not in ("rare_classes", "lengths", "missing_labels", "empty_texts")]
        left = _fixed(dataset, checks, *names) if names else rows
    order = ["train", "held", "valid", "test"]

    def best(documents: list[dict[str, Any]]) -> dict[str, int]:
        found: dict[str, int] = {}
        for document in documents:
            name = "".join(character for character in str(document["text"]).lower() if character.isalnum())
            if name:
                found[name] = max(found.get(name, -1), order.index(document["split"]))
        return found

    assert best(left) == best(rows)


def test_folding_and_blankness() -> None:
    texts = pl.DataFrame({"t": ["Ｔｕｒｎ ＯＮ", "turn-on", "가나 다", "가나다", "3.5", "35", "C", "C++", "...", "😀"]})
    found = texts.select(folded(pl.col("t"))).to_series().to_list()
    assert found[0] == found[1] and found[2] == found[3] and found[4] != found[5] and found[6] != found[7]
    assert found[8] == "" and found[9] == "😀"
    assert pl.select(blank(pl.lit(pl.Series(["", "\t", "\ufeff", "a", "。"])))).to_series().to_list() == [True, True, True, False, False]


def test_many_documents_are_fixed_at_once(ctx: Context) -> None:
    docs = [{"text": f"text {number % 5_000} of many", "label": "ab"[number % 2]} for number in range(30_000)]
    dataset, checks = _checked(ctx, docs, clean=[])
    assert checks["duplicates"].count == 25_000
    edit = checks["duplicates"].fix(dataset.edit())
    assert len(edit.commit()) == 5_000


def test_it_speaks_korean(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    _, checks = _checked(ctx, [{**CLEAN[0]}, {"text": "<b>", "label": "ａ"}])
    assert "문서" in checks["duplicates"].sentence and "점검" in repr(checks)
    assert "&lt;b&gt;" in check(Datasets(ctx).create("html", [{"text": "<b>", "label": "a"}, {"text": "<b>", "label": "a"}]).snapshot)._repr_html_()


def _real(ctx: Context, source: Any, label: str, **options: Any) -> tuple[Dataset, Checks]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = Datasets(ctx).create(f"d-{random.getrandbits(40)}", source, label=label)
    return dataset, check(dataset.snapshot, label, **options)


def test_korean_chat_has_one_dirty_label(ctx: Context, shared_data: Path) -> None:
    dataset, checks = _real(ctx, shared_data / "ko-chatbot" / "ChatbotData.csv", "label")
    [row] = checks["spelling"].frame.to_dicts()
    assert row["label"] == "2   " and row["fix"] == 'set "2"' and row["Q"]
    assert checks["conflicting_labels"].count > 0
    fixed = _fixed(dataset, checks, "spelling")
    assert {document["label"] for document in fixed} == {"0", "1", "2"}


def test_clinc_leaks_a_little(ctx: Context, shared_data: Path) -> None:
    full = json.loads((shared_data / "clinc150" / "data_full.json").read_text("utf-8"))
    documents = [{"text": text, "label": label, "split": name.removeprefix("oos_").replace("val", "valid")} for name, rows in full.items() for text, label in rows]
    dataset, checks = _real(ctx, documents, "label")
    places: dict[str, set[str]] = {}
    for document in documents:
        places.setdefault(document["text"], set()).add(document["split"])
    assert checks["leakage"].frame["text"].n_unique() == sum(len(splits) > 1 for splits in places.values()) == 5
    assert checks["near_leakage"].count > 20 and checks["rare_classes"].count == 0
    _fixed(dataset, checks, "leakage", "near_leakage", "duplicates", "near_duplicates", "conflicting_labels")
    again = check(dataset.at("latest").snapshot, "label")
    assert _names(again) <= {"lengths", "missing_labels"}


def test_korean_comments(ctx: Context, shared_data: Path) -> None:
    folder = shared_data / "ko-hate-speech" / "labeled"
    parts = [pl.read_csv(folder / f"{name}.tsv", separator="\t", quote_char=None).with_columns(split=pl.lit(split)) for name, split in (("train", "train"), ("dev", "test"))]
    _, checks = _real(ctx, pl.concat(parts), "hate")
    assert _names(checks) == {"near_leakage", "near_duplicates"}
    assert checks["near_leakage"].frame["comments"][0].startswith("삼가")
