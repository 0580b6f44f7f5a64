"""Experiments and gains: the lines of the results table."""

from dataclasses import dataclass

ABOVE_0 = "an interval above 0"


@dataclass(frozen=True)
class Experiment:
    """One line of the table, or, without a `task`, a part of another.

    Args:
        name: what it is called on the command line and in docs/results.json.
        task: what the table calls it.
        train: the arguments of `edkit train`; `{name}` is the run of another experiment, `{item}`
            one of `items`.
        figure: the number of `edkit evaluate --json`.
        goal: what is aimed at, "at most" or "at least" a value of the figure.
        floor: a floor or a published mark.
        seeds: each is a training.
        backend: that it runs on.
        evaluate: more arguments of `edkit evaluate`.
        items: each is a training; the figure is the mean over them.
        needs: the experiments whose runs it uses.
        beside: more numbers to keep.
        also: how the table shows some of them.
        unit: how the figure is written, a format and a factor.
    """

    name: str
    task: str
    train: str
    figure: str
    goal: tuple[str, float] | None = None
    floor: str = ""
    seeds: tuple[int, ...] = (0,)
    backend: str = "tensorflow"
    evaluate: str = ""
    items: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    also: str = ""
    unit: tuple[str, float] = ("{:.2f}", 1.0)

    def shown(self, value: float) -> str:
        """Return a value as the table shows it."""
        form, factor = self.unit
        return form.format(factor * value)

    @property
    def aim(self) -> str:
        """Return the goal as the table shows it."""
        return f"{self.goal[0]} {self.shown(self.goal[1])}" if self.goal else ""

    def reached(self, value: float) -> bool:
        """Return whether a value is as good as the goal; without a goal, any is."""
        if self.goal is None:
            return True
        return value <= self.goal[1] if self.goal[0] == "at most" else value >= self.goal[1]


@dataclass(frozen=True)
class Gain:
    """The paired difference of two experiments, seed by seed.

    Args:
        task: what the table calls it.
        new: the experiment that should be better.
        old: the one it is compared with.
        goal: what is aimed at.
        scale: 100 gives percentage points.
    """

    task: str
    new: str
    old: str
    goal: str = ABOVE_0
    scale: float = 100.0
