"""The dashboard of the data: tables, pages by their address, imports, in the language of the reader."""

import os
from pathlib import Path
from typing import Any

import pytest
from harness import take_in

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets, Rawdatas
from clow_nb.ui.base import answer
from clow_nb.ui.data import DataView, data_page
from clow_nb.ui.shelf import Shelf


@pytest.fixture
def books(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    Datasets(ctx).create("books", [{"title": "Emma"}], title="도서").append([{"title": "Dune"}])
    Rawdatas(ctx).create("talk", [{"text": "안녕"}])
    monkeypatch.setenv("CLOW_HOME", str(ctx.home))
    return ctx


def act(shelf: Shelf, name: str, id: str) -> dict[str, Any]:
    return answer(shelf.listing.handlers(), {"type": "act", "uuid": "1", "id": id, "name": name})[0]


def test_an_address_names_a_dataset_and_a_version(books: Context) -> None:
    facts = {name: dict(data_page({"dataset": name}).children[1].header.facts)["documents"] for name in ("books", "books@1")}
    assert facts == {"books": "2", "books@1": "1"}
    page = data_page({"rawdata": "talk"})
    assert 'href="10_data.ipynb"' in page.children[0].value and page.children[1].header.title == "talk"


@pytest.mark.parametrize("name", ["none", "books@9", "<script>alert(1)</script>", "../x", ""])
def test_an_address_that_names_nothing_says_so(books: Context, name: str) -> None:
    page = data_page({"dataset": name})
    assert isinstance(page, DataView) if not name else page.children[1].header.error


def test_links_lead_to_the_page_in_voila_only(books: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOILA_KERNEL_ID", "kernel")
    assert Shelf(books).listing.rows[0]["href"] == "10_data.ipynb?dataset=books"
    monkeypatch.delenv("VOILA_KERNEL_ID")
    assert Shelf(books).listing.rows[0]["href"] == ""


def test_a_dataset_is_deleted_after_a_question_and_the_head_counts(books: Context) -> None:
    view = DataView(books)
    shelf = view.shelves["dataset"]
    assert "all its versions" in next(each["confirm"] for each in shelf.listing.rows[0]["actions"] if each["name"] == "delete")
    act(shelf, "delete", "books")
    assert view.header.facts == [["Datasets", "0"], ["Rawdata", "1"]] and not list(Datasets(books))


def test_an_import_ends_at_the_page_of_what_came(books: Context, tmp_path: Path) -> None:
    view = DataView(books)
    shelf = view.shelves["dataset"]
    act(shelf, "more", "books")
    intake = shelf.children[1]
    assert intake.header.title == "More documents for 도서"
    (tmp_path / "more.csv").write_text("title\nUlysses\n")
    take_in(intake, tmp_path / "more.csv")
    assert dict(shelf.children[1].header.facts)["documents"] == "3"
    shelf.leave()
    assert shelf.children == (shelf.tools, shelf.listing)


def test_who_only_looks_is_offered_no_change(books: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    len(Datasets(books))
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    view = data_page({})
    assert view.header.description == "This page is for looking."
    for shelf in view.shelves.values():
        assert shelf.tools.children == () and [row["actions"] for row in shelf.listing.rows] == [[]]


def test_a_page_speaks_the_language_of_its_browser(books: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_ACCEPT_LANGUAGE", "ko-KR,ko;q=0.9,en-US;q=0.8")
    assert data_page({}).header.kind == "데이터"
    monkeypatch.setenv("HTTP_ACCEPT_LANGUAGE", "en-US,en;q=0.9,ko;q=0.8")
    assert data_page({}).header.kind == "Data"
    monkeypatch.setenv("CLOW_LANG", "ko")
    assert data_page({}).header.kind == "데이터"
    assert "HTTP_ACCEPT_LANGUAGE" not in books.environment() and os.environ["CLOW_LANG"] == "ko"
