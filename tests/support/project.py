"""Where things are: the checkout that holds these tests, and the timetable that most of them use."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TIMETABLE = Path(__file__).parent / "timetable.sql"
