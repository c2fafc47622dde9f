"""How often a program is started again, and when."""

from __future__ import annotations

from actors.shards.restarts import Restarts
from actors.shards.settings import SupervisionSettings

SETTINGS = SupervisionSettings(
    backoff_seconds=1.0, backoff_limit_seconds=3.0, max_restarts=5, restart_window_seconds=60.0
)


def test_the_first_restart_comes_at_once_and_the_others_ever_later() -> None:
    """The wait doubles up to its limit; one restart too many is none."""
    restarts = Restarts(SETTINGS)
    waits = [restarts.wait(float(now), was_ready=True) for now in range(6)]
    assert waits == [0.0, 1.0, 2.0, 3.0, 3.0, None]
    assert restarts.total == 5


def test_what_is_long_ago_does_not_count() -> None:
    """A program that ran for longer than the window starts afresh."""
    restarts = Restarts(SETTINGS)
    assert [restarts.wait(now, was_ready=True) for now in (0.0, 1.0, 62.0)] == [0.0, 1.0, 0.0]


def test_starts_that_come_to_nothing_count_however_long_they_take() -> None:
    """A program that is never ready again reaches the limit, however slowly it fails."""
    restarts = Restarts(SETTINGS)
    waits = [restarts.wait(100.0 * times, was_ready=times == 0) for times in range(6)]
    assert waits[-1] is None
    assert None not in waits[:-1]


def test_a_wait_is_never_beyond_its_limit() -> None:
    """However many restarts are allowed, the doubling ends."""
    settings = SupervisionSettings(max_restarts=2000, restart_window_seconds=1e9)
    restarts = Restarts(settings)
    waits = [restarts.wait(0.0, was_ready=True) for _ in range(2000)]
    assert max(waits) == settings.backoff_limit_seconds


def test_the_limit_can_be_reached_with_the_settings_as_they_are() -> None:
    """All waits up to the limit together are far shorter than the window."""
    settings = SupervisionSettings()
    restarts = Restarts(settings)
    waits = [restarts.wait(0.0, was_ready=True) for _ in range(settings.max_restarts)]
    assert sum(waits) < settings.restart_window_seconds / 4
