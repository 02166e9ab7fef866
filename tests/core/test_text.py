"""Errors speak the user's language."""

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound


def test_an_error_is_korean_where_the_user_is(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    with pytest.raises(NotFound, match="아직 하나도 없으니"):
        ctx.catalog.get("dataset", "books")
    monkeypatch.setenv("CLOW_LANG", "en")
    with pytest.raises(NotFound, match="none yet"):
        ctx.catalog.get("dataset", "books")
