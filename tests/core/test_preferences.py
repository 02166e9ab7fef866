"""What a page remembers is there for the next kernel, and never in the way."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from clow_nb.core.context import Context
from clow_nb.core.preferences import remember, remembered


def test_another_process_finds_it(tmp_path: Path) -> None:
    remember(Context.open(tmp_path), "grid/dataset/책", layout=[{"key": '"><b>'}], recent=["{}"])
    remember(Context.open(tmp_path), "grid/dataset/책", recent=[])
    assert remembered(Context.open(tmp_path), "grid/dataset/책") == {"layout": [{"key": '"><b>'}], "recent": []}


def test_many_write_at_once(tmp_path: Path) -> None:
    contexts = [Context.open(tmp_path) for _ in range(8)]
    contexts[0].catalog  # noqa: B018
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: remember(pair[1], "here", **{f"k{pair[0]}": pair[0]}), enumerate(contexts)))
    assert remembered(contexts[0], "here") == {f"k{number}": number for number in range(8)}


def test_what_makes_no_sense_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    ctx = Context.open(tmp_path)
    remember(ctx, "here", a=1)
    with ctx.catalog.begin() as connection:
        connection.execute(sa.text("UPDATE preferences SET value = '[1, 2]'"))
    assert remembered(ctx, "here") == {}
    remember(ctx, "here", b=2)
    assert remembered(ctx, "here") == {"b": 2}


def test_who_only_looks_leaves_nothing(tmp_path: Path) -> None:
    ctx = Context.open(tmp_path)
    ctx.catalog  # noqa: B018
    looking = Context(replace(ctx.settings, read_only=True))
    assert remembered(looking, "here") == {}
    remember(looking, "here", a=1)
    assert remembered(ctx, "here") == {}
    assert "preferences" not in sa.inspect(ctx.catalog.engine).get_table_names()
