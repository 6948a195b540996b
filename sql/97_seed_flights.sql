-- Flights: countries, their airports, and services 701 to 718 between them.
--
-- A flight is a service whose stops are airports. A country is a place that contains its airports, so "USA to
-- IND" finds every flight from an airport of the first to an airport of the second. The code of an airport is
-- IATA's; the code of a country is what people write, and the ISO 3166 code is an alias. All times of a service
-- are in its time zone, that of the origin; travellers see the local time of each airport. The cabins are small,
-- so that one person can fill one and try the waitlist. The airlines are invented; the times, distances and fares
-- (in rupees) are similar to those of real flights.

INSERT INTO places (code, name, aliases, time_zone) VALUES
    ('IND', 'India',                '{IN,Bharat}',                             'Asia/Kolkata'),
    ('USA', 'United States',        '{US,America,"United States of America"}', 'America/New_York'),
    ('UK',  'United Kingdom',       '{GB,GBR,Britain,"Great Britain"}',        'Europe/London'),
    ('UAE', 'United Arab Emirates', '{AE,ARE,Emirates}',                       'Asia/Dubai'),
    ('SGP', 'Singapore',            '{SG}',                                    'Asia/Singapore')
ON CONFLICT DO NOTHING;

INSERT INTO places (code, name, aliases, part_of, time_zone) VALUES
    ('DEL', 'Delhi Airport',         '{"Indira Gandhi Airport"}',   'IND', 'Asia/Kolkata'),
    ('BOM', 'Mumbai Airport',        '{"Bombay Airport"}',          'IND', 'Asia/Kolkata'),
    ('BLR', 'Bengaluru Airport',     '{"Bangalore Airport"}',       'IND', 'Asia/Kolkata'),
    ('MAA', 'Chennai Airport',       '{"Madras Airport"}',          'IND', 'Asia/Kolkata'),
    ('JFK', 'New York JFK',          '{"New York"}',                'USA', 'America/New_York'),
    ('SFO', 'San Francisco Airport', '{"San Francisco"}',           'USA', 'America/Los_Angeles'),
    ('LHR', 'London Heathrow',       '{London,Heathrow}',           'UK',  'Europe/London'),
    ('DXB', 'Dubai Airport',         '{Dubai}',                     'UAE', 'Asia/Dubai'),
    ('SIN', 'Singapore Changi',      '{Changi}',                    'SGP', 'Asia/Singapore')
ON CONFLICT DO NOTHING;

-- The drawings have no driver: the first row is at the front.
INSERT INTO layouts (name, drawing) VALUES
('cabin 4', 's.s
s.s'),
('cabin 6', 's.s
s.s
s.s'),
('cabin 9', 's.ss
s.ss
s.ss')
ON CONFLICT DO NOTHING;

-- Adds a flight; the parameters are what differs between flights. The function exists in this session only.
CREATE FUNCTION pg_temp.add_flight(bus_id bigint, name text, operator text, time_zone text, layout text, stops text)
RETURNS boolean
LANGUAGE sql
RETURN api.add_service(
    bus_id => bus_id, name => name, operator => operator, kind => 'flight', time_zone => time_zone,
    layout => layout, stops => stops, runs_on => 'daily', sales_days => 330, phone_required => false,
    nouns => '{"service": "flight", "seat": "seat"}');

-- United States – India
SELECT pg_temp.add_flight(701, 'AS 701', 'Atlantic Star', 'America/New_York', 'cabin 4', $$
    JFK | -     | 10:00 |     0 |     0
    DEL | 24:05 | -     | 11760 | 62000
$$);
SELECT pg_temp.add_flight(702, 'AS 702', 'Atlantic Star', 'Asia/Kolkata', 'cabin 4', $$
    DEL | -     | 02:30 |     0 |     0
    JFK | 18:20 | -     | 11760 | 64500
$$);

-- Via London: each leg sells separately.
SELECT pg_temp.add_flight(703, 'AS 703', 'Atlantic Star', 'America/New_York', 'cabin 6', $$
    JFK | -     | 21:30 |     0 |     0
    LHR | 28:25 | 30:15 |  5540 | 34000
    BOM | 39:15 | -     | 12750 | 58500
$$);
SELECT pg_temp.add_flight(704, 'AS 704', 'Atlantic Star', 'Asia/Kolkata', 'cabin 6', $$
    BOM | -     | 07:00 |     0 |     0
    LHR | 16:45 | 18:45 |  7210 | 31000
    JFK | 26:45 | -     | 12750 | 59900
$$);

-- San Francisco – Bengaluru
SELECT pg_temp.add_flight(705, 'DW 705', 'Deccan Wings', 'America/Los_Angeles', 'cabin 9', $$
    SFO | -     | 20:40 |     0 |     0
    BLR | 37:40 | -     | 14000 | 78000
$$);
SELECT pg_temp.add_flight(706, 'DW 706', 'Deccan Wings', 'Asia/Kolkata', 'cabin 9', $$
    BLR | -     | 14:30 |     0 |     0
    SFO | 30:30 | -     | 14000 | 79500
$$);

-- United Kingdom – India
SELECT pg_temp.add_flight(707, 'TA 707', 'Thames Air', 'Europe/London', 'cabin 6', $$
    LHR | -     | 20:30 |    0 |     0
    DEL | 29:10 | -     | 6720 | 41000
$$);
SELECT pg_temp.add_flight(708, 'TA 708', 'Thames Air', 'Asia/Kolkata', 'cabin 6', $$
    DEL | -     | 13:30 |    0 |     0
    LHR | 23:15 | -     | 6720 | 43500
$$);
SELECT pg_temp.add_flight(709, 'TA 709', 'Thames Air', 'Europe/London', 'cabin 4', $$
    LHR | -     | 09:40 |    0 |     0
    BLR | 19:40 | -     | 8030 | 46000
$$);
SELECT pg_temp.add_flight(710, 'TA 710', 'Thames Air', 'Asia/Kolkata', 'cabin 4', $$
    BLR | -     | 07:10 |    0 |     0
    LHR | 17:50 | -     | 8030 | 47500
$$);

-- United States – United Kingdom
SELECT pg_temp.add_flight(711, 'TA 711', 'Thames Air', 'America/New_York', 'cabin 9', $$
    JFK | -     | 08:20 |    0 |     0
    LHR | 15:20 | -     | 5540 | 36500
$$);
SELECT pg_temp.add_flight(712, 'TA 712', 'Thames Air', 'Europe/London', 'cabin 9', $$
    LHR | -     | 11:30 |    0 |     0
    JFK | 19:30 | -     | 5540 | 37900
$$);

-- The Gulf, Singapore, and London – Mumbai via Dubai
SELECT pg_temp.add_flight(713, 'GC 713', 'Gulf Crescent', 'Asia/Kolkata', 'cabin 6', $$
    DEL | -     | 10:15 |    0 |     0
    DXB | 14:05 | -     | 2190 | 15500
$$);
SELECT pg_temp.add_flight(714, 'GC 714', 'Gulf Crescent', 'Asia/Dubai', 'cabin 6', $$
    DXB | -     | 14:30 |    0 |     0
    DEL | 17:45 | -     | 2190 | 14900
$$);
SELECT pg_temp.add_flight(715, 'DW 715', 'Deccan Wings', 'Asia/Kolkata', 'cabin 6', $$
    MAA | -     | 23:05 |    0 |     0
    SIN | 27:25 | -     | 2910 | 17200
$$);
SELECT pg_temp.add_flight(716, 'DW 716', 'Deccan Wings', 'Asia/Singapore', 'cabin 6', $$
    SIN | -     | 09:00 |    0 |     0
    MAA | 13:15 | -     | 2910 | 16800
$$);
SELECT pg_temp.add_flight(717, 'GC 717', 'Gulf Crescent', 'Europe/London', 'cabin 9', $$
    LHR | -     | 14:00 |    0 |     0
    DXB | 21:00 | 22:30 | 5480 | 27500
    BOM | 25:35 | -     | 7410 | 39500
$$);
SELECT pg_temp.add_flight(718, 'GC 718', 'Gulf Crescent', 'Asia/Kolkata', 'cabin 9', $$
    BOM | -     | 04:20 |    0 |     0
    DXB | 07:40 | 09:30 | 1930 | 13200
    LHR | 17:15 | -     | 7410 | 40500
$$);

DROP FUNCTION pg_temp.add_flight;
