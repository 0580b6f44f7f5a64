"""A run that was stopped in any way and resumed is, bit for bit, one that was not."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from support import patience

import ed_core
from ed_core import EdkitError, RunFolder, resume, train
from ed_core.recording import RecordingWriter
from ed_core.runs.checkpoints import newest_first
from ed_core.runs.weights_file import read_arrays

pytestmark = [
    pytest.mark.backend,
    pytest.mark.waits,
    pytest.mark.usefixtures("tiny", "save_every_step"),
]

OPTIONS: dict[str, Any] = {"batch_size": 32, "epochs": 3, "every": 5, "seed": 11, "anneal": 1.5}
STEPS = 21


class Boom(Exception):  # noqa: N818 - it is no error
    """What a test's callback raises to stop training."""


class Stop(keras.callbacks.Callback):
    """Raises after a given step of this process."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.left -= 1
        if not self.left:
            raise Boom


TIMES = ("step", "epoch", "seconds")


def everything(path: Path) -> dict[str, Any]:
    """All that a run leaves: weights, the last checkpoint, and by step frames and scalars."""
    folder = RunFolder(path)
    with ed_core.Recording(path) as recording:
        assert recording.problem == ""
        frames = {
            int(step): b"".join(
                array.tobytes()
                for probe in ("reconstruction", "latent_codes")
                for array in recording.read(probe, number).values()
            )
            for number, step in enumerate(recording.steps)
        }
        table, curves = recording.scalars(), recording.curves()
    losses = np.stack([curve for name, curve in curves.items() if name not in TIMES], axis=1)
    rows = np.stack([column for name, column in table.items() if name != "seconds"], axis=1)
    arrays, facts = read_arrays(newest_first(folder.checkpoints)[0])
    return {
        "weights": [array.tobytes() for array in read_arrays(folder.weights)[0]],
        "checkpoint": [array.tobytes() for array in arrays],
        "position": {name: facts[name] for name in ("step", "epoch", "batch", "best")},
        "frames": frames,
        "rows": {row.tobytes() for row in rows},
        "curves": {
            int(step): row.tobytes() for step, row in zip(curves["step"], losses, strict=True)
        },
    }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run leaves that was never stopped; filled by the first test that asks."""
    return {"path": tmp_path_factory.mktemp("whole"), "all": None}


def assert_as_uninterrupted(path: Path, uninterrupted: dict[str, Any], best: bool = True) -> None:
    if uninterrupted["all"] is None:
        run = train("tiny", out=uninterrupted["path"], **OPTIONS)
        uninterrupted["all"] = everything(run.path)
    expected, found = uninterrupted["all"], everything(path)
    if not best:  # it is looked for only when a checkpoint is due
        found["position"]["best"] = expected["position"]["best"]
    assert found["position"] == expected["position"]
    assert found["position"]["step"] == STEPS
    assert found["checkpoint"] == expected["checkpoint"]
    assert found["weights"] == expected["weights"]
    assert found["frames"].keys() >= expected["frames"].keys() == {0, 5, 10, 15, 20, 21}
    for step, frame in expected["frames"].items():
        assert found["frames"][step] == frame, f"frame at step {step}"
    assert found["rows"] >= expected["rows"]
    assert [*found["curves"]] == [*range(1, STEPS + 1)]
    assert found["curves"] == expected["curves"]


def told(seen: Any) -> list[str]:
    """The warnings that are ours: not numpy's, which the settings of the tests ignore."""
    return [str(warning.message) for warning in seen if warning.category is UserWarning]


def stopped(out: Path, step: int) -> Path:
    with pytest.raises(Boom):
        train("tiny", out=out, callbacks=[Stop(step)], **OPTIONS)
    (path,) = out.iterdir()
    assert RunFolder(path).state() == "failed"
    return path


@pytest.fixture(scope="module")
def kept() -> list[Path]:
    """The run of which `early` is a copy, once a test has asked for one."""
    return []


@pytest.fixture
def early(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, tiny: Any, kept: list[Path]
) -> Path:
    """A run that was stopped after its second step, to be changed."""
    if not kept:
        kept.append(stopped(tmp_path_factory.mktemp("early"), 2))
    return Path(shutil.copytree(kept[0], tmp_path / "early"))


@pytest.mark.parametrize("step", [1, 7, 10, 20])
def test_stopped_by_an_error_and_resumed(
    tmp_path: Path, uninterrupted: dict[str, Any], step: int
) -> None:
    path = stopped(tmp_path, step)
    assert resume(path).info["status"] == "finished"
    assert_as_uninterrupted(path, uninterrupted)


def test_stopped_again_and_again(tmp_path: Path, uninterrupted: dict[str, Any]) -> None:
    path = stopped(tmp_path, 3)
    for step in (2, 4, 6):  # 5, 9, 15
        with pytest.raises(Boom):
            resume(path, callbacks=[Stop(step)])
    resume(path)
    assert_as_uninterrupted(path, uninterrupted)
    assert len(list((path / "recording").glob("*.h5"))) == 5


@pytest.mark.once
def test_checkpoints_and_resumes_are_noted(tmp_path: Path) -> None:
    path = stopped(tmp_path, 5)
    resume(path)
    with ed_core.Recording(path) as recording:
        events = recording.events()
    noted = [(event.step, event.kind) for event in events]
    saved = [(step, "checkpoint") for step in range(1, STEPS + 1)]
    assert noted == [*saved[:5], (5, "start"), *saved[5:]]
    assert [event.text for event in events if event.kind == "start"] == [
        "training goes on from step 5"
    ]
    best = [event.step for event in events if event.text.endswith(", the best")]
    assert best
    assert all(step % 7 == 0 for step in best)
    assert [event.epoch for event in events] == [event.step / 7 for event in events]


def test_checkpoints_seldom(
    tmp_path: Path, uninterrupted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps after the last checkpoint are trained, and recorded, a second time."""

    class SaveOnce(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            monkeypatch.setattr("ed_core.training.callbacks._PAUSE", 1e9)

    with pytest.raises(Boom):
        train("tiny", out=tmp_path, callbacks=[SaveOnce(), Stop(13)], **OPTIONS)
    (path,) = tmp_path.iterdir()
    saved = int(newest_first(path / "checkpoints")[0].stem)
    assert saved == 7  # once within the epoch, once at its end
    resume(path)
    assert_as_uninterrupted(path, uninterrupted, best=False)


def test_damaged_newest_checkpoint_falls_back(
    tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    path = stopped(tmp_path, 12)
    newest, second = newest_first(path / "checkpoints")
    assert [newest.name, second.name] == ["000000012.h5", "000000011.h5"]
    os.truncate(newest, newest.stat().st_size // 2)
    with pytest.warns(UserWarning, match="cannot be read.*Going back to the checkpoint") as seen:
        resume(path)
    (text,) = told(seen)
    assert text.isprintable()
    assert_as_uninterrupted(path, uninterrupted)


def test_a_finished_run_that_goes_on_is_no_longer_what_it_was(
    tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    run = train("tiny", out=tmp_path, **OPTIONS)
    before = [np.array(v) for v in run.model.layer_weights]
    with pytest.raises(Boom):
        resume(run.path, epochs=5, callbacks=[Stop(6)])
    after = [np.array(v) for v in ed_core.open_run(run.path).model.layer_weights]
    assert not all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    os.truncate(newest_first(run.path / "checkpoints")[0], 100)
    with pytest.warns(UserWarning, match="Going back to the checkpoint before it"):
        ed_core.open_run(run.path)


@pytest.mark.once
def test_weights_without_a_checkpoint_are_not_lost(tmp_path: Path) -> None:
    run = train("tiny", out=tmp_path, **OPTIONS)
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(EdkitError, match="has weights, but no checkpoint to go on from"):
        resume(run.path, epochs=5)
    assert ed_core.open_run(run.path).info["status"] == "finished"


@pytest.mark.once
def test_a_field_that_the_model_does_not_read_may_come(early: Path, tiny: Any) -> None:
    folder = RunFolder(early)
    info = folder.read()
    folder.write({**info, "fields": {**info["fields"], "gone": info["fields"]["label"]}})
    assert resume(early).info["status"] == "finished"


@pytest.mark.once
def test_a_data_set_that_has_shrunk_is_refused(early: Path, tiny: Any) -> None:
    tiny.splits["train"] = {name: array[:70] for name, array in tiny.splits["train"].items()}
    before = sorted(early.rglob("*"))
    with pytest.raises(
        EdkitError, match="data 'stripes' have changed: split 'train' had 229 samples and has 70"
    ):
        resume(early)
    assert sorted(early.rglob("*")) == before


@pytest.mark.once
@pytest.mark.parametrize("split", ["train", "validation"])
def test_samples_that_are_others_now_are_refused(early: Path, tiny: Any, split: str) -> None:
    arrays = tiny.splits[split]
    tiny.splits[split] = {name: array[::-1] for name, array in arrays.items()}
    with pytest.raises(EdkitError, match=f"samples of split '{split}' are others now, or stand"):
        resume(early)
    tiny.splits[split] = arrays
    tiny.splits["test"] = {name: array[::-1] for name, array in tiny.splits["test"].items()}
    assert resume(early).info["status"] == "finished"


@pytest.mark.once
def test_a_data_set_of_another_shape_is_refused(tmp_path: Path) -> None:
    file, random = tmp_path / "images.npz", np.random.default_rng(0)
    wish: dict[str, Any] = {"hidden": (4,), "latent": 2, "batch_size": 8, "record": False}
    np.savez(file, image=random.random((40, 8, 8, 1)).astype("float32"))
    with pytest.raises(Boom):
        train(
            "dense_autoencoder", f"arrays:{file}", out=tmp_path / "out", callbacks=[Stop(2)], **wish
        )
    np.savez(file, image=random.random((40, 6, 6, 1)).astype("float32"))
    with pytest.raises(EdkitError, match=r"was image \(8, 8, 1\) and is image \(6, 6, 1\) now"):
        resume(next((tmp_path / "out").iterdir()))


def test_the_last_frame_is_taken_by_a_resume_that_has_no_step_left(
    tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    """Ended between the last checkpoint and the last frame, by a kill or in the validation."""

    class Last(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch + 1 == OPTIONS["epochs"]:
                raise Boom

    with pytest.raises(Boom):
        train("tiny", out=tmp_path, callbacks=[Last()], **OPTIONS)
    (path,) = tmp_path.iterdir()
    assert newest_first(path / "checkpoints")[0].stem == f"{STEPS:09d}"
    with ed_core.Recording(path) as recording:
        assert STEPS not in recording.steps
    run = resume(path)
    assert run.info["weights_changed_by_callbacks"] is False
    assert_as_uninterrupted(path, uninterrupted)


def test_a_loss_that_is_infinite_on_held_out_data_loses_no_checkpoint(
    tmp_path: Path, tiny: Any
) -> None:
    """What was measured may be infinite; weights may not."""
    tiny.splits["validation"]["angle"][:] = 1e25
    options = {**OPTIONS, "record": False, "epochs": 2}
    with np.errstate(over="ignore"):
        run = train("tiny", out=tmp_path, **options)
        kept, _ = read_arrays(newest_first(run.path / "checkpoints")[0])
        assert not all(np.isfinite(array).all() for array in kept if array.dtype.kind == "f")
        assert resume(run.path, epochs=3).info["status"] == "finished"


@pytest.mark.once
def test_a_checkpoint_waits_for_the_frames_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = RecordingWriter.append

    def append(self: RecordingWriter, *frame: Any) -> None:
        time.sleep(0.03)  # the disk
        plain(self, *frame)

    monkeypatch.setattr(RecordingWriter, "append", append)
    missing: list[set[int]] = []

    def noted(kind: str, text: str) -> None:
        if kind == "checkpoint":
            step = int(text.split(",")[0].split(";")[0].split()[-1])
            with ed_core.Recording(next(tmp_path.iterdir())) as recording:
                missing.append(set(range(step + 1)) - {int(one) for one in recording.steps})

    train("tiny", out=tmp_path, noted=noted, **{**OPTIONS, "every": 1, "epochs": 1, "anneal": 0})
    assert missing
    assert not any(missing)


@pytest.mark.once
def test_frames_that_a_slow_disk_lost_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Had they been waited for, the training would have stood still."""
    with monkeypatch.context() as patch:
        patch.setattr(ed_core.Recorder, "settle", lambda self, seconds: [2, 3, 5])
        path = stopped(tmp_path, 9)
    with pytest.warns(UserWarning, match="frames of 2 steps are missing: 2, 3"):
        resume(path)
    with ed_core.Recording(path) as recording:
        lost = [event for event in recording.events() if event.kind == "lost"]
        assert [event.text for event in lost] == ["frames of 2 steps are missing: 2, 3"]
        assert 5 in recording.steps


def test_no_checkpoint_yet_begins_anew(tmp_path: Path, uninterrupted: dict[str, Any]) -> None:
    path = stopped(tmp_path, 4)
    for checkpoint in newest_first(path / "checkpoints"):
        checkpoint.unlink()
    resume(path)
    assert_as_uninterrupted(path, uninterrupted)


@pytest.mark.once
def test_all_checkpoints_damaged(early: Path) -> None:
    for checkpoint in newest_first(early / "checkpoints"):
        checkpoint.write_bytes(b"damaged")
    with (
        pytest.warns(UserWarning, match="Going back"),
        pytest.raises(EdkitError, match="holds no checkpoint that can be read; train a new run"),
    ):
        resume(early)
    assert RunFolder(early).read()["status"] == "failed"


CHILD = """
import runpy, sys, time, warnings
warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy keyword")
from pathlib import Path
import keras
from ed_core import resume, train
from ed_core.training import callbacks
callbacks._PAUSE = callbacks._SHARE = 0.0
runpy.run_path(sys.argv[1])

class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.05)

out, options = Path(sys.argv[2]), {options}
runs = list(out.iterdir())
if runs:
    resume(runs[0], callbacks=[Slow()])
else:
    train("tiny", out=out, callbacks=[Slow()], **options)
"""


def kill_in_training(process: Any, out: Path, delay: float) -> bool:
    """Kill a process with SIGKILL a moment after its first checkpoint; tell whether it lived."""
    seen = {path.name for path in out.glob("*/checkpoints/0*.h5")}
    end = time.monotonic() + patience.SECONDS
    while process.poll() is None and not (
        {path.name for path in out.glob("*/checkpoints/0*.h5")} - seen
    ):
        assert time.monotonic() < end, "a training wrote no checkpoint"
        time.sleep(0.01)
    time.sleep(delay)
    lived = process.poll() is None
    process.kill()
    error = process.communicate(timeout=patience.SECONDS)[1]
    assert lived or process.returncode == 0, error[-2000:]
    return lived


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_and_resumed(
    seed: int, tmp_path: Path, uninterrupted: dict[str, Any], tiny: Any, child: Any, long: bool
) -> None:
    """2 kills, with --long 67; every run goes on until it has ended as one without a kill."""
    rng = np.random.default_rng(seed)
    kills, wanted = 0, 67 if long else 2
    for number in range(wanted):
        out = tmp_path / str(number)
        out.mkdir()
        lived = True
        while lived and kills < wanted:
            process = child(CHILD.replace("{options}", repr(OPTIONS)), tiny.file, out)
            lived = kill_in_training(process, out, float(rng.uniform(0.0, 0.15)))
            (path,) = out.iterdir()
            state = RunFolder(path).state()
            assert state == "finished" or (lived and state == "crashed")
            lived = state == "crashed"  # one that has finished may be killed on its way out
            kills += lived
        if lived:
            resume(path)
        assert_as_uninterrupted(path, uninterrupted)
        if kills == wanted:
            break
    assert kills == wanted


def test_finished_run_goes_on_only_when_asked(tmp_path: Path) -> None:
    options = {**OPTIONS, "epochs": 1, "anneal": 0.5}
    run = train("tiny", out=tmp_path, **options)
    with pytest.raises(EdkitError, match="has finished its 1 epochs; ask for more with --epochs"):
        resume(run.path)
    more = resume(run.path, epochs=2)
    assert more.info["epochs"] == 2
    assert more.recording().steps[-1] == 14


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        ({"backend": "other"}, "trained on 'other', this is"),
        ({"model": "tny"}, "unknown model 'tny'. Did you mean 'tiny'"),
        ({"params": {"latnt": 2}}, "unknown option of model 'tiny': 'latnt'"),
        ({"params": {"latent": 3, "beta": 0.1}}, "holds no checkpoint that can be read"),
        ({"params": [1]}, "params must be an object"),
        ({"epochs": "three"}, 'epochs must be a whole number .* received "three"'),
        ({"seed": None}, "seed must be a whole number .* received null"),
        ({"weights": [1]}, "weights must be null or an object, name to a number"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*Going back to the checkpoint")
def test_run_json_that_was_changed(early: Path, spoil: dict[str, Any], text: str) -> None:
    RunFolder(early).update(**spoil)
    with pytest.raises(EdkitError, match=text) as caught:
        resume(early)
    assert str(caught.value).isprintable()


def test_other_versions_warn(early: Path) -> None:
    folder = RunFolder(early)
    folder.update(versions={**folder.read()["versions"], "numpy": "1.0"})
    with pytest.warns(UserWarning, match=r"not bit-identical because: numpy 1.0 ->"):
        resume(early)


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(EdkitError, match="is not a run folder: it has no run"):
        resume(tmp_path)


def test_checkpoints_on_disk(tmp_path: Path) -> None:
    """The two newest and the best; what a killed process left half-written is deleted."""
    path = stopped(tmp_path, 5)
    left = path / "checkpoints" / ".000000003.h5.4242.part"
    left.write_bytes(b"half")
    resume(path)
    names = sorted(file.name for file in (path / "checkpoints").iterdir())
    assert names == ["000000020.h5", "000000021.h5", "best.h5"]
    best = read_arrays(path / "checkpoints" / "best.h5")[1]
    assert best["step"] % 7 == 0
    assert best["best"] is not None


def test_run_without_weights_opens_with_its_checkpoint(tmp_path: Path) -> None:
    path = stopped(tmp_path / "a", 9)
    copy = shutil.copytree(path, tmp_path / "copy")
    arrays = read_arrays(newest_first(path / "checkpoints")[0])[0]
    found = [np.array(v) for v in ed_core.open_run(copy).model.layer_weights]
    assert all(np.array_equal(a, b) for a, b in zip(arrays, found, strict=False))


def test_checkpoint_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at steps 4 to 6: training goes on, the checkpoint before it is kept."""
    from ed_core.runs import checkpoints

    write = checkpoints.write_arrays

    def full(path: Path, arrays: Any, facts: Any) -> None:
        if facts["step"] in (4, 5, 6):
            raise OSError(28, "No space left on device")
        write(path, arrays, facts)

    monkeypatch.setattr(checkpoints, "write_arrays", full)
    with pytest.warns(UserWarning, match=r"no checkpoint .* step .: No space left .* kept") as seen:
        path = stopped(tmp_path, 6)
    assert len(told(seen)) == 1
    names = [file.name for file in newest_first(path / "checkpoints")]
    assert names == ["000000003.h5", "000000002.h5"]
