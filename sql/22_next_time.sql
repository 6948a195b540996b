-- `clock` as a time of api.instant. If it is before `after`, the same time of day on the first day on which it is not
-- before `after`: a day of the calendar if `after` has such days, else 24 hours later.
CREATE OR REPLACE FUNCTION api.next_time(after interval, clock text) RETURNS interval
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN clock::interval >= after THEN clock::interval
            ELSE clock::interval + ceil(extract(epoch FROM after - clock::interval) / 86400)
                * CASE WHEN extract(day FROM after) > 0 THEN interval '1 day' ELSE interval '24 hours' END END;
