"""The lines of the console on narrow terminals."""

from busware.server.console.prompt import wrapped


def test_long_lines_are_broken_between_words() -> None:
    line = "  bus 101  07:00  Bengaluru to Mysuru: 12 booked, 0 held, 3 waiting, 40 seats (cancelled)"
    assert wrapped(line, 60).split("\n") == [
        "  bus 101  07:00  Bengaluru to Mysuru: 12 booked, 0 held, 3",
        "    waiting, 40 seats (cancelled)",
    ]
    assert wrapped(f"a\n{line}", 120) == f"a\n{line}"
