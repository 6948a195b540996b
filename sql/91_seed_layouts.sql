-- Drawings of buses, for timetables to name: api.add_service copies one into bus_info.layout.
--
-- A line is a row, from the driver's end to the back; "lower:" and "upper:" begin a deck. A character
-- is a column: s seat, b berth, D driver (who sits on the right, the door is on the left), . nothing.
-- api.layout_seats (22_layout.sql) reads them and numbers the seats; the number at the end of a name
-- is how many there are. No deck has more than 12 rows, so that a map fits a screen of 24 lines.
-- They are drawn after common coaches of each kind, not after one maker's plan. One that is there
-- already is left alone.

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

-- Seats that lean back, most with one more across the end of the aisle
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

-- Plain seats: the door takes two of the left-hand ones
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
