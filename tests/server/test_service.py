"""The stop of the parts of a process."""

import threading

import pytest

from busware.server import service
from busware.server.db.deadlines import Deadlines
from busware.server.settings import Settings


def test_a_part_that_does_not_stop_takes_no_time_from_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "STOP_SECONDS", 0.0)
    settings = Settings(drain_seconds=0)
    end = threading.Event()
    stuck = [("stuck part", lambda: end.wait())]
    sound = [("sound part", lambda: end.wait(0.1))]
    with pytest.raises(service.NotStopped, match=r"in time: stuck part\.$"):
        service.stop_parts([sound, stuck], Deadlines(settings), settings)  # the last group is stopped first
    end.set()
    assert "The stuck part has not stopped in time; the process ends without it." in caplog.text
