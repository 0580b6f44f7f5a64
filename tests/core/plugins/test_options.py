"""Options: what a text, a number from JSON or a Python value stands for, or one line."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core.errors import EdkitError
from ed_core.plugins.options import FilePath, Option, RunPath, check_counts, options_of

KIND = Literal["relu", "elu"]
TYPES: list[Any] = [int, float, str, bool, tuple[int, ...], KIND]


def option(kind: Any) -> Option:
    return Option("size", kind, None)


@given(st.integers())
def test_whole_numbers(value: int) -> None:
    assert option(int).parse(str(value)) == value
    assert option(int).check(value) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers(value: float) -> None:
    assert option(float).parse(repr(value)) == value
    result = option(float).check(value)
    assert result == value
    assert type(result) is float


@pytest.mark.parametrize(
    ("kind", "value", "plain"),
    [
        (int, np.int64(3), 3),
        (float, np.float32(0.5), 0.5),
        (tuple[int, ...], [np.uint8(3)], (3,)),
        (Mapping[str, float] | None, {"image": np.float64(2)}, {"image": 2.0}),
        (Mapping[str, str | int] | None, {"label": np.int8(3)}, {"label": 3}),
        (int | None, None, None),
    ],
)
def test_numbers_of_numpy_are_python_s_own(kind: Any, value: Any, plain: Any) -> None:
    taken = option(kind).check(value)
    assert json.dumps(taken) == json.dumps(plain)  # those of numpy are no JSON


@given(st.text())
def test_texts(value: str) -> None:
    assert option(str).parse(value) == value


@given(st.lists(st.integers(), max_size=5))
def test_lists(value: list[int]) -> None:
    assert option(tuple[int, ...]).parse(",".join(map(str, value))) == tuple(value)
    assert option(tuple[int, ...]).check(value) == tuple(value)


@pytest.mark.parametrize("text", ["true", "Yes", "1", "no", "FALSE", "0"])
def test_yes_and_no(text: str) -> None:
    assert option(bool).parse(text) is (text.lower() in ("true", "yes", "1"))


def outcome(call: Any, value: Any) -> Any:
    """What a call returns, or the error that it raises."""
    try:
        return call(value)
    except EdkitError as error:
        return error


@given(st.sampled_from(TYPES), st.text(max_size=30))
def test_any_text_is_a_value_or_one_line(kind: Any, text: str) -> None:
    value = outcome(option(kind).parse, text)
    if isinstance(value, EdkitError):
        assert str(value).startswith("option 'size' is ")
        assert str(value).isprintable()
    else:
        assert option(kind).check(value) == value


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.sampled_from(TYPES), _anything)
def test_any_value_is_taken_as_its_type_or_one_line(kind: Any, value: Any) -> None:
    taken = outcome(option(kind).check, value)
    if isinstance(taken, EdkitError):
        assert str(taken).isprintable()
    elif kind is KIND:
        assert taken in ("relu", "elu")
    elif kind == tuple[int, ...]:
        assert type(taken) is tuple
        assert all(type(item) is int for item in taken)
    else:
        assert type(taken) is kind
        assert kind is not float or isfinite(taken)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (int, True, "a whole number, received True"),
        (int, 2.0, "a whole number, received 2.0"),
        (float, float("nan"), "a number, received nan"),
        (float, 10**400, "a number, received 1000"),
        (float, 10**5000, "a number, received a number far too large"),
        (float, "1.5", "a number, received '1.5'"),
        (bool, 1, "yes or no, received 1"),
        (str, 5, "a text, received 5"),
        (KIND, "rlu", "one of 'relu', 'elu', received 'rlu'"),
        (
            tuple[int, ...],
            [1, True],
            "a list of whole numbers, such as 512,256, received [1, True]",
        ),
        (str, ["a\nb"] * 9999, "a text, received ['a"),
    ],
    ids=lambda value: "-",
)
def test_wrong_values(kind: Any, value: Any, text: str) -> None:
    with pytest.raises(EdkitError) as caught:
        option(kind).check(value)
    assert f"option 'size' is {text}" in str(caught.value)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize(
    "text", ["", "x", "1,5", "nan", "9" * 5000, "0x10", "inf", "--1"], ids=lambda text: text[:9]
)
def test_wrong_texts(kind: Any, text: str) -> None:
    with pytest.raises(EdkitError, match="option 'size' is a") as caught:
        option(kind).parse(text)
    assert len(str(caught.value)) < 300


def test_options_come_from_the_signature() -> None:
    def build(
        fields: Any, other: int = 1, *, latent: int = 2, sizes: tuple[int, ...] = (8, 4)
    ) -> None:
        """Build.

        Args:
            fields: the fields.
            latent: how many numbers the code has,
                the smaller the harder.
            sizes: of the layers.

        Returns:
            Nothing.
        """

    found = options_of(build)
    assert list(found) == ["latent", "sizes"]
    assert found["latent"] == Option(
        "latent", int, 2, "how many numbers the code has, the smaller the harder."
    )
    assert found["sizes"].default == (8, 4)
    assert found["sizes"].help == "of the layers."


def counts(options: dict[str, Option], **values: Any) -> str:
    """What is said of counts, "" where they are good."""
    try:
        check_counts(options, values)
    except EdkitError as error:
        return str(error)
    return ""


def test_a_count_below_1_is_named() -> None:
    def build(
        fields: Any, *, sizes: tuple[int, ...] = (8, 4), latent: int = 2, offset: int = 0
    ) -> None: ...

    options = options_of(build)
    said = "option 'latent' is a whole number of 1 or more, received -3."
    assert counts(options, sizes=(), latent=-3, offset=0) == said
    said = "option 'sizes' is numbers of 1 or more, received 8,0."
    assert counts(options, sizes=(8, 0), latent=1, offset=0) == said
    assert not counts(options, sizes=(1,), latent=1, offset=-1)


def test_option_without_type_or_default() -> None:
    def untyped(fields: Any, *, latent=2) -> None: ...  # type: ignore[no-untyped-def]

    def required(fields: Any, *, latent: int) -> None: ...

    for function in (untyped, required):
        with pytest.raises(ValueError, match="option 'latent' needs a type and a default"):
            options_of(function)


@pytest.mark.parametrize("kind", [FilePath, RunPath])
def test_a_path_is_made_absolute(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert option(kind).parse("runs/one") == str(tmp_path / "runs" / "one")
    assert option(kind).parse("") == ""
    with pytest.raises(EdkitError, match="path"):
        option(kind).check(3)
