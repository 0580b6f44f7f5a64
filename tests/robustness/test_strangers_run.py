"""The run folder of a stranger: whatever stands in it, one line says what is wrong, in time."""

import json
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import ed_core
from ed_core import MODELS, EdkitError, RunFolder, resume
from ed_core.recording.layout import checksum
from ed_core.recording.run_description import check
from ed_core.runs.checkpoints import newest_first, restore_checkpoint
from ed_core.runs.rebuilding import load_weights
from ed_core.runs.weights_file import read_arrays, write_arrays
from ed_core.training.job import Job
from ed_core.training.options import plan_of

GONE = object()  # stands for an entry that is taken away
_deep: Any = 0
for _ in range(300):
    _deep = [_deep]
HOSTILE: list[Any] = [
    *(GONE, None, True, -1, 0, 1, 2, 3.5, -1e300, 10**9, 10**18, 10**400, float("nan")),
    *(float("inf"), "", "x", "../x", "x" * 5000, "\ud800", "\x1b[31m", "a\0b", [], [1]),
    *([10**9], ["x"], [None], [[1]], {}, {"x": 1}, {"x": "y"}, {"x": None}, {"": {}}, _deep),
    *([1] * 999, {str(number): number for number in range(99)}),
]

RUN: dict[str, Any] = {
    "format": 2,
    "status": "finished",
    "model": "tiny",
    "data": "stripes",
    "params": {"latent": 2, "beta": 0.1, "anneal": 0.5},
    "epochs": 2,
    "batch_size": 64,
    "learning_rate": 0.001,
    "seed": 0,
    "weights": {"posterior": 0.2},
    "record": True,
    "every": 5,
    "labels": {"label": 0.5},
    "stratified": False,
    "only": {"label": 1},
    "class_weights": {"label": "balanced"},
    "oversample": {"label": 0.5},
    "validation": 0.1,
    "turn_steps": 7,
    "created": "2026-01-01T00:00:00+00:00",
    "backend": "torch",
    "host": "here",
    "versions": {"keras": "3.15.1"},
    "plugins": [],
    "fields": {"image": {"shape": [6, 6, 1], "kind": "image", "classes": ["a"], "colours": []}},
    "samples": 9,
    "fingerprint": {"train": {"samples": 9, "sum": "00"}},
    "input": {"fitted": {"standardised": "image", "mean": [0.0], "deviation": [1.0]}},
    "precision": {"dtype_policy": "float32", "floatx": "float32"},
    "epochs_done": 2,
    "callbacks": ["EarlyStopping"],
    "stopped_early": False,
}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where every entry stands, however deep."""
    if at:
        yield at
    parts = list(value.items()) if isinstance(value, dict) else []
    if isinstance(value, list):
        parts = [*enumerate(value[:1])]
    for name, part in parts:
        yield from places(part, (*at, name))


def changed(info: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a description with another value at a place."""
    copy: Any = json.loads(json.dumps(info))
    *way, last = place
    part = copy
    for name in way:
        part = part[name]
    if value is GONE:
        del part[last]
    else:
        part[last] = value
    return dict(copy)


def ends_well(act: Callable[[], Any]) -> str:
    """Return what an EdkitError said in one line of bounded length, "" where all went well."""
    try:
        act()
    except EdkitError as error:
        text = str(error)
        assert text.isprintable()
        assert len(text) < 1000
        return text
    return ""


def test_every_entry_is_named_where_it_is_wrong() -> None:
    check(RUN, "run.json")
    refused = 0
    for place in places(RUN):
        for value in HOSTILE:
            info = changed(RUN, place, value)
            if said := ends_well(lambda info=info: check(info, "run.json")):  # type: ignore[misc]
                assert str(place[0]) in said, (place, said)
                refused += 1
    assert refused > 1000
    for other in (None, 1, "text", [], [RUN]):
        assert "holds no object" in ends_well(lambda other=other: check(other, "x"))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"epochs": "three"}, 'epochs must be a whole number .*, received "three"'),
        ({"fields": {"image": {"kind": "image", "classes": []}}}, "fields.image lacks 'shape'"),
        ({"weights": {"kl": "x"}}, 'weights.kl must be a number, received "x"'),
        ({"params": {"beta": float("nan")}}, "params.beta must be a finite number, received NaN"),
        ({"params": {"latent": 10**400}}, "params.latent must be a whole number up to .* more"),
        ({"callbacks": [["x"]]}, r'callbacks.0 must be a text, received \["x"\]'),
        ({"format": 99, "epochs": []}, "was written by a newer version"),
    ],
)
def test_a_wrong_entry_is_said(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(EdkitError, match=text):
        check({**RUN, **changes}, "run.json")


class Begun(Exception):  # noqa: N818 - it is no error
    """A run would go on."""


@pytest.fixture(scope="module")
def trained() -> dict[str, Path]:
    """The run of which `run` is a copy, once a test has asked for one."""
    return {}


@pytest.fixture
def run(
    trained: dict[str, Path], tmp_path: Path, tmp_path_factory: Any, fast: Any, save_every_step: Any
) -> Path:
    """A run of two epochs of seven steps, to be changed."""
    if not trained:
        trained["run"] = fast(tmp_path_factory.mktemp("trained")).path
    return Path(shutil.copytree(trained["run"], tmp_path / "run"))


def go_on(run: Path) -> None:
    """Resume a run up to its first step."""

    def begin(folder: RunFolder) -> None:
        raise Begun

    try:
        resume(run, epochs=3, started=begin)
    except Begun:
        return


@pytest.mark.backend
@pytest.mark.once
@pytest.mark.filterwarnings("ignore")
def test_no_description_does_harm(run: Path, long: bool) -> None:
    """Each entry times each wrong value, opened and resumed; the short form tries a sample."""
    info = json.loads((run / "run.json").read_text())
    cases = [(place, value) for place in places(info) for value in HOSTILE]
    assert len(cases) > 510
    acts = [lambda: ed_core.open_run(run), lambda: go_on(run)]
    if long:
        acts += [lambda: ed_core.evaluate(ed_core.open_run(run))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    chosen = range(len(cases)) if long else np.random.default_rng(1).permutation(len(cases))[:60]
    for number in chosen:
        place, value = cases[number]
        (run / "run.json").write_text(json.dumps(changed(info, place, value)))
        for act in acts:
            start = time.monotonic()
            ends_well(act)
            assert time.monotonic() - start < 30, (place, value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # KiB


@pytest.mark.backend
@pytest.mark.once
@pytest.mark.parametrize("weights", [True, False])
def test_a_model_far_larger_than_its_file_is_not_built(run: Path, weights: bool) -> None:
    RunFolder(run).update(params={"latent": 10**8, "beta": 0.1, "anneal": 0.5})
    if not weights:
        (run / "weights.h5").unlink()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    acts = [lambda: ed_core.open_run(run), lambda: go_on(run)]
    acts += [lambda: ed_core.open_run(run, weights="best")]
    for act in acts:
        assert "run.json describes a model of" in ends_well(act)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


@pytest.mark.backend
@pytest.mark.once
def test_a_model_of_countless_layers_is_not_built(tmp_path: Path) -> None:
    run = ed_core.train(
        "dense_autoencoder", out=tmp_path, hidden=(2,), latent=2, epochs=1, record=False
    )
    run.folder.update(params={"hidden": [1] * 100_000, "latent": 2})
    start = time.monotonic()
    assert "run.json describes a model of" in ends_well(lambda: ed_core.open_run(run.path))
    assert time.monotonic() - start < 30


@pytest.mark.backend
@pytest.mark.once
def test_one_array_under_many_names_is_read_by_nobody(run: Path) -> None:
    zeros = np.zeros(2**20)
    with h5py.File(run / "weights.h5", "w") as file:
        file["00000"] = zeros
        for number in range(1, 400):
            file[f"{number:05d}"] = file["00000"]
        sums = json.dumps({"checksums": [checksum(zeros)] * 400})
        file["facts"] = np.frombuffer(sums.encode(), "u1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "one stands there several times" in ends_well(lambda: ed_core.open_run(run))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


WRONG_FACTS: list[dict[str, Any]] = [
    *({"step": value} for value in (3.5, -1, "x", None, True, 10**6, 13)),
    *({"batch": value} for value in (-1, 7, 10**9, 1, 0.5)),
    *({"epoch": value} for value in ("one", None, 1, 3, -2, [])),
    *({"best": "x"}, {"seconds": "x"}, {"seconds": -1}, {"factor": 0}, {"factor": "1"}),
    *({"held": 5}, {"held": ["nobody"]}, {"held": [1]}),
]


@pytest.mark.backend
@pytest.mark.once
@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_a_checkpoint_that_contradicts_itself_is_passed_over(run: Path) -> None:
    newest, before = newest_first(run / "checkpoints")
    assert (newest.stem, before.stem) == ("000000014", "000000013")
    arrays, facts = read_arrays(newest)
    spoilt = [(arrays, {**facts, **change}) for change in WRONG_FACTS]
    spoilt += [(arrays, {name: facts[name] for name in facts if name != "step"})]
    (at,) = (n for n, a in enumerate(arrays) if a.dtype.kind == "i" and a.shape == () and a == 14)
    for taken in (10**6, 13, -1):
        spoilt += [([*arrays[:at], np.array(taken, "i4"), *arrays[at + 1 :]], facts)]
    spoilt += [([wrong, *arrays[1:]], facts) for wrong in (arrays[0] > 0, arrays[0].astype("i4"))]
    info = RunFolder(run).read()
    objective = Job.prepare(MODELS["tiny"], plan_of(info, str(run)), info).objective
    for kept, said in spoilt:
        write_arrays(newest, kept, said)
        with pytest.warns(UserWarning, match="Going back to the checkpoint before it") as seen:
            assert restore_checkpoint(newest.parent, objective, 7, 3).step == 13
        assert str(newest) in str(seen[-1].message), said
    before.unlink()
    with (
        pytest.warns(UserWarning, match="Going back"),
        pytest.raises(EdkitError, match="holds no checkpoint that can be read"),
    ):
        go_on(run)
    write_arrays(newest, arrays, facts)
    go_on(run)


@pytest.mark.backend
@pytest.mark.once
@pytest.mark.parametrize("name", ["weights.h5", "checkpoints/000000014.h5", "checkpoints/best.h5"])
def test_a_flipped_byte_is_told(run: Path, name: str, long: bool) -> None:
    path, rng = run / name, np.random.default_rng(0)
    data, read = path.read_bytes(), read_arrays(path)
    for position in rng.integers(0, len(data), 300 if long else 60):
        changed = bytearray(data)
        changed[position] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        assert ends_well(lambda: read_arrays(path)), position
    path.write_bytes(data)
    assert [a.tobytes() for a in read_arrays(path)[0]] == [a.tobytes() for a in read[0]]


@pytest.mark.backend
@pytest.mark.once
def test_a_file_of_a_later_format_is_not_called_damaged(run: Path) -> None:
    path = run / "weights.h5"
    arrays, facts = read_arrays(path)
    write_arrays(path, arrays, {**facts, "format": 99})
    model = ed_core.open_run(run, weights="best").model
    with pytest.raises(EdkitError, match="written by a newer version") as caught:
        load_weights(model, path)
    assert "damaged" not in str(caught.value)
