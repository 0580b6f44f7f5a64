"""The time of the day and of the week at every step, odd stretches, and the floor by them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ed_core import Dataset, EdkitError, load_data, train
from ed_core.evaluation.anomaly import detect
from ed_core.evaluation.calibration import with_defects
from ed_core.evaluation.seasonal import SLOTS, half_hours, median_scores
from ed_plugins.datasets.signals.calendars import calendar_of, is_odd, read_stretches
from ed_plugins.datasets.signals.reader import open_signals

DATES = pd.date_range("2026-01-01", periods=1000, freq="30min")
OPTIONS = "window=24,hop=5,calendar=yes"


def seconds(dates: pd.DatetimeIndex) -> np.ndarray:
    return dates.to_numpy("datetime64[s]").astype("float64")


@pytest.fixture
def taxi(tmp_path: Path) -> Path:
    path = tmp_path / "taxi.csv"
    numbers = np.random.default_rng(0).random(len(DATES))
    pd.DataFrame({"timestamp": DATES, "value": numbers}).to_csv(path, index=False)
    return path


def odd_lines(folder: Path, *lines: str) -> Path:
    path = folder / "odd.csv"
    path.write_text("\n".join(["start,end", *lines]))
    return path


def splits(data: Dataset) -> dict[str, int]:
    return {split: len(arrays["signal"]) for split, arrays in data.splits.items()}


def test_a_step_has_the_half_hour_of_its_week() -> None:
    slots = half_hours(calendar_of(seconds(DATES)))
    monday_first = (DATES.day_of_week * 48 + DATES.hour * 2 + DATES.minute // 30).to_numpy()
    np.testing.assert_array_equal(slots, (monday_first - 3 * 48) % SLOTS)  # 1970: a Thursday


def test_windows_come_with_the_times_of_their_steps(taxi: Path) -> None:
    data = load_data(f"signals:{taxi},{OPTIONS}")
    assert data.whole is not None
    starts = data.whole["time"]
    times = starts[:, None] + 1800 * np.arange(24)
    np.testing.assert_array_equal(data.whole["calendar"], calendar_of(times))
    reading = json.loads(json.dumps(data.input.reading))
    again = open_signals(taxi, data.fields, reading)
    read = [one for one in again.read(range(len(again.names))) if isinstance(one, dict)]
    for name in ("signal", "calendar"):
        np.testing.assert_array_equal(np.stack([one[name] for one in read]), data.whole[name])


def test_a_signal_without_dates_has_no_calendar(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"time": np.arange(500) / 10, "value": np.arange(500) % 7}).to_csv(path)
    with pytest.raises(EdkitError, match="expected a clock of dates for calendar=yes"):
        load_data(f"signals:{path},{OPTIONS}")


def test_windows_that_overlap_a_stretch_are_odd(taxi: Path, tmp_path: Path) -> None:
    odd = odd_lines(tmp_path, "2026-01-05 06:10:00,2026-01-06 01:00:00", "2026-01-18,2026-01-19")
    data = load_data(f"signals:{taxi},{OPTIONS},odd={odd},test=0.5")
    assert data.whole is not None
    assert data.fields["label"].classes == ("normal", "odd")
    start = DATES[0] + pd.to_timedelta(data.whole["time"] - data.whole["time"][0], "s")
    end = start + pd.Timedelta("11h30min")
    for first, last in (("2026-01-05 06:10", "2026-01-06 01:00"), ("2026-01-18", "2026-01-19")):
        inside = ((start <= first) & (end >= first)) | ((start >= first) & (start <= last))
        assert data.whole["label"][inside].all()
        assert inside.any()
    assert 0 < data.whole["label"].sum() < 40
    assert splits(data) == {"train": 96, "test": 96}
    labels = {split: arrays["label"].sum() for split, arrays in data.splits.items()}
    assert all(labels.values())
    said = [finding.text for finding in data.input.findings if finding.about == "label"]
    assert said == [
        "windows that overlap one of 2 stretches are odd: "
        f"train {labels['train']}, test {labels['test']}"
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("2027-01-01,2027-01-02",), "no window lies in a stretch"),
        (("2026-01-05,2026-01-04",), "line 2: expected a start"),
        (("2026-01-05,2026-01-06", "soon,2026-01-08"), "line 3: expected a start"),
    ],
)
def test_stretches_that_are_none_are_refused(
    taxi: Path, tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    odd = odd_lines(tmp_path, *lines)
    with pytest.raises(EdkitError, match=message):
        load_data(f"signals:{taxi},{OPTIONS},odd={odd}")


def test_stretches_may_be_seconds_of_a_recording(tmp_path: Path) -> None:
    stretches = read_stretches(odd_lines(tmp_path, "0.5,2", "7,7"))
    np.testing.assert_array_equal(stretches, [[0.5, 2], [7, 7]])
    first, last = np.array([0.0, 2.0, 2.5, 6.0]), np.array([0.4, 3.0, 5.0, 7.0])
    assert is_odd(first, last, stretches).tolist() == [False, True, False, True]


def test_the_floor_is_the_distance_from_the_median_of_the_half_hour() -> None:
    calendar = calendar_of(seconds(DATES)[: 2 * SLOTS + 24]).reshape(-1, 24, 4)
    slots = half_hours(calendar)
    usual = (slots % 48 / 10.0)[..., None]
    train = usual.copy()
    odd = usual[:3] + np.array([0, 1.5, -2])[:, None, None]
    np.testing.assert_allclose(median_scores(train, calendar, odd, calendar[:3]), [0, 1.5, 2])


@pytest.mark.backend
@pytest.mark.once
def test_the_floor_stands_beside_the_score_and_no_defect_is_pasted_into_the_calendar(
    taxi: Path, tmp_path: Path
) -> None:
    odd = odd_lines(tmp_path, "2026-01-18,2026-01-19")
    text = f"signals:{taxi},{OPTIONS},odd={odd},test=0.5"
    only = {"label": "normal"}
    run = train(
        "signal_autoencoder",
        text,
        filters=(2,),
        epochs=1,
        only=only,
        batch_size=32,
        out=tmp_path / "runs",
        record=False,
    )
    numbers = detect(run, rate=0.2)
    train_split, test = run.data.splits["train"], run.data.splits["test"]
    names = ("signal", "calendar")
    floor = median_scores(*(train_split[n] for n in names), *(test[n] for n in names))
    odd_windows = np.asarray(test["label"][:]) == 1
    assert numbers["half_hour_auroc"] == pytest.approx(roc_auc_score(odd_windows, floor))
    assert numbers["expert"]
    held = {name: run.data.splits["validation"][name] for name in names}
    changed = with_defects(run, held)
    assert changed["calendar"] is held["calendar"]
    assert np.abs(changed["signal"][:9] - held["signal"][:9]).max() > 0.1
