-- The theatre: a hall of five rows of five, with four performances a day, services 801 to 804.
--
-- A performance is a service with one leg, from the stop "doors" to the stop "curtain". The theatre is a place that contains
-- both stops, so a search for the theatre finds its performances. A performance sells until it begins, which is its departure
-- from the doors.

INSERT INTO places (code, name, aliases) VALUES
    ('RANGA', 'Ranga Hall', '{Theatre,Rangamandira}')
ON CONFLICT DO NOTHING;

INSERT INTO places (code, name, part_of) VALUES
    ('RANGA-DOORS',   'Ranga Hall, doors',   'RANGA'),
    ('RANGA-CURTAIN', 'Ranga Hall, curtain', 'RANGA')
ON CONFLICT DO NOTHING;

-- The first row is the one at the stage.
INSERT INTO layouts (name, drawing) VALUES
('hall 25', 'sssss
sssss
sssss
sssss
sssss')
ON CONFLICT DO NOTHING;

CREATE FUNCTION pg_temp.add_show(bus_id bigint, name text, begins text, ends text, price text)
RETURNS boolean
LANGUAGE sql
RETURN api.add_service(
    bus_id => bus_id, name => name, operator => 'Ranga Players', kind => 'show', layout => 'hall 25',
    stops => format(E'RANGA-DOORS | - | %s | 0 | 0\nRANGA-CURTAIN | %s | - | 0 | %s', begins, ends, price),
    runs_on => 'daily', max_seats => 25, phone_required => false, sales_days => 120,
    nouns => '{"service": "show", "seat": "seat"}');

SELECT pg_temp.add_show(801, 'The Clay Cart', '11:00', '13:15', '150');
SELECT pg_temp.add_show(802, 'The Clay Cart', '15:00', '17:15', '200');
SELECT pg_temp.add_show(803, 'Hayavadana',    '18:30', '20:45', '300');
SELECT pg_temp.add_show(804, 'Hayavadana',    '21:30', '23:45', '250');

DROP FUNCTION pg_temp.add_show;
