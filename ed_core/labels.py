"""Names of classes and units of values, as numbers, figures and the window write them."""

from collections.abc import Sequence

NO_LABEL = "no label"
"""What stands for the class of a sample without one."""


def class_name(classes: Sequence[str], number: int) -> str:
    """Return the name of a class, its number where it has none, `NO_LABEL` below 0."""
    if number < 0:
        return NO_LABEL
    return classes[number] if number < len(classes) else str(number)


def class_names(classes: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the name of each of so many classes."""
    return tuple(class_name(classes, number) for number in range(count))


def quantity(name: str, unit: str) -> str:
    """Return what an axis of a field says: its name, and its unit in brackets where it has one."""
    return f"{name} ({unit})" if unit else name


def with_unit(number: str, unit: str) -> str:
    """Return a number with its unit, "" for none; only of degrees the sign follows at once."""
    return f"{number}{'' if unit in ('', '°') else ' '}{unit}"
