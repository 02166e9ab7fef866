"""The versions of a dataset on the page: looked at, compared, restored and tagged, whatever happens meanwhile."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import show

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.ui.base import answer
from clow_nb.ui.changes import Changes, DiffRows, changed_documents
from clow_nb.ui.restoring import Restore, Tags
from clow_nb.ui.versions_view import History

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def books(ctx: Context) -> Dataset:
    made = Datasets(ctx).create("books", [{"_id": f"b{i}", "name": f"책 {i}", "n": i} for i in range(6)])
    edit = made.edit(author="Kim")
    edit.set(["b1", "b2"], "n", "많음")
    edit.rename_key("name", "title")
    edit.delete(["b3"])
    edit.insert([{"_id": "new", EVIL: EVIL}])
    return edit.commit(EVIL)


def test_a_diff_holds_the_values_as_they_are(books: Dataset) -> None:
    diff = books.diff(1, 2)
    rows = list(DiffRows(diff).page(None, [], 0, 99))
    assert len(rows) == len(diff) and changed_documents(diff) == {"updated": 5, "added": 1, "removed": 1}
    cells = {(row["_id"], row.get("key")): row for row in rows}
    assert (cells["b1", "n"]["before"], cells["b1", "n"]["after"]) == (1, "많음")
    assert "after" not in cells["b1", "name"] and cells["new", None]["after"] == {EVIL: EVIL}
    view = Changes(books, 2, 1)
    assert EVIL not in view.static_html() and view.header.code == 'ws.datasets["books"].diff(2, 1)'


def test_very_many_changes_are_cut(books: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clow_nb.ui.changes.MOST", 2)
    view = Changes(books, 1, 2)
    assert view.diff["_id"].n_unique() == 2 and "The first 2 changed rows" in view.header.description


def test_two_rows_are_compared_and_one_with_the_one_before(books: Dataset) -> None:
    history = History(books)
    ask = lambda **message: answer(history.listing.handlers(), {"uuid": "1", **message})[0]  # noqa: E731
    ask(type="pick", id="2")
    assert history.compare.description == "Compare v1 and v2" and not history.back_to.disabled
    ask(type="pick", id="1")
    assert history.chosen == [1, 2] and history.look.disabled
    history.compare.click()
    assert [type(child).__name__ for child in history.children] == ["Button", "Changes"]
    history.way_back.click()
    ask(type="open", id="1")
    assert history.children[1].header.kind == "Version 1"
    history.way_back.click()
    assert history.listing in history.children
    ask(type="pick", id="2")
    assert history.compare.disabled  # there is none before the first
    assert "not on this page" in ask(type="pick", id="9")["error"]


def test_a_cleaned_version_is_a_sentence(books: Dataset) -> None:
    books.clean(older_than=0, dry_run=False)
    history = History(Datasets(books.ctx)["books"])
    answer(history.listing.handlers(), {"uuid": "1", "type": "open", "id": "1"})
    assert "cleaned it" in history.children[1].header.error
    history.way_back.click()
    history.listing.picked = ["1"]
    history.back_to.click()
    assert "cleaned it" in history.said.value and history.listing in history.children
    Restore.__new__(Restore).close()  # what was refused while it was made is put away in silence


def test_a_restore_is_said_before_and_can_be_undone_by_another(books: Dataset) -> None:
    made: list[Dataset] = []
    history = History(books, made.append, lambda: "Lee")
    history.listing.picked = ["1"]
    history.back_to.click()
    [restore] = history.panel.children
    assert "v2 becomes the documents of v1 again, as a new version: 5 changed, 1 added, 1 removed." in restore.children[0].value
    assert len(books.versions()) == 2
    restore.message.value = "다시"
    restore.go.click()
    assert [made[0].version, made[0].versions()["message"][-1], made[0].versions()["author"][-1]] == [3, "다시", "Lee"]
    assert [document["n"] for document in made[0].documents()] == [0, 1, 2, 3, 4, 5]
    assert Restore(books, 1, 0, print, print, "Lee").go.disabled  # it is as it was


def test_tags_of_all_kinds(books: Dataset) -> None:
    done: list[int] = []
    for name, words in (("", "cannot be a tag"), ("3", "cannot be a tag"), ("a b", "cannot be a tag"), ("latest", "cannot be a tag"), (EVIL, "cannot be a tag")):
        tags = Tags(books, lambda: done.append(1), print)
        tags.name.value = name
        tags.add()
        assert words in tags.said.value and EVIL not in tags.said.value and not done
    tags.name.value = "최종"
    tags.add()
    assert done and books.at("최종").version == 2


def test_versions_are_ticked_in_the_browser(page: Any, tmp_path: Path, picture: Callable[[Any, str], None]) -> None:
    made = Workspace(tmp_path).datasets.create("books", [{"n": i} for i in range(3)])
    for number in range(3):
        made = made.append([{"n": number}], message=f"더하기 {number}")
    history = History(made)
    show(page, history.listing)
    page.locator("tbody tr").nth(0).locator("input").check()
    page.locator("tbody tr").nth(2).locator("label").click()
    page.wait_for_function("window.model.get('picked').length === 2")
    assert history.chosen == [2, 4] and history.compare.description == "Compare v2 and v4"
    page.locator("tbody tr").nth(3).focus()
    page.keyboard.press("Space")
    page.wait_for_function("window.model.get('picked').includes('1')")
    assert history.chosen == [1, 2]
    picture(page, "versions")
