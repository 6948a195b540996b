-- The services with which the recorded transcripts and database dumps begin. Do not change them: the recorded
-- replies depend on every statement. A transcript that needs another service adds it by an SQL entry of its own.
--
-- The services have few seats and few days on sale, because a dump contains all of them.

INSERT INTO places (code, name, aliases, part_of) VALUES
    ('KA',   'Karnataka',      '{}',             NULL),
    ('BLRU', 'Bengaluru',      '{Bangalore}',    'KA'),
    ('RMNG', 'Ramanagara',     '{Ramanagaram}',  'KA'),
    ('MNDY', 'Mandya',         '{}',             'KA'),
    ('SRPT', 'Srirangapatna',  '{Seringapatam}', 'KA'),
    ('MYSU', 'Mysuru',         '{Mysore}',       'KA'),
    ('OOTY', 'Ooty',           '{Udhagamandalam}', NULL),
    ('CHEN', 'Chennai',        '{Madras}',       NULL),       -- no service stops here
    ('RANGA', 'Ranga Hall',    '{Theatre}',      NULL),
    ('RANGA-DOORS',   'Ranga Hall, doors',   '{}', 'RANGA'),
    ('RANGA-CURTAIN', 'Ranga Hall, curtain', '{}', 'RANGA'),
    ('HOTEL', 'Brindavan House', '{Brindavan}',  NULL);

INSERT INTO places (code, name, aliases, part_of, time_zone) VALUES
    ('IND', 'India',         '{IN,Bharat}',  NULL,  'Asia/Kolkata'),
    ('USA', 'United States', '{US,America}', NULL,  'America/New_York'),
    ('DEL', 'Delhi Airport', '{Delhi}',      'IND', 'Asia/Kolkata'),
    ('JFK', 'New York JFK',  '{"New York"}', 'USA', 'America/New_York');

-- 1 2 _ 3 4
-- 5 6 _ 7 8
SELECT api.add_service(
    bus_id => 1, name => 'Day Bus', operator => 'KSRTC', bus_type => 'SEATER', ac => false, sales_days => 14,
    layout => E'...D\nss.ss\nss.ss',
    stops => $$
        Bengaluru     | -     | 10:00 |   0 |   0
        Ramanagara    | 10:50 | 10:55 |  50 |  90
        Mandya        | 11:45 | 11:50 | 100 | 180
        Srirangapatna | 12:20 | 12:25 | 128 | 230
        Mysuru        | 12:45 | -     | 145 | 260
    $$);

-- Overnight, in two decks, past midnight at Mysuru. Alighting early gives a quarter of the rest back.
SELECT api.add_service(
    bus_id => 2, name => 'Night Sleeper', operator => 'SRS Travels', bus_type => 'SLEEPER', ac => true,
    sales_days => 14, alight_refund_percent => 25,
    layout => E'lower:\n..D\nb.b\nupper:\nb.b',
    stops => $$
        Bengaluru | -     | 22:00 |   0 |   0
        Mandya    | 23:40 | 23:45 | 100 | 350
        Mysuru    | 00:50 | 01:00 | 145 | 500
        Ooty      | 05:30 | -     | 270 | 900.50
    $$);

-- One seat, and one party may wait for it.
SELECT api.add_service(
    bus_id => 3, name => 'Hill Car', operator => 'KSRTC', sales_days => 5, max_seats => 1, layout => 'D.s',
    stops => $$
        Mysuru | -     | 07:00 |   0 |   0
        Ooty   | 11:00 | -     | 125 | 700
    $$);
UPDATE bus_info SET queue_limit = 1 WHERE bus_id = 3;

-- A transcript ends this service on its third day.
SELECT api.add_service(
    bus_id => 4, name => 'Old Bus', operator => 'KSRTC', sales_days => 5, layout => 'ss.D',
    stops => $$
        Mandya | -     | 08:00 |   0 |  0
        Mysuru | 09:00 | -     |  45 | 80
    $$);

SELECT api.add_service(
    bus_id => 701, name => 'AS 701', operator => 'Atlantic Star', kind => 'flight', sales_days => 15,
    time_zone => 'America/New_York', layout => E's.s\ns.s', phone_required => false,
    nouns => '{"service": "flight", "seat": "seat"}',
    stops => $$
        JFK | -     | 10:00 |     0 |     0
        DEL | 24:05 | -     | 11760 | 62000
    $$);

SELECT api.add_service(
    bus_id => 803, name => 'Hayavadana', operator => 'Ranga Players', kind => 'show', sales_days => 6,
    layout => E'sssss\nsssss\nsssss\nsssss\nsssss', max_seats => 25, phone_required => false,
    nouns => '{"service": "show", "seat": "seat"}',
    stops => $$
        RANGA-DOORS   | -     | 18:30 | 0 |   0
        RANGA-CURTAIN | 20:45 | -     | 0 | 300
    $$);

-- One trip of 28 nights, from Monday of the week (by api.now()) in which this file is loaded.
SELECT api.add_service(
    bus_id => 901, name => 'Brindavan House', operator => 'Brindavan', kind => 'hotel',
    layout => E'ground:\nrrrrr\nfirst:\nrrrrr', runs_on => 'never', sells_until => '16 hours', max_seats => 10,
    phone_required => false, alight_refund_percent => 50, nouns => '{"service": "hotel", "seat": "room"}',
    stops => (SELECT string_agg(format('HOTEL | %s | %s | 0 | %s',
            CASE WHEN n = 0 THEN '-' ELSE n || 'd 11:00' END,
            CASE WHEN n = 28 THEN '-' ELSE n || 'd 14:00' END, n * 2400), E'\n' ORDER BY n)
        FROM generate_series(0, 28) AS n));
SELECT api.add_trip(901, date_trunc('week', api.now() AT TIME ZONE 'Asia/Kolkata')::date);
