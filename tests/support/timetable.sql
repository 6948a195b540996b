-- The timetable of the tests: two small services that run daily, on sale for 14 days.
--
-- Service 1 runs by day:  1 2 _ 3 4     Service 2 runs overnight, and leaves    lower deck:  1 _ 2
--                         5 6 _ 7 8     Mysuru after midnight:                  upper deck:  3 _ 4

INSERT INTO places (code, name, aliases, part_of) VALUES
    ('KA',   'Karnataka',      '{}',             NULL),
    ('BLRU', 'Bengaluru',      '{Bangalore}',    'KA'),
    ('RMNG', 'Ramanagara',     '{Ramanagaram}',  'KA'),
    ('MNDY', 'Mandya',         '{}',             'KA'),
    ('SRPT', 'Srirangapatna',  '{Seringapatam}', 'KA'),
    ('MYSU', 'Mysuru',         '{Mysore}',       'KA'),
    ('OOTY', 'Ooty',           '{Udhagamandalam}', NULL),
    ('CHEN', 'Chennai',        '{Madras}',       NULL);       -- no service stops here

SELECT api.add_service(
    bus_id => 1, name => 'Day Bus', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, sales_days => 14, runs_on => 'daily',
    layout => '...D
ss.ss
ss.ss',
    stops => $$
        Bengaluru     | -     | 10:00 |   0 |   0
        Ramanagara    | 10:50 | 10:55 |  50 |  90
        Mandya        | 11:45 | 11:50 | 100 | 180
        Srirangapatna | 12:20 | 12:25 | 128 | 230
        Mysuru        | 12:45 | -     | 145 | 260
    $$);

SELECT api.add_service(
    bus_id => 2, name => 'Night Sleeper', operator => 'SRS Travels',
    bus_type => 'SLEEPER', ac => true, sales_days => 14, runs_on => 'daily',
    layout => 'lower:
..D
b.b
upper:
b.b',
    stops => $$
        Bengaluru | -     | 22:00 |   0 |   0
        Mandya    | 23:40 | 23:45 | 100 | 350
        Mysuru    | 00:50 | 01:00 | 145 | 500
        Ooty      | 05:30 | -     | 270 | 900.50
    $$);
