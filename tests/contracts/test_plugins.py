"""Every registered model and data set keeps the contract: a plugin is tested by existing."""

import h5py
import numpy as np
import pytest
from PIL import Image

from ed_core import EdkitError, Field, Fields
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.registry import BROKEN
from ed_core.runs.rebuilding import build
from ed_core.testing import check_dataset, check_model
from ed_plugins.datasets import fashion_mnist

pytestmark = pytest.mark.backend

DOWNLOADED = {"mnist", "fashion_mnist"}
FIELDS_OF_DOWNLOADED = {"fashion_mnist": fashion_mnist.FIELDS}  # a model is checked without them
OF_THE_USER = {"arrays", "folder", "table"}  # tested on files of their own


@pytest.mark.parametrize("name", list(MODELS))
def test_model(name):
    check_model(name, FIELDS_OF_DOWNLOADED.get(MODELS[name].data))


@pytest.mark.parametrize("name", [name for name in MODELS if "latent" in MODELS[name].options])
def test_a_code_of_no_numbers_is_refused(name):
    with pytest.raises(
        EdkitError, match="option 'latent' is a whole number of 1 or more, received 0"
    ):
        build(MODELS[name], fashion_mnist.FIELDS, {"latent": 0})


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(set(DATASETS) - OF_THE_USER))
def test_dataset(name, request, monkeypatch, tmp_path):
    files = request.getfixturevalue("data_folder") if name in DOWNLOADED else tmp_path
    monkeypatch.setenv("EDKIT_DATA", str(files))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    check_dataset(name)


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(OF_THE_USER))
def test_a_data_set_of_the_users_files_says_what_it_needs(name):
    with pytest.raises(EdkitError, match=f"data set '{name}' needs"):
        DATASETS[name].load()


@pytest.mark.once
def test_a_folder(tmp_path):
    for split in ("train", "test"):
        for field in ("image", "mask", "height"):
            (tmp_path / split / field).mkdir(parents=True)
            numbers = np.arange(12, dtype="uint8").reshape(3, 4)
            Image.fromarray(numbers).save(tmp_path / split / field / "a.png")
    description = tmp_path / "folder.toml"
    description.write_text(
        "[fields.image]\n[fields.mask]\nkind = 'class'\nignore = [3, 4]\nclasses = "
        "{ low = [0, 1, 2], high = [5, 6, 7, 8, 9, 10, 11] }\n[fields.height]\nkind = 'value'\n"
    )
    check_dataset("folder", path=str(description))


@pytest.mark.once
def test_arrays(tmp_path):
    rows = np.arange(20)
    named = {"image": np.zeros((20, 4, 4, 1), "uint8"), "label": rows % 3 - 1, "angle": rows / 7}
    np.savez(tmp_path / "a.npz", **named)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, array in named.items():
            file[name] = array
    first, second = (
        check_dataset("arrays", path=str(tmp_path / f"a.{end}")) for end in ("npz", "h5")
    )
    assert first.fields == second.fields
    assert first.fields["label"].partial


@pytest.mark.once
def test_a_table(tmp_path):
    rows = np.arange(20)
    named = {
        "width": np.where(rows == 3, np.nan, rows / 7),
        "colour": np.resize(["red", "blue", ""], 20),
        "good": rows % 2,
    }
    np.savez(tmp_path / "a.npz", **named)
    cells = zip(*named.values(), strict=True)
    lines = [",".join("" if str(cell) == "nan" else str(cell) for cell in row) for row in cells]
    (tmp_path / "a.csv").write_text("\n".join([",".join(named), *lines]))
    first, second = (
        check_dataset("table", path=str(tmp_path / f"a.{end}"), label="good")
        for end in ("npz", "csv")
    )
    assert first.fields == second.fields
    assert first.fields["features_present"].kind == "mask"


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("dense_autoencoder", "label"),
        ("vae", "label"),
        ("classifier", "label"),
        ("classifier", "value"),
    ],
)
def test_a_model_of_rows(name, target):
    targets = {"label": Field((), "class", ("bad", "good")), "value": Field((), "value")}
    rows = {"features": Field((7,), "signal"), "features_present": Field((7,), "mask")}
    check_model(name, Fields({**rows, target: targets[target]}))


@pytest.mark.once
def test_no_built_in_is_broken():
    assert BROKEN == {}
