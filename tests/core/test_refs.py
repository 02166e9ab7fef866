"""Names and references survive being written down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.core.errors import InvalidName
from clow_nb.core.refs import Ref, check_name, suggest_name

NAMES = st.from_regex(r"\A[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}[a-zA-Z0-9]\Z")


@given(st.text())
def test_every_title_suggests_a_legal_name(title: str) -> None:
    assert check_name(suggest_name(title))


@given(st.sampled_from(["dataset", "model"]), NAMES, st.none() | st.integers(0, 10**6) | st.just("v1.0"))
def test_references_read_back_as_written(kind: str, name: str, version: int | str | None) -> None:
    ref = Ref(kind, name, version)
    assert Ref.parse(str(ref)) == ref
    assert Ref.parse(str(ref).removeprefix(f"{kind}:"), kind) == ref


@pytest.mark.parametrize("text", ["", "@1", "a b@1", "dataset:", "dataset:a/b", "books@", "x:y:z"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        Ref.parse(text, "dataset")
