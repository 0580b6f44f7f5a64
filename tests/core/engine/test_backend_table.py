"""The table of backends: what it keeps, when it counts, and what is said of a damaged one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core.engine import backend_table
from ed_core.errors import EdkitError

RATES = {"jax": [200.0, 100.0, 300.0], "torch": [250.0, 260.0], "tensorflow": [5.0]}


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the table lies, in a cache of its own that is not there yet."""
    monkeypatch.setattr(backend_table, "user_cache_dir", lambda name: str(tmp_path / name))
    return backend_table.table_file()


def kept(**changes: Any) -> dict[str, Any]:
    table = backend_table.new_table()
    table["models"]["vae"] = backend_table.entry("digits", RATES, {})
    table |= changes
    backend_table.keep_table(table)
    return table


def test_the_fastest_in_the_median_is_taken(file: Path) -> None:
    assert backend_table.fastest("vae") == ("", "")
    table = kept()
    assert backend_table.read_table() == table
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    name, why = backend_table.fastest("vae")
    assert name == "torch"
    assert "255 beside jax 200, tensorflow 5 samples/s" in why
    assert backend_table.fastest("unet") == ("", "")


def test_a_backend_that_failed_is_not_taken(file: Path) -> None:
    entry = backend_table.entry("digits", {"jax": []}, {"jax": "no memory"})
    assert entry["recommended"] == ""
    kept(models={"vae": entry})
    assert backend_table.fastest("vae") == ("", "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"machine": {**backend_table.machine(), "processors": 10**6}}, "another machine"),
        ({"versions": {**backend_table.versions(), "keras": "3.0"}}, "other versions"),
        ({"versions": {"edkit": "0", "keras": "0"}}, "other versions"),
        ({"format": 2}, "no table"),
        ({"models": {"vae": {"recommended": "jax"}}}, "no table"),
        ({"models": []}, "no table"),
    ],
)
def test_a_table_of_others_does_not_count(file: Path, changes: Any, words: str) -> None:
    kept(**changes)
    with pytest.raises(EdkitError, match=f"{words}.*; edkit bench measures again"):
        backend_table.fastest("vae")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"format": 1}', "\x00"])
def test_a_damaged_table_does_not_count(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(EdkitError, match="edkit bench measures again"):
        backend_table.fastest("vae")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda part: st.lists(part, max_size=2) | st.dictionaries(st.text(max_size=3), part),
    max_leaves=4,
)


@given(
    place=st.sampled_from(
        [
            ("vae",),
            ("vae", "data"),
            ("vae", "recommended"),
            ("vae", "rates"),
            ("vae", "rates", "jax"),
            ("vae", "rates", "torch", "median"),
            ("vae", "problems"),
            ("vae", "seconds"),
        ]
    ),
    value=json_values,
)
def test_whatever_stands_in_an_entry_the_table_counts_or_is_refused(place, value) -> None:
    table = backend_table.new_table()
    table["models"]["vae"] = backend_table.entry("digits", RATES, {})
    part = table["models"]
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend_table, "read_table", lambda: backend_table.checked_table(again, "f"))
        again = json.loads(json.dumps(table))
        try:
            name, why = backend_table.fastest("vae")
        except EdkitError:
            return
        assert (name in RATES and "samples/s" in why) or not name
