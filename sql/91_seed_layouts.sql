-- Layouts of buses. A timetable gives the name of one, and api.add_service copies it into bus_info.layout.
--
-- A line is a row, from the driver's end to the back; "lower:" and "upper:" begin a deck. A character is a column:
-- s seat, b berth, D driver (on the right; the door is on the left), . nothing. api.layout_seats
-- (22_layout_seats.sql) reads a layout and numbers the seats. The number at the end of a name is the number of
-- seats. No deck has more than 12 rows, so that a seat map fits a screen of 24 lines. The layouts follow common
-- coaches of each type, not those of one manufacturer. An existing layout is not changed.

-- Sleepers
INSERT INTO layouts (name, drawing) VALUES
('2+1 sleeper 30', 'lower:
...D
b.bb
b.bb
b.bb
b.bb
b.bb
upper:
b.bb
b.bb
b.bb
b.bb
b.bb'),
('2+1 sleeper 36', 'lower:
...D
b.bb
b.bb
b.bb
b.bb
b.bb
b.bb
upper:
b.bb
b.bb
b.bb
b.bb
b.bb
b.bb'),
('1+1 luxury sleeper 24', 'lower:
..D
b.b
b.b
b.b
b.b
b.b
b.b
upper:
b.b
b.b
b.b
b.b
b.b
b.b')
ON CONFLICT DO NOTHING;

-- Seats and berths: a berth is as long as two rows of seats
INSERT INTO layouts (name, drawing) VALUES
('2+1 seater sleeper 40', 'lower:
...D
b.ss
..ss
b.ss
..ss
b.ss
..ss
b.ss
..ss
b.ss
..ss
upper:
b.bb
b.bb
b.bb
b.bb
b.bb'),
('2+1 seater sleeper 45', 'lower:
...D
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
upper:
b.bb
b.bb
b.bb
b.bb
b.bb')
ON CONFLICT DO NOTHING;

-- Semi-sleeper seats; most layouts have one more seat at the end of the aisle
INSERT INTO layouts (name, drawing) VALUES
('2+1 luxury 31', '...D
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
s.ss
ssss'),
('2+2 pushback 40', '....D
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss'),
('2+2 pushback 41', '....D
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
sssss'),
('2+2 pushback 45', '....D
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
sssss')
ON CONFLICT DO NOTHING;

-- Seats; the door takes the place of two seats on the left
INSERT INTO layouts (name, drawing) VALUES
('2+2 seater 39', '....D
...ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
sssss'),
('2+2 seater 43', '....D
...ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
ss.ss
sssss'),
('3+2 ordinary 54', '.....D
ss.sss
ss.sss
ss.sss
ss.sss
ss.sss
ss.sss
ss.sss
ss.sss
ss.sss
...sss
ssssss')
ON CONFLICT DO NOTHING;
