"""Random streams: no two uses of a seed draw the same numbers."""

import sys
from typing import Any

import numpy as np
import pytest

from ed_core import evaluate, train
from ed_core import seeds as module
from ed_core.data.batches import Batches
from ed_core.data.selection import select
from ed_core.engine.randomness import seed_generators
from ed_core.nn.submodels import to_numpy
from ed_core.plugins.spec import Dataset, Field, Fields, Head
from ed_core.seeds import Seeds


def state(sequence: np.random.SeedSequence) -> tuple[int, ...]:
    return tuple(sequence.generate_state(4).tolist())


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Collect every stream that the packages draw from, by its use; refuse one without a use."""
    found: dict[tuple[Any, ...], tuple[int, ...]] = {}
    sequence, content, plain = Seeds.sequence, module.content_generator, np.random.default_rng

    def noted(self: Seeds, use: str, *numbers: int) -> np.random.SeedSequence:
        made = sequence(self, use, *numbers)
        found[self.seed, use, *numbers] = state(made)
        return made

    def noted_content(seed: int, *numbers: int) -> np.random.Generator:
        caller = sys._getframe(1).f_globals["__name__"]
        found[caller, seed, *numbers] = state(np.random.SeedSequence([seed % 2**64, *numbers]))
        return content(seed, *numbers)

    def checked(*given: Any) -> np.random.Generator:
        caller = sys._getframe(1).f_globals["__name__"]
        assert caller == "ed_core.seeds" or not caller.startswith("ed_"), f"{caller} seeds itself"
        return plain(*given)

    monkeypatch.setattr(Seeds, "sequence", noted)
    for name, loaded in list(sys.modules.items()):
        if name.startswith("ed_") and getattr(loaded, "content_generator", None) is content:
            monkeypatch.setattr(loaded, "content_generator", noted_content)
    monkeypatch.setattr(np.random, "default_rng", checked)
    return found


@pytest.mark.backend
@pytest.mark.parametrize(
    ("model", "data", "options"),
    [
        ("autoencoder_classifier", "rotated_digits:source=digits", {"labels": {"label": 0.1}}),
        ("unet", "land_use:samples=24,size=16", {"filters": (4, 4), "augment": "aerial"}),
        ("vae", "moving_digits:samples=40,digits=1", {}),
        ("gan", "digits", {"filters": (4, 4), "latent": 4}),
    ],
)
def test_no_two_streams_of_a_training_are_alike(
    model: str, data: str, options: dict[str, Any], streams: Any, tmp_path: Any
) -> None:
    if model == "vae":
        model, options = "video_autoencoder", {"filters": (4, 4)}
    run = train(model, data, epochs=2, batch_size=16, out=tmp_path, **options)
    evaluate(run)
    assert {use for _, use, *_ in streams} >= {"order", "layer"} - (
        {"layer"} if model not in ("gan", "unet") else set()
    )
    states = [*streams.values()]
    assert len(states) > 1
    assert len(set(states)) == len(states), streams
    layers = [tuple(to_numpy(one).tolist()[:1]) for one in seed_generators(run.model)]
    assert len(set(layers)) == len(layers)


def test_streams_of_named_uses_never_meet_those_of_a_data_set() -> None:
    numbers = ((), (0,), (1,), (0, 0))
    uses = [(use, *n) for use in ("order", "labels") for n in numbers]
    named = {state(Seeds(seed).sequence(*use)) for seed in range(4) for use in uses}
    content = {
        state(np.random.SeedSequence([seed, *n]))
        for seed in range(4)
        for n in ((), (0,), (1,), (0, 1))
    }
    assert len(named) == 32
    assert not named & content


def test_earlier_runs_draw_as_they_did() -> None:
    ours = Seeds(3, shared=True).generator("order", 5).permutation(100)
    assert np.array_equal(ours, np.random.default_rng([3, 5]).permutation(100))


@pytest.mark.backend
def test_labelled_samples_are_spread_over_the_first_epoch() -> None:
    rows = np.arange(4000)
    fields = Fields(image=Field((1,), "value"), label=Field((), "class", ("a", "b")))
    split = {"image": rows[:, None].astype("float32"), "label": rows % 2}
    heads = (Head("label", lambda target, output: target), Head("image", lambda output: output))
    data = Dataset(fields, {"train": split, "validation": split})
    data = select(data, heads, {"labels": {"label": 0.1}, "seed": 0})
    batches = Batches(data.splits["train"], ["image"], heads, 50, 0)
    for epoch in (0, 1):
        batches.begin_epoch(epoch)
        order = np.concatenate([batches[i][0]["image"][:, 0] for i in range(len(batches))])
        labelled = np.asarray(data.splits["train"]["label"])[order.astype(int)] >= 0
        shares = [part.sum() / labelled.sum() for part in np.array_split(labelled, 10)]
        assert max(shares) < 0.2
