-- The hotel: ten rooms, service 901.
--
-- A night is a stop at the house: guests check in at 14:00, and check out until 11:00 of a later day, which is
-- another stop. The service has one trip, which begins on a Monday. Its last seven legs repeat, so that its nights
-- are on sale for two years or more, and a stay is any number of them. A night sells until 06:00 of the next morning.
-- Friday and Saturday nights cost more. A guest who leaves early gets half of the fare of the remaining nights back.

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
    FROM generate_series(0, 14) AS n
)
SELECT api.add_service(
    bus_id => 901, name => 'Brindavan House', operator => 'Brindavan', kind => 'hotel', layout => 'house 10',
    stops => (SELECT string_agg(format('HOTEL | %s | %s | 0 | %s',
            CASE WHEN n = 0 THEN '-' ELSE n || 'd 11:00' END,
            CASE WHEN n = 14 THEN '-' ELSE n || 'd 14:00' END, fare), E'\n' ORDER BY n) FROM night),
    runs_on => 'never', repeat_legs => 7, sales_days => 730, sells_until => '16 hours', max_seats => 10,
    phone_required => false, refund_percent => 50, alight_refund_percent => 50,
    nouns => '{"service": "hotel", "seat": "room"}');

-- Version 0.1.0 sold 52 weeks in each of three trips, and no stay could span two of them. The later trips are deleted,
-- up to the first that has tickets or is cancelled, so that the first trip can take their place.
SELECT api.lock_trips(901, '-infinity');
WITH hotel AS (
    UPDATE bus_info SET repeat_legs = 7, sales_days = 730
    WHERE bus_id = 901 AND kind = 'hotel' AND runs_on = '{}' AND repeat_legs IS NULL
    RETURNING bus_id
), later AS (
    SELECT t.bus_id, t.travel_date, t.state = 'cancelled' OR EXISTS (SELECT FROM passengers p
        WHERE p.bus_id = t.bus_id AND p.travel_date = t.travel_date) AS stays
    FROM trips t JOIN hotel USING (bus_id) ORDER BY t.travel_date OFFSET 1
), replaced AS (
    SELECT later.bus_id, later.travel_date FROM later
    WHERE NOT EXISTS (SELECT FROM later AS kept WHERE kept.stays AND kept.travel_date <= later.travel_date)
), without_seats AS (
    DELETE FROM seats s USING replaced r WHERE s.bus_id = r.bus_id AND s.travel_date = r.travel_date
)
DELETE FROM trips t USING replaced r WHERE t.bus_id = r.bus_id AND t.travel_date = r.travel_date;

-- The trip begins on Monday of this week. Each time this file is loaded, sales open for three years from that day.
WITH today AS (SELECT (api.now() AT TIME ZONE 'Asia/Kolkata')::date AS date)
SELECT api.add_trip(901, date_trunc('week', today.date)::date) FROM today
WHERE NOT EXISTS (SELECT FROM trips WHERE bus_id = 901);

WITH today AS (SELECT (api.now() AT TIME ZONE 'Asia/Kolkata')::date AS date)
SELECT api.open_sales(s.bus_id, to_date => today.date + 1092) FROM today, bus_info s
WHERE s.bus_id = 901 AND s.repeat_legs IS NOT NULL;
