"""How many threads a backend has, and how they wait for each other beside a window."""

import os
from importlib import import_module

import pytest

from ed_core.cli import main
from ed_core.engine import share_processors, use_one_thread

pytestmark = pytest.mark.backend

SPINS, POLICY = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (SPINS, POLICY):
        monkeypatch.setenv(name, "")  # so that it is as before afterwards
        monkeypatch.delenv(name)


def test_what_the_user_has_set_holds() -> None:
    found: dict[str, str] = {}
    share_processors(found)
    assert int(found[SPINS]) > 0
    for name, value in ((SPINS, "7"), (POLICY, "ACTIVE")):
        mine = {name: value}
        share_processors(mine)
        assert mine == {name: value}


@pytest.mark.parametrize("line", ["--view dense_autoencoder", "dense_autoencoder --view"])
def test_threads_of_a_training_with_a_window_sleep_soon(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train = import_module("ed_core.cli.train")
    monkeypatch.setattr(train, "has_display", lambda: False)
    arguments = ["train", *line.split(), "--data", "digits"]
    assert main([part for part in arguments if part != "--view"] + ["--epochs", "x"]) == 2
    assert SPINS not in os.environ
    assert main(arguments) == 2
    assert os.environ[SPINS]
    assert "edkit: " in capsys.readouterr().err


def test_one_thread_is_one_of_every_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {})
    use_one_thread()
    assert {os.environ[name] for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")} == {"1"}
