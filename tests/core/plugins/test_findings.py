"""Findings of a loader, fields by other names, gaps in signals, the text that names a data set."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core import (
    DATASETS,
    MODELS,
    Dataset,
    EdkitError,
    Field,
    Fields,
    FilePath,
    Findings,
    InputRecord,
    Standardisation,
    dataset,
    evaluate,
    load_data,
    open_run,
    train,
)
from ed_core.cli import main
from ed_core.data import memory as memory_module
from ed_core.data.loading import given_options, renamed, settle_data, why_missing
from ed_core.data.memory import check_memory
from ed_core.data.preparation import as_trained, masked, prepared
from ed_core.data.targets import arrange
from ed_core.plugins.findings import block
from ed_core.plugins.spec import DatasetSpec
from ed_core.recording import RunFolder
from ed_core.testing import check_dataset

FILE = FilePath("")


def read(*, path: FilePath = FILE, colour: bool = False, gaps: bool = False) -> Dataset:
    """Images and signals that are said to come from a file.

    Args:
        path: of the file.
        colour: three channels.
        gaps: every fifth number of the signals is missing.
    """
    findings = Findings()
    findings.infer("image", "1 channel", option="colour=yes")
    findings.leave_out("label", 3, "texts that are no classes")
    findings.leave_out("files", 0, "never said")
    image = np.linspace(0, 1, 2560, dtype="float32").reshape(160, 4, 4, 1)
    time = np.arange(16) + np.arange(160)[:, None]
    signal = np.sin(time / 3)[..., None].astype("float32") * 3 + 10
    if gaps:
        signal.reshape(-1)[::5] = np.nan
    fields = Fields(image=Field((4, 4, 1)), signal=Field((16, 1), "signal", partial=gaps))
    arrays = {"image": image, "signal": signal}
    splits = {"train": arrays, "test": {name: array[:20] for name, array in arrays.items()}}
    record = InputRecord(findings=tuple(findings))
    return Dataset(fields, splits, preparation=Standardisation("signal", gaps=gaps), input=record)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        dataset(read)
        yield


def test_block_says_what_counts_and_how_to_have_it_otherwise() -> None:
    found = Findings()
    found.infer("image", "12 bits", option="bits=16")
    found.leave_out("image", 2, "bands behind the third")
    found.leave_out("files", 1200, "no images:\na\x1b[2Jb.txt")
    found.leave_out("files", 0, "nothing")
    found.infer("image", "12 bits", option="bits=16")
    assert block(found).splitlines() == [
        "image  12 bits (bits=16)",
        "       2 left out: bands behind the third",
        "files  1,200 left out: no images: a�[2Jb.txt",
    ]
    assert block(()) == ""


def test_record_keeps_findings_and_survives_json() -> None:
    record = read().input
    facts = json.loads(json.dumps({"findings": [vars_of(one) for one in record.findings]}))
    assert InputRecord.from_facts(facts) == record
    for strange in (None, 3, "text", [3], [{"about": 1, "text": "a"}], [{"left_out": "x"}]):
        assert all(
            isinstance(one.text, str)
            for one in InputRecord.from_facts({"findings": strange}).findings
        )


def vars_of(finding):
    return {name: getattr(finding, name) for name in type(finding).__slots__}


def test_memory_is_looked_at_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "available", lambda: 3 * 2**30)
    check_memory(3 * 2**30, "'a.npz'", "give less")
    with pytest.raises(EdkitError, match=r"'a.npz' would take 5.0 GB .* the 3.0 GB .*: give less"):
        check_memory(5 * 2**30, "'a.npz'", "give less")


# Paths hold commas, equal signs and quotes; what comes back is what was given.
@given(st.text(st.sampled_from('ab,=" é.'), min_size=1, max_size=12).map(lambda s: f"/x{s}.npz"))
def test_any_path_survives_its_text(path: str) -> None:
    quoted = path.replace('"', '""')
    settled = settle_data(f'read:"{quoted}",colour=yes')
    assert given_options(settled) == ("read", {"path": path, "colour": True})
    assert settle_data(settled) == settled


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('read:"a', "closing double quote"),
        ('read:"a"b', "closing double quote"),
        ("read:a,b=c", "unknown option"),
        ("arrays:a.npz,tile=256", "no option 'tile': it is one of folder, such as folder:PATH,t"),
        ("digits:x", "takes digits:KEY=VALUE"),
    ],
)
def test_texts_that_are_no_data_set(text: str, why: str) -> None:
    with pytest.raises(EdkitError, match=why):
        settle_data(text)


def test_unquoted_path_is_told_how_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a=b", "a,b=c", "a,path=c"):
        (tmp_path / name).touch()
        with pytest.raises(EdkitError) as raised:
            settle_data(f"read:{name}")
        told = str(raised.value).rpartition("double quotes: ")[2].rstrip(".")
        assert given_options(settle_data(told))[1] == {"path": str(tmp_path / name)}


def test_path_alone_is_told_which_data_sets_read_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,a\n" + "".join(f"{0.1 * n},{n % 7}\n" for n in range(99)))
    with pytest.raises(EdkitError, match=r"is a path: expected the data set .*: signals:"):
        settle_data(str(tmp_path / "a.csv"))


def test_fields_by_other_names() -> None:
    data = read()
    other = renamed(data, {"picture": "image", "wave": "signal"})
    assert set(other.fields) == {"picture", "wave"} == set(other.splits["train"])
    fitted, known = (prepared(one, InputRecord()) for one in (other, data))
    assert fitted.input.fitted["standardised"] == "wave"
    for name, own in (("picture", "image"), ("wave", "signal")):
        found, right = fitted.splits["test"][name], known.splits["test"][own]
        np.testing.assert_array_equal(np.asarray(found), np.asarray(right))
    swapped = renamed(data, {"image": "signal", "signal": "image"})
    assert swapped.fields["image"].kind == "signal"
    hidden = renamed(data, {"image": "signal"})
    assert set(hidden.fields) == {"image"}
    assert [one.about for one in hidden.input.findings if one.left_out] == ["label", "image"]
    with pytest.raises(EdkitError, match=r"--field names the field 'x'.*image, signal"):
        renamed(data, {"image": "x"})
    assert renamed(data, {"image": "x"}, strict=False) is data


def test_any_preparation_goes_with_its_field() -> None:
    class Halved:
        def fit(self, train):
            return {"most": float(np.max(train["image"]))}

        def apply(self, arrays, fitted):
            return {**arrays, "image": np.asarray(arrays["image"]) / (2 * fitted["most"])}

    data = renamed(replace(read(), preparation=Halved()), {"picture": "image"})
    made = prepared(data, InputRecord())
    assert np.asarray(made.splits["train"]["picture"]).max() == 0.5


def test_why_a_field_is_missing() -> None:
    assert "left out: texts that are no classes" in why_missing(read(), "label")
    assert "--field angle=NAME" in why_missing(read(), "angle")


def test_gaps_of_a_signal_are_read_as_the_mean_and_masked() -> None:
    data = prepared(read(gaps=True), InputRecord())
    train = data.splits["train"]
    assert data.fields["signal_present"] == Field((16, 1), "mask")
    assert not data.fields["signal"].partial
    there = np.asarray(train["signal_present"]) == 1
    np.testing.assert_array_equal(there, ~np.isnan(read(gaps=True).splits["train"]["signal"]))
    signal = np.asarray(train["signal"])
    assert (signal[~there] == 0).all()
    assert abs(signal[there].mean()) < 1e-5
    whole = as_trained(read(), data.fields, data.input)
    assert np.asarray(whole.splits["test"]["signal_present"]).all()
    with pytest.raises(EdkitError, match="without gaps: take missing=fill or missing=drop"):
        as_trained(read(gaps=True), read().fields, data.input)
    assert masked(data) is data


def test_contract_wants_findings_of_a_loader(tmp_path: Path) -> None:
    check_dataset("read", path=FilePath(str(tmp_path)))

    @dataset
    def silent(*, path: FilePath = FILE) -> Dataset:
        """Says nothing."""
        return replace(read(), input=InputRecord())

    @dataset
    def wrong(*, path: FilePath = FILE) -> Dataset:
        """Names an option that it lacks."""
        return read()

    with pytest.raises(AssertionError, match="has no findings"):
        check_dataset("silent", path=FilePath(str(tmp_path)))
    with pytest.raises(AssertionError, match="names option 'colour=yes', which it lacks"):
        check_dataset("wrong", path=FilePath(str(tmp_path)))
    assert isinstance(DATASETS["read"], DatasetSpec)


def test_command_shows_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "read", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["splits"] == {"train": 160, "test": 20}
    assert found["fields"]["image"]["shape"] == [4, 4, 1]
    assert [one["left_out"] for one in found["findings"]] == [0, 3]
    assert main(["data", "read"]) == 0
    said = capsys.readouterr().out
    assert "1 channel (colour=yes)" in said
    assert "3 left out: texts that are no classes" in said
    assert main(["data", "read:nothing=1"]) == 2


@pytest.mark.backend
@pytest.mark.once
def test_findings_are_said_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"epochs": 1, "hidden": (4,), "out": tmp_path}
    run = train("dense_autoencoder", "read", **options)
    assert "label  3 left out: texts that are no classes" in capsys.readouterr().err
    assert RunFolder(run.path).read()["input"]["findings"][0]["option"] == "colour=yes"
    assert open_run(run.path).input.findings == read().input.findings
    with pytest.raises(EdkitError, match=r"'label'.*left out: texts that are no classes"):
        train("classifier", "read", **options)
    with pytest.raises(EdkitError, match="--field image=NAME"):
        train("dense_autoencoder", "read", field_names={"picture": "image"}, **options)
    capsys.readouterr()
    evaluate(run, "read:colour=yes")
    assert "1 channel (colour=yes)" in capsys.readouterr().err


@pytest.mark.backend
@pytest.mark.once
def test_field_by_another_name_is_trained_and_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @dataset
    def other() -> Dataset:
        """The same, called otherwise."""
        return renamed(read(), {"wave": "signal"})

    options = {"epochs": 2, "filters": (4,), "out": tmp_path}
    plain = evaluate(train("signal_autoencoder", "read", **options))
    run = train("signal_autoencoder", "other", field_names={"signal": "wave"}, **options)
    assert run.info["field_names"] == {"signal": "wave"}
    again = open_run(run.path)
    found = evaluate(again)
    assert found["mse"] == plain["mse"]
    assert evaluate(again, "read", split="test")["mse"] == plain["mse"]

    def called_third() -> Dataset:
        """The same, called otherwise again, beside a field that has the name of before."""
        data = renamed(read(), {"third": "signal"})
        splits = {
            split: {**arrays, "wave": np.ones((len(arrays["third"]), 16, 1), "float32")}
            for split, arrays in data.splits.items()
        }
        return replace(data, fields={**data.fields, "wave": data.fields["third"]}, splits=splits)

    dataset(called_third)
    asked = ["evaluate", str(run.path), "--split", "test", "--json"]
    capsys.readouterr()
    assert main([*asked, "--data", "called_third", "--field", "signal=third"]) == 0
    assert json.loads(capsys.readouterr().out)["mse"] == plain["mse"]
    for options, said in (
        (["--field", "signal=third"], "--field goes with --data"),
        (["--data", "read", "--field", "signal"], "expected --field NAME=OTHER, received 'signal'"),
        (["--data", "read", "--field", "signal=x"], "--field names the field 'x', but the data ha"),
    ):
        assert main([*asked, *options]) == 2
        assert said in capsys.readouterr().err
    raw = np.zeros((1, 16, 1), "float32")
    assert set(again.prepare({"wave": raw})) == {"signal"}
    both = again.prepare({"wave": raw, "signal": raw + 9})["signal"]  # which is another field
    np.testing.assert_array_equal(both, again.prepare({"wave": raw})["signal"])


@pytest.mark.once
@pytest.mark.backend
def test_gaps_count_for_nothing(tmp_path: Path) -> None:
    """The loss is the sum over what is there, whatever the network makes of the rest."""
    options = {"epochs": 40, "filters": (8,), "learning_rate": 0.01, "batch_size": 16}
    run = train("signal_autoencoder", "read:gaps=yes", out=tmp_path, **options)
    test = {name: np.asarray(array) for name, array in run.data.splits["test"].items()}
    x, y, weights = arrange(test, ["signal"], run.model.heads)
    loss = run.model.test_on_batch(x, y, sample_weight=weights, return_dict=True)["signal_loss"]
    error = np.square(run.model.predict_on_batch(x)["signal"] - test["signal"], dtype="float64")
    right = (error * test["signal_present"]).sum() / len(error)
    np.testing.assert_allclose(loss, right, rtol=1e-5)
    for found in (evaluate(run), evaluate(run, "read", split="test")):
        assert found["mse"] < 0.1 * found["untrained_mse"]
    ready = run.prepare({"signal": np.full((1, 16, 1), np.nan, "float32")})
    assert not np.asarray(ready["signal"]).any()
    assert not np.asarray(ready["signal_present"]).any()
    assert load_data("read:gaps=yes").fields["signal"].partial
