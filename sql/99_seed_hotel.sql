-- The hotel: ten rooms, service 901.
--
-- A night is a stop at the house: guests check in at 14:00, and check out until 11:00 of a later day, which is
-- another stop. A season is a trip of 52 weeks that begins on a Monday. Three seasons follow each other, the
-- first from Monday of this week, and no stay spans two of them; SELECT api.add_trip(901, '…') adds another.
-- A night sells until 06:00 of the next morning. Friday and Saturday nights cost more. A guest who leaves
-- early gets half of the fare of the remaining nights back.

INSERT INTO places (code, name, aliases) VALUES
    ('HOTEL', 'Brindavan House', '{Hotel,Brindavan}')
ON CONFLICT DO NOTHING;

-- Two floors of five; the rooms are numbered from 1 to 10.
INSERT INTO layouts (name, drawing) VALUES
('house 10', 'ground:
rrrrr
first:
rrrrr')
ON CONFLICT DO NOTHING;

WITH night AS (
    SELECT n, 2400 * n + 800 * (2 * (n / 7) + greatest(n % 7 - 4, 0)) AS fare   -- of the n nights from Monday
    FROM generate_series(0, 364) AS n
)
SELECT api.add_service(
    bus_id => 901, name => 'Brindavan House', operator => 'Brindavan', kind => 'hotel', layout => 'house 10',
    stops => (SELECT string_agg(format('HOTEL | %s | %s | 0 | %s',
            CASE WHEN n = 0 THEN '-' ELSE n || 'd 11:00' END,
            CASE WHEN n = 364 THEN '-' ELSE n || 'd 14:00' END, fare), E'\n' ORDER BY n) FROM night),
    runs_on => 'never', sells_until => '16 hours', max_seats => 10, phone_required => false,
    refund_percent => 50, alight_refund_percent => 50, nouns => '{"service": "hotel", "seat": "room"}');

SELECT api.add_trip(901, monday + 364 * season)
FROM (SELECT date_trunc('week', api.now() AT TIME ZONE 'Asia/Kolkata')::date AS monday) AS week,
     generate_series(0, 2) AS season
WHERE NOT EXISTS (SELECT FROM trips WHERE bus_id = 901);
