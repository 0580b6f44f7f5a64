from hypothesis import given
from hypothesis import strategies as st

from ed_viewer.session.cursor import Cursor, Playback


def live(count: int = 10) -> Cursor:
    cursor = Cursor()
    cursor.grow(count, live=True)
    return cursor


def finished(count: int = 10) -> Cursor:
    cursor = Cursor()
    cursor.grow(count, live=False)
    return cursor


def test_a_finished_run_opens_paused_at_its_last_frame() -> None:
    cursor = finished()
    assert (cursor.frame, cursor.playback) == (9, Playback.PAUSED)


def test_following_moves_with_the_run_and_ends_with_it() -> None:
    cursor = live()
    cursor.follow()
    cursor.grow(15, live=True)
    assert (cursor.frame, cursor.playback) == (14, Playback.FOLLOWING)
    cursor.grow(16, live=False)
    assert (cursor.frame, cursor.playback) == (15, Playback.PAUSED)


def test_a_scrub_leaves_following_even_to_the_last_frame() -> None:
    cursor = live()
    cursor.follow()
    cursor.scrub(9)
    assert cursor.playback is Playback.PAUSED
    cursor.grow(20, live=True)
    assert cursor.frame == 9


def test_play_at_the_end_of_a_live_run_waits_and_does_not_follow() -> None:
    cursor = live()
    cursor.toggle()
    cursor.advance()
    assert (cursor.frame, cursor.playback) == (9, Playback.PLAYING)
    cursor.grow(12, live=True)
    assert cursor.frame == 9
    cursor.advance()
    assert cursor.frame == 10


def test_play_at_the_end_of_a_finished_run_starts_over_and_pauses_there() -> None:
    cursor = finished(3)
    cursor.toggle()
    assert (cursor.frame, cursor.playback) == (0, Playback.PLAYING)
    cursor.advance(5)
    assert (cursor.frame, cursor.playback) == (2, Playback.PAUSED)


def test_scrubbing_while_playing_plays_on_from_there() -> None:
    cursor = finished()
    cursor.toggle()
    cursor.scrub(4)
    cursor.advance()
    assert (cursor.frame, cursor.playback) == (5, Playback.PLAYING)


def test_follow_on_a_finished_run_goes_to_the_end_and_stays_paused() -> None:
    cursor = finished()
    cursor.scrub(2)
    cursor.follow()
    assert (cursor.frame, cursor.playback) == (9, Playback.PAUSED)


def test_a_run_that_was_replaced_by_a_shorter_one_pulls_the_cursor_back() -> None:
    cursor = finished()
    cursor.grow(3, live=False)
    assert cursor.frame == 2


def test_playing_repeats_inside_the_loop_and_shows_its_last_frame() -> None:
    cursor = finished()
    cursor.set_loop(6, 3)
    cursor.toggle()
    seen = []
    for _ in range(6):
        seen.append(cursor.frame)
        cursor.advance(2)
    assert seen == [3, 5, 6, 3, 5, 6]
    assert cursor.playback is Playback.PLAYING


def test_a_scrub_out_of_the_loop_plays_on_to_the_end() -> None:
    cursor = finished()
    cursor.set_loop(2, 4)
    cursor.toggle()
    cursor.scrub(7)
    for _ in range(4):
        cursor.advance()
    assert (cursor.frame, cursor.playback) == (9, Playback.PAUSED)


def test_a_loop_is_set_from_its_ends_in_any_order() -> None:
    cursor = finished()
    cursor.scrub(6)
    cursor.loop_to()
    assert cursor.loop == (0, 6)
    cursor.scrub(3)
    cursor.loop_from()
    assert cursor.loop == (3, 6)
    cursor.scrub(8)
    cursor.loop_from()
    assert cursor.loop == (8, 9)
    for frame, begin in ((9, cursor.loop_from), (0, cursor.loop_to)):  # there is nothing beyond
        cursor.scrub(frame)
        assert not begin()
        assert cursor.loop == (8, 9)
    cursor.set_loop(4, 4)
    assert cursor.loop is None


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("scrub"), st.integers(-5, 40)),
        st.tuples(st.just("step"), st.integers(-12, 12)),
        st.tuples(st.just("grow"), st.integers(0, 30)),
        st.tuples(
            st.sampled_from(("toggle", "advance", "follow", "loop_from", "loop_to")), st.none()
        ),
    )
)


@given(ACTIONS, st.booleans())
def test_the_cursor_stays_within_the_run(actions: list[tuple], alive: bool) -> None:
    cursor = Cursor()
    for name, argument in actions:
        before = cursor.playback
        if name == "grow":
            cursor.grow(argument, alive)
        elif argument is None:
            getattr(cursor, name)()
        else:
            getattr(cursor, name)(argument)
        assert min(cursor.last, 0) <= cursor.frame <= cursor.last
        assert cursor.loop is None or 0 <= cursor.loop[0] < cursor.loop[1] <= cursor.last
        if cursor.playback is Playback.FOLLOWING:
            assert before is Playback.FOLLOWING or name == "follow"
            assert cursor.frame == cursor.last
