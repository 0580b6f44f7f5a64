"""Rate of a training: rounds that begin when they are asked for, of whole epochs."""

import pytest

from ed_core.plugins.decorators import DATASETS
from ed_core.training import rate

pytestmark = pytest.mark.backend


def test_a_model_is_trained_for_a_round_whenever_that_is_asked(monkeypatch):
    monkeypatch.setattr(rate, "ROUND", 0.0)
    monkeypatch.setattr(rate, "_SAMPLES", 300)
    events = []
    answers = iter([True, True, False])
    epochs = []
    begin = rate.Rounds.on_epoch_begin
    monkeypatch.setattr(
        rate.Rounds, "on_epoch_begin", lambda *given: (epochs.append(given[1]), begin(*given))
    )

    def asked() -> bool:
        events.append("asked")
        return next(answers)

    with DATASETS.isolated():
        rate.train_in_rounds("vae", asked, lambda number: events.append(number > 0))
    assert events == [True, "asked", True, "asked", True, "asked"]
    assert epochs == [0, 1, 2, 3]  # the warm-up has two, and what compiles is not counted
