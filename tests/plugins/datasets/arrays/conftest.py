"""What tests of arrays share."""

import pytest


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process for each of these files takes time, and has tests of its own."""
    monkeypatch.setattr("ed_plugins.datasets.arrays.files.try_hdf5", lambda _: None)
