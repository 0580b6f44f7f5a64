"""The command as a user meets it: what it prints, its exit status, and what it leaves behind."""

import errno
import json
import os
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from support import patience

from ed_core.cli import main
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.recording import Recording

pytestmark = [pytest.mark.backend, pytest.mark.once]

PLUGIN = '''
"""A third party's plugin: one file, outside the repository."""
from keras import Input, Model, layers

from ed_core import Activations, Fields, Head, LatentCodes, Reconstruction, losses, model


@model(
    data="digits",
    heads=(Head("image", losses.sum_squared_error),),
    probes=(Reconstruction("image"), Activations("encoder"), LatentCodes()),
)
def tiny(fields: Fields, *, latent: int = 4) -> Model:
    """A very small auto-encoder.

    Args:
        latent: numbers in the code.
    """
    shape = fields["image"].shape
    image = Input(shape, name="image")
    code = layers.Dense(latent, activation="relu", name="code")(layers.Flatten(name="flat")(image))
    encoder = Model({"image": image}, {"code": code}, name="encoder")
    back = Input((latent,), name="code")
    size = shape[0] * shape[1] * shape[2]
    out = layers.Dense(size, activation="sigmoid", name="out")(back)
    out = layers.Reshape(shape, name="image")(out)
    decoder = Model({"code": back}, {"image": out}, name="decoder")
    coded = encoder({"image": image})
    return Model({"image": image}, decoder(coded), name="tiny")
'''


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    file = tmp_path_factory.mktemp("plugin") / "tiny_plugin.py"
    file.write_text(PLUGIN)
    return str(file)


@pytest.fixture(scope="module")
def run(plugin, tmp_path_factory):
    """A run of the third party's model, trained by the command in a process of its own."""
    out = tmp_path_factory.mktemp("runs")
    done = edkit("train", "tiny", "--plugin", plugin, "--epochs", "2", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().splitlines()[-1])


def edkit(*arguments, **variables):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "ed_core.cli", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=patience.OF_A_PROCESS
    )


@pytest.mark.once(False)
def test_a_plugin_in_one_file_trains_and_records(run):
    info = json.loads((run / "run.json").read_text())
    assert info["model"] == "tiny"
    assert info["status"] == "finished"
    assert info["params"] == {"latent": 4}
    assert info["backend"] == os.environ["KERAS_BACKEND"]
    assert info["backend_reason"] == "named by KERAS_BACKEND"
    with Recording(run) as recording:
        assert recording.state == "finished"
        assert recording.problem == ""
        assert {probe.kind for probe in recording.header.probes} >= {
            "reconstruction",
            "activations",
        }
        losses = recording.scalars()["image_loss"]
        assert losses[-1] < losses[0]


@pytest.mark.once(False)
def test_a_plugin_passes_the_contract(plugin):
    from ed_core.plugins.registry import load_plugin_file
    from ed_core.testing import check_model

    with MODELS.isolated():
        load_plugin_file(plugin)
        check_model("tiny")


@pytest.mark.once(False)
def test_evaluate_prints_one_flat_json_object(run, plugin):
    done = edkit("evaluate", str(run), "--json", "--plugin", plugin)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert 0 < result["mse"] < result["untrained_mse"]
    assert result["pca_mse"] > 0
    assert not any(isinstance(value, dict) for value in result.values())


def test_a_run_of_a_plugin_that_is_not_loaded_names_it(run, capsys):
    assert main(["evaluate", str(run)]) == 2
    assert "--plugin" in capsys.readouterr().err


DATA = """
import numpy as np
from ed_core import Dataset, Field, Fields, dataset

@dataset
def dots() -> Dataset:
    '''Noise.'''
    images = np.random.default_rng(0).random((40, 8, 8, 1)).astype("float32")
    splits = dict.fromkeys(("train", "test"), {"image": images})
    return Dataset(Fields(image=Field((8, 8, 1))), splits)
"""


def test_what_comes_next_is_said_with_the_plugin_files_of_a_run(plugin, tmp_path):
    data = tmp_path / "the dots.py"
    data.write_text(DATA)
    given = ["--plugin", plugin, "--plugin", str(data)]
    out = ["--epochs", "1", "--out", str(tmp_path / "runs")]
    done = edkit("train", "tiny", "--data", "dots", *given, *out)
    assert done.returncode == 0, done.stderr
    said = done.stderr[done.stderr.index("edkit evaluate") :]
    next_one = shlex.split(said)
    assert next_one[3:] == given
    assert edkit(*next_one[1:]).returncode == 0
    alone = edkit(*next_one[1:3], *given[:2])
    expected = f"data set 'dots' came from a plugin file: pass --plugin {data}"
    assert (alone.returncode, expected in alone.stderr) == (2, True), alone.stderr


def test_a_finished_run_is_not_resumed(run, plugin):
    before = sorted(run.rglob("*"))
    done = edkit("train", "--resume", str(run), "--plugin", plugin)
    assert done.returncode == 2
    assert "has finished its 2 epochs" in done.stderr
    assert sorted(run.rglob("*")) == before


@pytest.mark.once(False)
def test_figures_are_written(run, plugin, tmp_path):
    done = edkit("figures", str(run), "--plugin", plugin, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert {"curves.png", "reconstructions.png"} <= {path.name for path in tmp_path.iterdir()}


def test_the_list_of_commands_names_each_with_its_module(capsys):
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2].split("\n")
    names = [line.split()[0] for line in listed if line.startswith("  ")]
    assert names == sorted(names)
    assert {"demo", "list", "train", "bench", "encode"} < {*names}
    for name in names:
        assert main([name, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"Usage: edkit {name} ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "vea"], "Did you mean 'vae'"),
        (["train", "vae", "--laten", "3"], "--laten"),
        (["train", "vae", "--latent", "two"], "'latent' is a whole number, received 'two'"),
        (["train", "vae", "--latent", "0"], "latent"),
        (["train", "vae", "--data", "diggits"], "Did you mean 'digits'"),
        (["train", "vae", "--epochs", "0"], "epochs must be at least 1"),
        (["train", "vae", "--batch-size", "-1"], "batch_size must be at least 1"),
        (["train", "vae", "--weight", "imag=2"], "Did you mean 'image'"),
        (["train", "vae", "--weight", "image"], "expected --weight HEAD=X, where X is a "),
        (["train", "vae", "--weight", "posterior=nan"], "number, received 'posterior=nan'"),
        (["train", "vae", "--only", "label"], "expected --only FIELD=CLASS, received 'label'"),
        (["train", "vae", "--field", "a=b", "--field", "a=c"], "--field gives 'a' twice: leave"),
        (["train", "vae", "--epochs", "few"], "option 'epochs' is a whole number, received 'few'"),
        (["train", "vae", "--learning-rate", "inf"], "'learning_rate' is a number, received inf"),
        (["train", "vae", "--labels", "image=0.5"], "target 'image' is no class or value"),
        (["train", "vae", "--only", "label=ten"], "unknown class of field 'label': 'ten'"),
        (["train", "vae", "--class-weights", "label=balanced"], "unknown head with classes"),
        (["train", "vae", "--plugin", "nowhere.py"], "does not exist"),
        (["train", "vae", "--backend", "theano"], "unknown backend 'theano'"),
        (["train"], "name a model"),
        (["train", "--resume", "nowhere"], "not a run folder"),
        (["evaluate", "nowhere"], "not a run folder"),
        (["figures", "nowhere"], "not a run folder"),
        (["figures", "nowhere", "--format", "gif"], "unknown format 'gif'"),
        (["view", "nowhere"], "nowhere"),
        (["list", "modles"], "Did you mean 'models'"),
        (["list", "models", "vea"], "Did you mean 'vae'"),
        (["trian"], "No such command 'trian'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_2(
    arguments, expected, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert expected in captured.err
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "freeze"),
    [
        (["--freeze", "--start", "random"], True),
        (["--start", "random", "--freeze"], True),
        (["--freeze", "yes", "--start", "random"], True),
        (["--freeze", "no", "--start", "random"], False),
        (["--start", "random", "--freeze=no"], False),
        (["--start", "random"], None),
    ],
)
def test_an_option_of_yes_or_no_is_a_switch_too(words, freeze, monkeypatch):
    seen = {}
    module = import_module("ed_core.cli.train")  # the package has the group by this name
    monkeypatch.setattr(module, "_train", lambda name, **given: seen.update(given))
    assert main(["train", "classifier", *words]) == 0
    assert seen["freeze"] is freeze
    assert seen["start"] == "random"


def test_a_switch_is_told_of_a_wrong_word(capsys):
    assert main(["train", "classifier", "--freeze", "maybe"]) == 2
    assert "'freeze' is yes or no, received 'maybe'" in capsys.readouterr().err


def test_a_backend_that_is_not_installed_is_named(tmp_path, capsys, monkeypatch):
    from ed_core.engine import choice

    monkeypatch.setattr(choice, "find_spec", lambda name: name == "torch" or None)
    assert main(["list", "models", "--backend", "jax"]) == 2
    assert "pip install 'edkit[jax]'" in capsys.readouterr().err


def test_a_data_folder_that_is_not_there(tmp_path):
    missing = str(tmp_path / "nowhere")
    done = edkit(
        "train", "vae", "--data", "mnist", "--out", str(tmp_path / "o"), EDKIT_DATA=missing
    )
    assert done.returncode == 2
    assert missing in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "o").exists()


def test_list_says_when_a_head_counts(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["list", "models", "stacked_autoencoder"]) == 0
    shown = capsys.readouterr().out
    assert "1, once outer_image has ended" in shown
    assert "1, in the first 50% of the steps, where the model has it" in shown


def test_list_shows_every_model_and_its_options(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    for name in ("dense_autoencoder", "conv_autoencoder", "vae", "conv_vae", "digits", "mnist"):
        assert name in shown
    assert main(["list", "models", "dense_autoencoder"]) == 0
    assert "--sparsity" in capsys.readouterr().out


def listed(capsys, *arguments):
    assert main(["list", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_list_as_json_says_all_that_a_form_needs(capsys):
    found = listed(capsys)
    assert set(found) == {
        "models", "data", "training", "panels", "backends", "backend", "broken",
    }  # fmt: skip
    assert found["backend"] in found["backends"]
    assert found["broken"] == {}
    assert set(found["models"]) == set(MODELS)
    assert set(found["data"]) == set(DATASETS)
    vae = found["models"]["vae"]
    assert (vae["data"], vae["summary"]) == ("digits", MODELS["vae"].summary)
    assert [(h["name"], h["weight"], h["target"]) for h in vae["heads"]] == [
        ("image", 1.0, "image"),
        ("features", 1.0, "features"),
        ("posterior", "beta", None),
    ]
    options = {option["name"]: option for option in vae["options"]}
    assert options["hidden"]["type"] == "ints"
    assert options["hidden"]["default"] == [512]
    assert options["latent"] == {
        "name": "latent", "flag": "--latent", "type": "int", "default": 2, "choices": [],
        "help": "dimensions of the code.",
    }  # fmt: skip
    encoder = {o["name"]: o for o in found["models"]["classifier"]["options"]}
    assert encoder["encoder"]["type"] == "run"
    assert encoder["start"]["choices"] == ["trained", "random"]
    source = {o["name"]: o for o in found["data"]["rotated_digits"]["options"]}["source"]
    assert (source["type"], source["choices"]) == ("choice", ["auto", "mnist", "digits"])


def test_a_list_that_is_given_empty_is_empty(tmp_path):
    wish = ["--hidden", "", "--epochs", "1", "--no-record", "--out", str(tmp_path)]
    assert main(["train", "vae", *wish]) == 0
    (run,) = tmp_path.iterdir()
    assert json.loads((run / "run.json").read_text())["params"]["hidden"] == []


def test_what_the_disk_refuses_is_one_line(tmp_path, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "weights.h5")

    monkeypatch.setattr("ed_core.training.job.save_weights", full)
    wish = ["--epochs", "1", "--no-record", "--out", str(tmp_path)]
    assert main(["train", "vae", *wish]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    (run,) = tmp_path.iterdir()
    assert last.startswith("edkit: 'weights.h5': No space left on device. ")
    assert f"edkit train --resume {run} --backend" in last
    assert json.loads((run / "run.json").read_text())["status"] == "failed"


def test_the_help_of_every_model_says_each_option_once(capsys):
    for name, spec in MODELS.items():
        assert main(["train", name, "--help"]) == 0
        said = "".join(capsys.readouterr().out.split())  # lines are broken anywhere
        assert "Args:" not in said
        for text in (spec.summary, *(option.help for option in spec.options.values())):
            assert said.count("".join(text.split())) == 1, (name, text)


def test_an_option_of_training_is_stated_once(capsys):
    """A keyword of Plan is an option of the command, with its default, type and words."""
    from ed_core.recording.run_description import RUN_OPTIONS
    from ed_core.training.options import TRAINING_OPTIONS, Plan

    assert {*RUN_OPTIONS} == {"data", "backend", *TRAINING_OPTIONS}  # what tells runs apart
    plan = Plan("vae", "digits", {})
    flags = {"weights": "weight", "field_names": "field", "record": "no_record"}
    training = {option["name"]: option for option in listed(capsys)["training"]}
    assert set(training) - {"data", "out"} == {flags.get(n, n) for n in TRAINING_OPTIONS}
    assert main(["train", "vae", "--help"]) == 0
    said = "".join(capsys.readouterr().out.split())
    for name, option in TRAINING_OPTIONS.items():
        told = training[flags.get(name, name)]
        assert told["flag"] in said
        assert "".join(told["help"].split()) in said
        assert name == "record" or told["help"].lower() == option.help.lower()
        if told["type"] not in ("flag", "pairs"):
            assert told["default"] == getattr(plan, name)
    kinds = {name: option["type"] for name, option in training.items()}
    assert {kinds[name] for name in ("epochs", "every", "seed")} == {"int"}
    assert {kinds[name] for name in ("weight", "only", "field")} == {"pairs"}
    assert {kinds[name] for name in ("stratified", "no_record")} == {"flag"}
    assert (kinds["out"], training["out"]["default"]) == ("path", "runs")
    assert kinds["validation"] == "float"


def test_list_as_json_has_only_what_is_asked_for(capsys):
    assert set(listed(capsys, "models", "vae")["models"]) == {"vae"}
    assert set(listed(capsys, "backends")) == {"backends", "broken"}
    assert set(listed(capsys, "data")) == {"backend", "data", "broken"}


def test_list_as_json_has_a_plugin_that_prints_and_names_a_broken_one(plugin, tmp_path):
    chatty = tmp_path / "chatty.py"
    chatty.write_text("print('hello from a plugin')\n" + Path(plugin).read_text())
    site = tmp_path / "site" / "broken-1.0.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (site / "entry_points.txt").write_text("[edkit.plugins]\nbroken = no_such_module\n")
    paths = os.pathsep.join([str(site.parent), *sys.path])
    done = edkit("list", "--json", "--plugin", str(chatty), PYTHONPATH=paths)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "hello" in done.stderr
    assert found["models"]["tiny"]["options"][0]["help"] == "numbers in the code."
    assert "no_such_module" in found["broken"]["no_such_module"]
    assert "vae" in found["models"]
