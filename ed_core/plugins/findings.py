"""Findings of a loader: inferred facts of a file, and omitted parts."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST = 300  # characters of one text


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a loader inferred, or left out.

    Args:
        about: what it is about: a field, such as `image`, or `files`, `clock`, `split`, ...
        text: what was inferred, or what was left out and why, in plain words without a full stop.
        option: what to write to have it otherwise, such as `axes=NHWC`; "" where there is nothing.
        left_out: how many files, bands, pages, cells, ... were left out; 0 where nothing was.
    """

    about: str
    text: str
    option: str = ""
    left_out: int = 0

    @classmethod
    def from_facts(cls, facts: Any) -> "Finding | None":
        """Return the finding that `run.json` states, None where it states none."""
        if not isinstance(facts, Mapping):
            return None
        about, text, option = (facts.get(name, "") for name in ("about", "text", "option"))
        count = facts.get("left_out", 0)
        if not all(isinstance(one, str) for one in (about, text, option)):
            return None
        return cls(about, text, option, count) if isinstance(count, int) else None


class Findings:
    """What one loader found, in the order in which it is said.

    Such as `infer("image", "3 channels last", option="axes=NCHW")` and
    `leave_out("files", 2, "no images: a.txt, b.csv")`.
    """

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def infer(self, about: str, text: str, option: str = "") -> None:
        """Add what was inferred, and the option that has it otherwise."""
        self._add(Finding(about, text, option))

    def leave_out(self, about: str, count: int, text: str, option: str = "") -> None:
        """Add what was left out: how many, what and why, and the option that takes it in."""
        if count:
            self._add(Finding(about, text, option, count))

    def _add(self, finding: Finding) -> None:
        """Add a finding in one line of bounded length: file names may hold anything."""
        about, text, option = (_plain(x) for x in (finding.about, finding.text, finding.option))
        finding = Finding(about, text, option, finding.left_out)
        if finding not in self._found:
            self._found.append(finding)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def block(findings: Iterable[Finding]) -> str:
    """Return the findings as a block of lines, "" where there are none.

    What is about one thing stands together; what was left out says how many.
    """
    entries = list(findings)
    order = list(dict.fromkeys(finding.about for finding in entries))
    width = max(map(len, order), default=0)
    lines = []
    for about in order:
        for number, finding in enumerate(f for f in entries if f.about == about):
            lines.append(f"{'' if number else about:{width}}  {_said(finding)}")
    return "\n".join(lines)


def say(findings: Iterable[Finding], data: str) -> None:
    """Print the block on standard error, before anything is done with the data.

    Args:
        findings: of the loader; where there are none, nothing is printed.
        data: the data set with its options.
    """
    if lines := block(findings):
        print(f"Data {data}", *lines.splitlines(), sep="\n  ", file=sys.stderr)


def _said(finding: Finding) -> str:
    count = f"{finding.left_out:,} left out: " if finding.left_out else ""
    return f"{count}{finding.text}{f' ({finding.option})' if finding.option else ''}"


def _plain(text: str) -> str:
    line = "".join(c if c.isprintable() else "�" for c in " ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def read_facts(stated: Any) -> tuple[Finding, ...]:
    """Return the findings that `run.json` states; what is none is passed over."""
    if not isinstance(stated, Sequence) or isinstance(stated, str):
        return ()
    return tuple(entry for entry in map(Finding.from_facts, stated) if entry is not None)
