"""Signals in tables: every reading is the right one, or is refused with what settles it."""

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core import Dataset, EdkitError, load_data
from ed_core.data.preparation import prepared
from ed_core.plugins.findings import block
from ed_core.plugins.spec import InputRecord
from ed_plugins.datasets.signals.stretches import ReadOptions
from ed_plugins.datasets.signals.tables import read_table

ROWS = 60
TIME = np.arange(ROWS) / 100
A = np.sin(7 * TIME) + 0.001
B = np.cos(5 * TIME) + 3


def load(path: Path, options: str = "") -> Dataset:
    return load_data(f"signals:path={path},window=8{',' * bool(options)}{options}")


def csv(*columns: np.ndarray, heading: str = "", sep: str = ",", mark: str = ".") -> str:
    """Return columns as text, such as a program writes them."""
    rows = (
        sep.join(f"{x:.4f}".replace(".", mark) for x in row) for row in zip(*columns, strict=True)
    )
    return "\n".join([heading] * bool(heading) + [*rows, ""])


def dates(form: str) -> list[str]:
    return pd.date_range("2026-01-31", periods=ROWS, freq="1s").strftime(form).tolist()


def dated(heading: str, form: str) -> str:
    return "\n".join([heading, *(f"{d};{a:.4f}" for d, a in zip(dates(form), A, strict=True)), ""])


HOURS = [f"{hour % 24:02}.00.00" for hour in range(ROWS)]
DAYS = [f"{10 + hour // 24}/03/2004" for hour in range(ROWS)]
AIR = "Date;Time;CO;T\n" + "".join(  # as the air quality data of UCI have it
    f"{day};{hour};{-200 if row < 5 else b:.4f};{a:.4f}\n".replace(".0000", "")
    for row, (day, hour, a, b) in enumerate(zip(DAYS, HOURS, A, B, strict=True))
)
AIR_B = np.where(np.arange(ROWS) < 5, -200, B)
FRAME = pd.DataFrame({"a": A, "b": B})
PAIRS = [*zip(A, B, strict=True)]
GAP = re.sub(r"\n0\.3000,.*", "\n0.3000,", csv(TIME, A, heading="time,a"))
TEXTS: dict[str, tuple[str, str, list[np.ndarray]]] = {
    "pandas_index": (FRAME.to_csv(), "row numbers", [A, B]),
    "pandas_index_numbers": (FRAME.set_axis([0, 1], axis=1).to_csv(), "row numbers", [A, B]),
    "r_row_names": (
        "a b\n" + "".join(f'"{i}" {a:.6f} {b:.6f}\n' for i, (a, b) in enumerate(PAIRS, 1)),
        "row numbers",
        [A, B],
    ),
    "time_with_dots": (AIR, "clock 'Date' and 'Time', a step of 3,600 s (", [AIR_B, A]),
    "temperature_is_no_clock": (AIR, "2 channels (CO, T)", [AIR_B, A]),
    "number_for_none": (AIR, "-200 is a value, 5 times, though the other", [AIR_B, A]),
    "many_names": (
        csv(*[A] * 30, heading=",".join(f"channel {n}" for n in range(30))),
        "(channel 0, channel 1, channel 2, channel 3, channel 4, channel 5, channel 6, ...)",
        [A] * 30,
    ),
    "other_word": (csv(TIME, A, heading="Zeit;a", sep=";", mark=","), "clock 'Zeit'", [A]),
    "steady_first": (csv(TIME, A, heading="position,a"), "'position', since it rises", [A]),
    "no_heading": (csv(TIME, A), "column 1, since it rises steadily", [A]),
    "iso": (dated("when;a", "%Y-%m-%d %H:%M:%S"), "clock 'when', a step of 1 s", [A]),
    "day_first": (dated("Datum;a", "%d.%m.%Y %H:%M:%S"), "'Datum', a step of 1 s", [A]),
    "two_columns": (dated("Date;Time;a", "%Y-%m-%d;%H:%M:%S"), "'Date' and 'Time'", [A]),
    "date_index": (FRAME.set_index(pd.DatetimeIndex(dates("%F %T"))).to_csv(), "column 1", [A, B]),
    "epoch": (csv(1.7e12 + 1e3 * TIME, A, heading="timestamp,a"), "a step of 0.01 s", [A]),
    "physionet": (
        "'Elapsed time','MLII'\n'mm:ss.mmm','mV'\n"
        + "".join(f"'0:{t:06.3f}',{a:.6f}\n" for t, a in zip(TIME, A, strict=True)),
        "'Elapsed time', a step of 0.01 s",
        [A],
    ),
    "commas_quoted": (csv(A, B, heading='"a","b"', sep='","', mark=","), "", []),
    "commas_tabs": (csv(A, B, heading="a\tb", sep="\t", mark=","), "decimal commas", [A, B]),
    "commas_alone": (csv(A, heading="a", mark=","), "decimal commas", [A]),
    "comments": ("# by x\n" + csv(A, B, heading="a,b") + "# end\n", "2 left out: comments", [A, B]),
    "heading_in_comment": (csv(TIME, A, heading="# time,a"), "clock 'time'", [A]),
    "comment_in_line": (csv(A, B).replace("\n", " # x\n", 1), "1 left out: ends of lines", [A, B]),
    "lines_above": ("Device,X\n\n" + csv(A, B, heading="a,b"), "1 left out: above", [A, B]),
    "excel": ("sep=;\n" + csv(A, B, heading="a;b", sep=";"), "2 channels (a, b)", [A, B]),
    "empty_column": (csv(A, heading="a,").replace("\n", ",\n")[:], "", []),
    "empty_rows": (csv(A, B, heading="a,b") + ",\n,\n", "2 left out: empty", [A, B]),
    "text": (csv(A, heading="a,note").replace("\n", ",x\n")[:], "", []),
    "years": (csv(TIME, A, B, heading="time,2019,2020"), "2 channels (2019, 2020)", [A, B]),
    "two_clocks": (csv(TIME, TIME, A, heading="t,time,a"), "1 left out: clocks: time", [A]),
    "folded_heading": (csv(TIME, A, heading='"time\n(s)",a'), "'time (s)', a step of 0.01 s", [A]),
    "spaces": (csv(TIME, A, heading=" time   a", sep="   "), "clock 'time'", [A]),
    "blank_ends": (csv(A, heading="a").replace("\n", "\r\r\n"), "1 channel (a)", [A]),
    "old_mac": (csv(A, B, heading="a,b").replace("\n", "\r"), "2 channels", [A, B]),
}  # fmt: skip


def cells(*columns: Iterable[object], heading: str, sep: str = ",") -> str:
    """Return columns of any cells as text."""
    return "\n".join(
        [heading, *(sep.join(map(str, row)) for row in zip(*columns, strict=True)), ""]
    )


AMOUNTS = np.round(1e5 * B, 1)
WH = 30_000_000 + np.arange(ROWS) % 7
TEXTS |= {
    "iso_t": (dated("time;a", "%Y-%m-%dT%H:%M:%SZ"), "clock 'time', a step of 1 s", [A]),
    "matlab_dates": (dated("Time;a", "%d-%b-%Y %H:%M:%S"), "clock 'Time', a step of 1 s", [A]),
    "matlab_durations": (cells([f"{t} sec" for t in TIME], A, heading="Time,a"), "0.01 s", [A]),
    "am_pm": (dated("time;a", "%I:%M:%S %p"), "clock 'time', a step of 1 s", [A]),
    "compact_dates": (
        cells(pd.date_range("2026-01-01", periods=ROWS).strftime("%Y%m%d"), A, heading="date,a"),
        "clock 'date', a step of 86,400 s (clock=none) split",
        [A],
    ),
    "months": (
        cells(pd.period_range("2020-01", periods=ROWS, freq="M"), A, heading="Month,a"),
        "clock 'Month', a step of 2,678,400 s",
        [A],
    ),
    "midnight": (
        cells(pd.date_range("2026-01-01 23:30", periods=ROWS, freq="1min").time, A, heading="t,a"),
        "clock 't', on after midnight, a step of 60 s (clock=none) split",
        [A],
    ),
    "newest_first": (
        csv(TIME[::-1], A[::-1], B[::-1], heading="time,a,b"),
        "the newest first, turned by the clock (clock=none)",
        [A, B],
    ),
    "no_times": (cells([f"t{i}" for i in TIME], A, heading="time,a"), "no times that rise", [A]),
    "french": (
        cells([f"{x:,.1f}".replace(",", "\u202f").replace(".", ",") for x in AMOUNTS],
              [f"{a:.6f}".replace(".", ",") for a in A], heading="a;b", sep=";"),
        "decimal commas",
        [AMOUNTS, A],
    ),
    "swiss": (
        cells([f"{x:,.1f}".replace(",", "'") for x in AMOUNTS], A, heading="a;b", sep=";"),
        "2 channels",
        [AMOUNTS, A],
    ),
    "minus_sign": (cells([f"\u2212{b}" for b in B], A, heading="b,a"), "", [-B, A]),
    "fortran": (cells([f"{b:.9e}".replace("e", "D") for b in B], A, heading="b,a"), "", [B, A]),
    "quoted_names": (cells(A, B, heading='"my a" "b"', sep=" "), "2 channels (my a, b)", [A, B]),
    "two_separators": (cells(A, B, heading="a;b"), "2 channels (a, b)", [A, B]),
    "markdown": (
        "| a | b |\n|---|---|\n" + "".join(f"| {a} | {b} |\n" for a, b in PAIRS),
        "2 channels (a, b)",
        [A, B],
    ),
    "rigol": (
        "X,CH1,Start,Increment,\nSequence,Volt,-6.0e-05,1.0e-07\n"
        + "".join(f"{i},{a:.4e},\n" for i, a in enumerate(A)),
        "1 channel (CH1)",
        [A],
    ),
    "line_ends": (csv(A, B, heading="a,b").replace("\n", "\n\r"), "2 channels", [A, B]),
    "commas_exponents": (
        "X\n" + "0,00125\n-7,5e-05\n" * 30,
        "1 channel (X)",
        [np.tile([0.00125, -7.5e-5], 30)],
    ),
    "counter": (cells(WH, A, heading="Wh,a"), "2 channels (Wh, a)", [WH, A]),
}  # fmt: skip
TEXTS["commas_quoted"] = (
    "\n".join(['"a","b"', *(f'"{a:.4f}","{b:.4f}"'.replace(".", ",") for a, b in PAIRS), ""]),
    "decimal commas",
    [A, B],
)
TEXTS["empty_column"] = (csv(A, heading="a").replace("\n", ",\n"), "1 left out: without", [A])
TEXTS["text"] = ("a,note\n" + csv(A).replace("\n", ",x\n"), "1 left out: of text: note", [A])


def signal_of(data: Dataset) -> np.ndarray:
    """Return the first rows of a data set, (rows, channels)."""
    array = data.splits["train"]["signal"]
    return array.reshape(-1, array.shape[-1])


@pytest.mark.parametrize("name", TEXTS)
def test_a_table_is_read_as_it_is_meant_and_that_is_said(tmp_path: Path, name: str) -> None:
    text, said, columns = TEXTS[name]
    (tmp_path / "a.csv").write_bytes(text.encode())
    data = load(tmp_path / "a.csv")
    found = signal_of(data)
    meant = np.stack(columns, axis=1)[: len(found)]
    assert (np.abs(found - meant) <= 1e-3 * meant.std(axis=0)).all()
    assert said in " ".join(block(data.input.findings).split())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_an_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(csv(TIME, A, heading="Zeit,Größe").encode(encoding))
    data = load(tmp_path / "a.csv", "columns=Größe")
    assert data.fields["signal"].shape == (8, 1)
    np.testing.assert_allclose(data.splits["train"]["time"][:2], [0, 0.08])
    assert ("cp1252" in block(data.input.findings)) == (encoding == "cp1252")


TWO = csv(A, B)
REFUSED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # name: text, the message, and the remedies that it names
    "gap": (
        GAP,
        r"line 32, column 2 \('a'\): expected a finite number, found an empty cell, and so in 1 of",
        ("missing=drop", "missing=fill", "missing=mask"),
    ),
    "na": (f"a,b\n1.5,NA\n{TWO}", r"line 2, column 2 \('b'\): .* found 'NA'", ("missing=drop",)),
    "na_hash": (f"a,b\n1.5,#N/A\n{TWO}", "line 2, column 2 .* found '#N/A'", ("missing=fill",)),
    "blank": (f"a\n1.5\n\n{csv(A)}", "line 3, column 1 .* found an empty cell", ("missing=drop",)),
    "infinite": (f"a\n1.5\ninf\n{csv(A)}", "line 3, column 1 .* found 'inf'", ("missing=mask",)),
    "too_large": (f"a\n1\n1e300\n{csv(A)}", "line 3, column 1 .* found '1e300'", ("missing=drop",)),
    "no_time": (
        csv(TIME, A, heading="time,a").replace("\n0.3000,", "\n,"),
        "expected a time in every row, found none in 'time' of 1 of 60",
        ("missing=drop", "missing=fill", "clock=none"),
    ),
    "word": (f"a,b\n{TWO}1,oops\n{TWO}", r"line 62, column 2 \('b'\): .*'oops'", ("columns=a",)),
    "percent": (
        ",a,b\n" + "".join(f"{i},{a:.4f},{i % 9}%\n" for i, a in enumerate(A)),
        "column 'b' has numbers with something beside them, such as '0%'",
        ("columns=a",),
    ),
    "surplus": (f"a,b\n{TWO}1,2,3\n{TWO}", "line 62: expected 2 cells between commas, found 3", ()),
    "many": (f"a,b\n{TWO}1,2,3,4,5\n", "line 62: expected 2 cells between commas, found 5", ()),
    "numbers_as_heading": (
        f"0,1\n{TWO}",
        "its line 1, '0,1', may be",
        ("heading=yes", "heading=no"),
    ),
    "wavelengths": (
        ",".join(f"{400 + i / 2}" for i in range(9)) + ("\n" + ",".join(["0.5"] * 9)) * 60,
        "its line 1, '400.0,400.5,401.0.*may be a heading",
        ("heading=yes", "heading=no"),
    ),
    "stands_for_none": (
        f"a\n{csv(A)}-9999\n{csv(A)}",
        "column 'a' has -9999 in 1 of 121 rows, far from its other numbers",
        ("gap=none", "gap=-9999,missing=fill"),
    ),
    "two_marks": (
        cells(A, [f"{b:.2f}".replace(".", ",") for b in B], heading="a;b", sep=";"),
        "column 'b' has numbers such as .* and the decimal mark of the file is a dot",
        ("columns=a",),
    ),
    "open_quotation": (f'a,b\n"1,2\n{TWO}', "found a quotation mark that is never closed", ()),
    "thousands": (
        "a;b\n" + "".join(f"1,{i % 7}{i};{i % 5}\n" for i in range(10, 70)),
        "'1,310' has a decimal comma, or a comma between thousands",
        ("decimal=,", "decimal=."),
    ),
    "half_numbers": (
        "".join(f"{i % 7},{10 + i % 80}\n" for i in range(ROWS)),
        "'0,10' is one number with a decimal comma, or two numbers",
        ("decimal=,", "decimal=."),
    ),
    "day_or_month": (
        dated("date;a", "%d/%m/%Y %H:%M:%S").replace("31/01", "03/04"),
        "'03/04/2026 00:00:00' may begin with the day or with the month",
        ("clock=none",),
    ),
    "no_column": (TWO, "has no column 'x': option 'columns' is of 1, 2", ("columns=2",)),
    "two_of_a_name": (
        f"a,a\n{TWO}",
        "has 2 columns 'a': give one of the numbers 1 and 2",
        ("columns=2",),
    ),
    "text_alone": (
        "sample,kind\n" + "1,N\n2,A\n" * 30,
        "text and clocks alone",
        ("columns=sample",),
    ),
    "quotation": (f'a,b\n1,"2\n{TWO}', "a quotation mark that is never closed", ()),
    "no_text": (f"a,b\n{TWO}\0\0\0", "found bytes that are no text", ()),
    "words_alone": ("a,b\n" + "x,y\n" * 30, "expected columns of numbers, with .* found none", ()),
    "encoding": (TWO, "option 'encoding' is the name of an encoding", ("encoding=utf-8",)),
}  # fmt: skip
GIVEN = {"no_column": "columns=x", "two_of_a_name": "columns=a", "encoding": "encoding=base64"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_be_read_in_two_ways_is_refused_and_its_remedies_work(
    tmp_path: Path, name: str
) -> None:
    text, message, remedies = REFUSED[name]
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(EdkitError, match=message) as caught:
        load(tmp_path / "a.csv", GIVEN.get(name, ""))
    assert "\n" not in str(caught.value)
    for remedy in remedies:
        data = load(tmp_path / "a.csv", remedy)
        assert len(data.splits["train"]["signal"]) > 3, remedy
        option, _, value = remedy.partition("=")
        assert option in str(caught.value)
        assert value.partition(",")[0] in str(caught.value) or name in GIVEN


def test_no_window_crosses_a_gap_of_the_clock(tmp_path: Path) -> None:
    later = np.where(np.arange(ROWS) < 20, TIME, TIME + 5)
    (tmp_path / "a.csv").write_text(csv(later, np.arange(float(ROWS)), heading="time,a"))
    data = load(tmp_path / "a.csv")
    train = data.splits["train"]
    assert train["signal"][:, 0, 0].tolist() == [0, 8, 20, 28, 36]
    np.testing.assert_allclose(train["time"], [0, 0.08, 5.2, 5.28, 5.36])
    said = block(data.input.findings)
    assert "1 of the clock, which no window crosses (clock=none)" in said
    assert "12 left out: less than a window" in said
    whole = load(tmp_path / "a.csv", "clock=none").splits["train"]
    assert whole["signal"][:, 0, 0].tolist() == [0, 8, 16, 24, 32, 40]
    early = np.where(np.arange(ROWS) < 52, TIME, TIME + 5)
    (tmp_path / "a.csv").write_text(csv(early, A, heading="time,a"))
    with pytest.raises(EdkitError, match=r"split 'test', found none: .* has 52; .*, clock=none"):
        load_data(f"signals:path={tmp_path / 'a.csv'},window=10")


def test_gaps_are_dropped_filled_or_kept(tmp_path: Path) -> None:
    rows = [f"{i * i},{i}.0" for i in range(ROWS)]
    rows[10] = "100,"
    (tmp_path / "a.csv").write_text("time,a\n" + "\n".join(rows))
    filled = load(tmp_path / "a.csv", "missing=fill").splits["train"]["signal"]
    assert filled[1, 2, 0] == pytest.approx(9 + 2 * (100 - 81) / (121 - 81))  # over time
    kept = load(tmp_path / "a.csv", "missing=mask")
    assert kept.fields["signal"].partial
    hold = np.asarray(prepared(kept, InputRecord()).splits["train"]["signal_present"])
    assert np.argwhere(hold == 0).tolist() == [[1, 2, 0]]
    dropped = load(tmp_path / "a.csv", "missing=drop")
    assert dropped.splits["train"]["signal"][:, 0, 0].tolist() == [0, 11, 19, 27, 35]
    assert "rows" in block(dropped.input.findings)


def test_labels_of_letters_and_digits_are_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("gro\u0308ße,beat\n" + csv(A).replace("\n", ",N1\n"), "utf-8")
    data = load(tmp_path / "a.csv")
    assert data.fields["signal"].shape == (8, 1)
    assert "of text: beat" in block(data.input.findings)
    assert load(tmp_path / "a.csv", "columns=größe").fields["signal"].shape == (8, 1)  # of a Mac


def test_options_keep_their_commas(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv(A, B, heading="a;b c", sep=";", mark=","))
    for text in (f"signals:{tmp_path / 'a.csv'},decimal=,,window=10", "columns=b c,a,decimal=,"):
        data = load_data(text) if text[0] == "s" else load(tmp_path / "a.csv", text)
        order = [A, B] if text[0] == "s" else [B, A]
        found = signal_of(data)
        np.testing.assert_allclose(found, np.stack(order, axis=1)[: len(found)], atol=1e-4)


@pytest.mark.parametrize("options", ["rate=8"])
def test_an_option_of_sounds_is_none_of_tables(tmp_path: Path, options: str) -> None:
    (tmp_path / "a.csv").write_text(TWO)
    with pytest.raises(EdkitError, match="option 'rate' is about WAV files"):
        load(tmp_path / "a.csv", options)


def test_files_of_other_columns_or_another_step(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv(TIME, A, B, heading="time,a,b"))
    (tmp_path / "b.csv").write_text(csv(TIME, B, A, heading="time,b,a"))
    data = load(tmp_path)
    np.testing.assert_allclose(data.splits["train"]["signal"], data.splits["test"]["signal"])
    assert "turned by their names in 1 of 2 files" in block(data.input.findings)
    (tmp_path / "b.csv").write_text(csv(TIME, B, A, heading="time,c,a"))
    with pytest.raises(EdkitError, match="expected files with the same channels; columns=a takes"):
        load(tmp_path)
    load(tmp_path, "columns=a")
    (tmp_path / "b.csv").write_text(csv(2 * TIME, A, B, heading="time,a,b"))
    with pytest.raises(EdkitError, match=r"a step of 0.02, .* 0.01: expected .* clock=none"):
        load(tmp_path)
    load(tmp_path, "clock=none")


def test_what_is_named_otherwise_is_chosen_by_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv(TIME, A, B, heading="time,a,b"))
    (tmp_path / "b.csv").write_text(csv(TIME, A, B, heading="time,A,B"))
    (tmp_path / "labels.csv").write_text("file,label\na,walk\nb,sit\n")
    with pytest.raises(EdkitError, match=r"with the same channels; columns=2,3 takes those"):
        load(tmp_path)
    data = load(tmp_path, "columns=2,3")
    np.testing.assert_allclose(signal_of(data)[:8], np.stack([A, B], axis=1)[:8], atol=1e-4)
    assert "1 left out: without numbers: labels.csv" in block(data.input.findings)
    (tmp_path / "b.csv").write_text(csv(A, B, heading="a,b"))
    with pytest.raises(EdkitError, match=r"has no clock, but 'a.csv' has a step of 0.01"):
        load(tmp_path)


def test_times_before_the_first_known_one(tmp_path: Path) -> None:
    text = csv(TIME, A, heading="time,a").replace("\n0.0000,", "\n,").replace("\n0.0100,", "\n,")
    (tmp_path / "a.csv").write_text(text)
    times = load(tmp_path / "a.csv", "missing=fill").splits["train"]["time"]
    np.testing.assert_allclose(times[:2], [0, 0.08], atol=1e-9)


def test_options_that_are_named_can_be_written(tmp_path: Path) -> None:
    for text in (
        f"a,a\n{TWO}",
        "".join(f"{d} {a:.4f}\n" for d, a in zip(dates("%F %T"), A, strict=True)),
    ):
        (tmp_path / "a.csv").write_text(text)
        for one in load(tmp_path / "a.csv").input.findings:
            if one.option:
                load(tmp_path / "a.csv", one.option)


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    when = pd.date_range("2026-01-01", periods=ROWS, freq="10ms")
    FRAME.set_index(when).assign(note="x").to_parquet(tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet")
    found = signal_of(data)
    np.testing.assert_allclose(found, np.stack([A, B], axis=1)[: len(found)], rtol=1e-6)
    np.testing.assert_allclose(np.diff(data.splits["train"]["time"]), 0.08, rtol=1e-5)
    assert "1 left out: of text: note" in block(data.input.findings)
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(EdkitError, match="expected a Parquet file, found something else"):
        load(tmp_path / "b.parquet")


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(EdkitError, match=r"pip install 'edkit\[parquet\]'"):
        load(tmp_path / "a.parquet")


def test_a_file_larger_than_the_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.write(b"a,b\n1.5,2.5\n" * 1000)
        file.truncate(2**42)
    with pytest.raises(EdkitError, match=r"would take .* GB of memory"):
        load(tmp_path / "a.csv")


NAMES = st.lists(
    st.text("abcXYZ äß_.-()'#;", min_size=1, max_size=8)
    .map(lambda name: name.strip().lstrip("#"))
    .filter(lambda name: name.strip(" ;")),  # a mark between cells alone is no name
    min_size=1,
    max_size=4,
    unique=True,
)


@given(data=st.data(), names=NAMES)
def test_what_pandas_writes_reads_back(
    tmp_path_factory: pytest.TempPathFactory, data: Any, names: list[str]
) -> None:
    """Every number comes back, or one line says why not: no other."""
    draw = data.draw
    seed, rows = draw(st.integers(0, 2**32 - 1)), draw(st.integers(12, 30))
    random = np.random.default_rng(seed)
    size = 10.0 ** draw(st.integers(-3, 6))
    frame = pd.DataFrame({n: random.normal(size=rows) * size for n in names})
    clock = draw(st.sampled_from(["", "time", "Zeit [ms]", "dates"]))
    if clock == "dates":
        frame.insert(0, clock, pd.date_range("2026-01-01", periods=rows, freq="20ms"))
    elif clock:
        frame.insert(0, clock, np.arange(rows) / 50)
    sep, mark = draw(st.sampled_from([(",", "."), (";", ","), (";", "."), ("\t", ","), ("|", ".")]))
    index, quoting = draw(st.booleans()), draw(st.sampled_from([0, 1]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    buffer = io.StringIO()
    frame.to_csv(buffer, sep=sep, decimal=mark, index=index, quoting=quoting)
    path = tmp_path_factory.mktemp("t") / "a.csv"
    path.write_bytes(buffer.getvalue().encode(encoding))
    try:
        found = read_table(path, ReadOptions())
    except EdkitError as error:
        assert re.search(r"say (heading|decimal)=", str(error))  # noqa: PT017
        return
    (only,) = found.stretches
    assert found.names == tuple(" ".join(n.split()) for n in names)
    np.testing.assert_allclose(only.samples, frame[names].to_numpy("float32"), rtol=1e-6)
    if clock:
        first = 1767225600.0 if clock == "dates" else 0.0
        step = 0.02 / 1000 if clock == "Zeit [ms]" else 0.02
        times = only.times(np.arange(rows))
        np.testing.assert_allclose(times, first + step * np.arange(rows), rtol=1e-9, atol=1e-9)
        assert found.unit == ("" if clock == "time" else "s")
