"""Cursor of the window: one frame, and whether it stays, plays or follows. No Qt here."""

from enum import Enum


class Playback(Enum):
    """Mode in which the cursor moves."""

    PAUSED = "paused"
    PLAYING = "playing"
    FOLLOWING = "following"


class Cursor:
    """Cursor on one frame of a run that may be growing.

    Only `follow` enters FOLLOWING, any move by hand leaves it, and `toggle` never enters it: a
    scrub that snaps back to the newest frame would fight the user.

    Attributes:
        frame: the frame that is shown, -1 while there is none.
        count: how many frames there are.
        live: whether the run is still growing.
        playback: what moves the cursor.
        loop: first and last frame of the range in which playing repeats, or None.
    """

    def __init__(self) -> None:
        self.frame = -1
        self.count = 0
        self.live = False
        self.playback = Playback.PAUSED
        self.loop: tuple[int, int] | None = None

    @property
    def last(self) -> int:
        """The newest frame, -1 if there is none."""
        return self.count - 1

    @property
    def following(self) -> bool:
        """Whether it stays with the newest frame."""
        return self.playback is Playback.FOLLOWING

    def grow(self, count: int, live: bool) -> bool:
        """Take note of how many frames there are now, and whether more will come.

        Returns:
            Whether anything of the cursor is other than before.
        """
        before = (self.frame, self.count, self.playback)
        first_look = self.frame < 0
        self.count = max(count, 0)
        self.live = live
        if self.following or first_look:
            self.frame = self.last
        self.frame = min(self.frame, self.last)
        if self.loop and self.loop[1] > self.last:  # replaced by a shorter run
            self.loop = None
        if self.following and not live:
            self.playback = Playback.PAUSED
        return before != (self.frame, self.count, self.playback)

    def scrub(self, frame: int) -> None:
        """Go to a frame, held within the run; playing goes on from there."""
        if self.following:
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
        if self.loop and not self.loop[0] <= self.frame <= self.loop[1]:
            self.frame = self.loop[0]
        elif not self.loop and self.frame >= self.last and not self.live:
            self.frame = min(self.last, 0)
        self.playback = Playback.PLAYING

    def advance(self, frames: int = 1) -> None:
        """Play on; at the end of a live run wait for more, of a finished one pause.

        In a loop the last frame is always shown before the first comes again.
        """
        if self.playback is not Playback.PLAYING:
            return
        if self.loop and self.loop[0] <= self.frame <= self.loop[1]:
            first, last = self.loop
            self.frame = first if self.frame == last else min(self.frame + frames, last)
            return
        self.frame = min(self.frame + frames, self.last)
        if self.frame >= self.last and not self.live:
            self.playback = Playback.PAUSED

    def set_loop(self, one: int, other: int) -> None:
        """Repeat between two frames, in either order; the same one twice ends the loop."""
        first, last = (min(max(frame, 0), self.last) for frame in sorted((one, other)))
        self.loop = (first, last) if first < last else None

    def loop_from(self) -> bool:
        """Begin the loop at this frame; it ends where it did, or at the newest frame.

        Returns whether there is a frame to end at; if not, the loop stays as it is.
        """
        if self.frame >= self.last:
            return False
        later = self.loop is not None and self.loop[1] > self.frame
        self.set_loop(self.frame, self.loop[1] if self.loop and later else self.last)
        return True

    def loop_to(self) -> bool:
        """End the loop at this frame; it begins where it did, or at the first frame.

        Returns whether there is a frame to begin at; if not, the loop stays as it is.
        """
        if self.frame <= 0:
            return False
        earlier = self.loop is not None and self.loop[0] < self.frame
        self.set_loop(self.loop[0] if self.loop and earlier else 0, self.frame)
        return True
