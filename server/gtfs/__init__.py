"""Timetables in the General Transit Feed Specification (GTFS), https://gtfs.org/documentation/schedule/reference."""
