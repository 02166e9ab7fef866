"""MLflow's own pages: for who has the token, on this machine, until the house is closed."""

import urllib.error
import urllib.request

import pytest

from clow_nb.cli.house import living, stop_house
from clow_nb.cli.mlflow_page import start_mlflow
from clow_nb.core.context import Context


def _status(url: str, host: str = "") -> int:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.slow
def test_it_opens_with_its_token_alone_and_ends_with_the_house(ctx: Context) -> None:
    try:
        url = start_mlflow(ctx)
        base, _, token = url.partition("?")
        assert living(ctx) == {"mlflow": url} and start_mlflow(ctx) == url
        asked = f"{base}api/2.0/mlflow/experiments/get-by-name?experiment_name=clow"
        assert (_status(base), _status(url), _status(asked), _status(f"{asked}&{token}")) == (403, 200, 403, 200)
        assert _status(url, "evil.example.com") == 403
    finally:
        ended = stop_house(ctx)
    assert ended == ["mlflow"] and living(ctx) == {}
