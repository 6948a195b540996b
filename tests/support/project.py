"""Paths of the checkout and of the timetable that most tests use."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TIMETABLE = Path(__file__).parent / "timetable.sql"
