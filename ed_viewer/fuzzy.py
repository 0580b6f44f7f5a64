"""Find what was meant by a few letters of it. No Qt here."""

from collections.abc import Sequence

_START = 8  # a letter that begins a word
_NEXT = 10  # one that follows the letter before it
_GAP = 0.1  # taken off for every letter left out


def score(query: str, text: str) -> float | None:
    """Return how well the letters of a query, in their order, stand in a text; None if they do not.

    Case and blanks do not count. The best of the places where the first letter stands is taken.
    """
    letters = "".join(query.lower().split())
    if not letters:
        return 0.0
    low = text.lower()
    starts = [i for i, letter in enumerate(low) if letter == letters[0]]
    scores = [found for start in starts if (found := _from(letters, low, start)) is not None]
    return max(scores, default=None)


def rank(query: str, texts: Sequence[str]) -> list[int]:
    """Return the places of the texts that match, best first, equals in their order."""
    scores = [(score(query, text), place) for place, text in enumerate(texts)]
    found = [(-value, place) for value, place in scores if value is not None]
    return [place for _, place in sorted(found)]


def _from(letters: str, text: str, start: int) -> float | None:
    total, last = 0.0, -1
    at = start
    for letter in letters:
        at = text.find(letter, at)
        if at < 0:
            return None
        total += _START if at == 0 or not text[at - 1].isalnum() else 0
        total += _NEXT if at == last + 1 and last >= 0 else 0
        total -= _GAP * (at - last - 1) if last >= 0 else 0
        last, at = at, at + 1
    return total
