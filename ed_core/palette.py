"""Class colours of the figures and the window."""

from collections.abc import Sequence

from PIL import ImageColor

CLASSES = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
    "#1a1e24",
    "#bfae00",
    "#7f4fc9",
    "#8a9199",
)
"""Ten colours that the colour-blind can tell apart, on white.

Okabe & Ito (2008), black and yellow darkened for a white page, and two more.
"""


def class_colour(number: int, own: Sequence[str] = (), colours: Sequence[str] = CLASSES) -> str:
    """Return the colour of a class: its own where it has one, else that of the palette.

    From the eleventh class on the palette comes again in pale, from the twenty-first in dark. An
    own colour that is none is not used: it comes out of a file.

    Args:
        number: of the class, from 0.
        own: colours that the data set has for its classes.
        colours: the palette.
    """
    if number < len(own) and is_colour(own[number]):
        return own[number]
    rounds, place = divmod(number, len(colours))
    towards = ("", "white", "black")[rounds % 3]
    return blend(colours[place], towards, 0.5) if towards else colours[place]


def blend(colour: str, other: str, share: float) -> str:
    """Return a colour, as #rrggbb, with a share of another mixed in."""
    pairs = zip(rgb(colour), rgb(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green, blue in 0..255 of a colour by name or as #rrggbb; else ValueError."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def is_colour(text: str) -> bool:
    """Tell whether a text is a colour by name or as #rrggbb."""
    try:
        rgb(text)
    except ValueError:
        return False
    return True
