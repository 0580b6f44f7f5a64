"""Every registered model does the same on every backend: outputs, losses and gradients."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core.engine import installed_backends
from ed_core.plugins.decorators import MODELS

SCRIPTS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, whose children import what this process imports."""
    monkeypatch.syspath_prepend(SCRIPTS)
    monkeypatch.delenv("XLA_FLAGS")  # what users run is optimised
    return importlib.import_module("backends")


def test_from_equal_weights_every_backend_has_the_gradients_of_jax(
    check: Any, tmp_path: Path, long: bool
) -> None:
    missing = set(check.BACKENDS) - set(installed_backends())
    if missing:
        pytest.skip(f"compares all backends, and there is no {', '.join(sorted(missing))}")
    rows = check.run_all(tmp_path, sorted(MODELS), steps=20 if long else 5, free=0)
    assert len(rows) == len(MODELS) * len(check.BACKENDS)
    bad = [str(row) for row in rows if row.backend != "jax" and not row.fits]
    assert not bad, "\n".join([check.HEADING, *bad])


def results(**changes: Any) -> dict[str, Any]:
    """What one process would write of a model with two weights in one step."""
    usual = {
        "draws": "[]",
        "paths": np.array(["a/kernel", "a/bias"]),
        "gradient/0/0": np.array([1.0, -2.0]),
        "gradient/0/1": np.array([1e-9]),
        "output/0/image": np.array([0.5, 0.25]),
        "loss/0/loss": np.array(3.0),
    }
    return {**usual, **changes}


def test_a_gradient_is_measured_by_the_largest_of_its_variable(check: Any) -> None:
    far = results(**{"gradient/0/0": np.array([1.0, -2.001])})
    row = check.make_row("m", "torch", results(), results(), far)
    assert row.gradients == pytest.approx(5e-4)
    assert not row.fits
    assert "too far: step 0, a/kernel" in str(row)
    assert check.make_row("m", "torch", results(), results(), results()).fits


def test_a_gradient_that_jax_does_not_settle_is_measured_by_those_of_the_model(check: Any) -> None:
    jax, torch = (results(**{"gradient/0/1": np.array([x])}) for x in (2e-8, -3e-8))
    row = check.make_row("m", "torch", results(), jax, torch)
    assert row.unsettled == ("a/bias",)
    assert row.gradients == pytest.approx(5e-8 / 0.2)
    assert row.fits
    assert not check.make_row("m", "torch", results(), results(), torch).fits


@pytest.mark.parametrize("gradient", [np.nan, np.inf])
def test_what_is_no_number_is_too_far(check: Any, gradient: float) -> None:
    found = results(**{"gradient/0/0": np.array([1.0, gradient])})
    assert not check.make_row("m", "torch", results(), results(), found).fits


def test_other_noise_is_refused(check: Any) -> None:
    with pytest.raises(RuntimeError, match=r"m on torch: the layers drew \[\[8, 2\]\]"):
        check.make_row("m", "torch", results(), results(), results(draws="[[8, 2]]"))
