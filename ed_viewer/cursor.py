"""Where the window looks: one frame, and whether it stays, plays or follows. No Qt here."""

from enum import Enum


class Playback(Enum):
    """What moves the cursor."""

    PAUSED = "paused"
    PLAYING = "playing"
    FOLLOWING = "following"


class Cursor:
    """One frame of a run that may be growing.

    Only `follow` enters FOLLOWING, any move by hand leaves it, and `toggle` never enters it: a
    scrub that snaps back to the newest frame would fight the user.

    Attributes:
        frame: the frame that is shown, -1 while there is none.
        count: how many frames there are.
        live: whether the run is still growing.
        playback: what moves the cursor.
    """

    def __init__(self) -> None:
        self.frame = -1
        self.count = 0
        self.live = False
        self.playback = Playback.PAUSED

    @property
    def last(self) -> int:
        """The newest frame, -1 if there is none."""
        return self.count - 1

    def grow(self, count: int, live: bool) -> None:
        """Take note of how many frames there are now, and whether more will come."""
        first_look = self.frame < 0
        self.count = max(count, 0)
        self.live = live
        if self.playback is Playback.FOLLOWING or first_look:
            self.frame = self.last
        self.frame = min(self.frame, self.last)
        if self.playback is Playback.FOLLOWING and not live:
            self.playback = Playback.PAUSED

    def scrub(self, frame: int) -> None:
        """Go to a frame, held within the run; playing goes on from there."""
        if self.playback is Playback.FOLLOWING:
            self.playback = Playback.PAUSED
        self.frame = min(max(frame, min(self.last, 0)), self.last)

    def step(self, frames: int) -> None:
        """Move by hand, forwards or backwards, and stay there."""
        self.scrub(self.frame + frames)
        self.playback = Playback.PAUSED

    def follow(self) -> None:
        """Go to the newest frame, and stay with the run while it grows."""
        self.frame = self.last
        self.playback = Playback.FOLLOWING if self.live else Playback.PAUSED

    def toggle(self) -> None:
        """Play or pause; at the end of a finished run, play from its start."""
        if self.playback is not Playback.PAUSED:
            self.playback = Playback.PAUSED
            return
        if self.frame >= self.last and not self.live:
            self.frame = min(self.last, 0)
        self.playback = Playback.PLAYING

    def advance(self, frames: int = 1) -> None:
        """Play on; at the end of a live run wait for more, of a finished one pause."""
        if self.playback is not Playback.PLAYING:
            return
        self.frame = min(self.frame + frames, self.last)
        if self.frame >= self.last and not self.live:
            self.playback = Playback.PAUSED
