-- Read the document of a service that a caller wrote: its fields as api.service shows them, and its faults.

-- The fields of the document. list: the field that is a list of objects with this field; '' if this field is not in one.
-- kind: of api.value_kinds, with [] a list of such values; 'list', of objects; 'nouns', an object. A new field needs a row here, a
-- field in api.service, and its column in api.write_service.
CREATE OR REPLACE FUNCTION api.service_fields() RETURNS TABLE (list text, field text, kind text, "null" boolean)
LANGUAGE sql IMMUTABLE AS $$
    VALUES
    ('', 'kind', 'word', false), ('', 'name', 'name', false), ('', 'operator', 'name', false),
    ('', 'bus_type', 'bus_type', true), ('', 'ac', 'flag', true), ('', 'layout', 'layout', false),
    ('', 'currency', 'currency', false), ('', 'source_id', 'identity', true), ('', 'time_zone', 'time_zone', false),
    ('', 'stops', 'list', false),
        ('stops', 'place', 'place', false), ('stops', 'arrives', 'time', true), ('stops', 'departs', 'time', true),
        ('stops', 'km', 'kilometres', false), ('stops', 'fare', 'amount', false),
    ('', 'repeat_legs', 'number', true),
    ('', 'segment_fares', 'list', false),
        ('segment_fares', 'from_stop', 'number', false), ('segment_fares', 'to_stop', 'number', false),
        ('segment_fares', 'fare', 'amount', false),
    ('', 'runs_on', 'weekdays', false), ('', 'first_date', 'date', true), ('', 'last_date', 'date', true),
    ('', 'seasons', 'list', false),
        ('seasons', 'first_date', 'date', false), ('seasons', 'last_date', 'date', false),
        ('seasons', 'runs_on', 'weekdays', false),
    ('', 'days_off', 'date[]', false), ('', 'extra_days', 'date[]', false), ('', 'sales_days', 'days', false),
    ('', 'sells_until', 'duration', false), ('', 'refund_percent', 'percent', false),
    ('', 'refund_tiers', 'list', false),
        ('refund_tiers', 'hours', 'hours', false), ('refund_tiers', 'percent', 'percent', false),
    ('', 'alight_refund_percent', 'percent', false), ('', 'max_seats', 'seats', false), ('', 'queue_limit', 'parties', false),
    ('', 'phone_required', 'flag', false),
    ('', 'nouns', 'nouns', false), ('nouns', 'service', 'word', false), ('nouns', 'seat', 'word', false),
    ('', 'seat_classes', 'list', false),
        ('seat_classes', 'name', 'label', false), ('seat_classes', 'seats', 'number[]', false),
        ('seat_classes', 'percent', 'surcharge_percent', true), ('seat_classes', 'amount', 'surcharge', true),
    ('', 'fare_rules', 'list', false),
        ('fare_rules', 'name', 'label', false), ('fare_rules', 'runs_on', 'weekdays', true),
        ('fare_rules', 'first_date', 'date', true), ('fare_rules', 'last_date', 'date', true),
        ('fare_rules', 'percent', 'surcharge_percent', true), ('fare_rules', 'amount', 'surcharge', true),
    ('', 'concessions', 'list', false),
        ('concessions', 'name', 'label', false), ('concessions', 'percent', 'surcharge_percent', true),
        ('concessions', 'amount', 'surcharge', true), ('concessions', 'min_age', 'age', true),
        ('concessions', 'max_age', 'age', true), ('concessions', 'seat', 'flag', true),
    ('', 'blocked_seats', 'number[]', false), ('', 'women_seats', 'number[]', false), ('', 'accessible_seats', 'number[]', false),
    ('', 'shortest_segment_km', 'length', true), ('', 'short_segments_open', 'duration', true),
    ('', 'max_seats_per_account', 'seats', true),
    ('', 'exchange_fee', 'amount', false), ('', 'exchange_until', 'duration', true),
    ('', 'max_transfers', 'transfers', false), ('', 'no_show_sells', 'flag', false),
    ('', 'offer_hours', 'answer_hours', false), ('', 'alternative_hours', 'near_hours', false),
    ('', 'whole_refund_delay', 'duration', true),
    ('', 'payment', 'payment', false), ('', 'payment_minutes', 'payment_minutes', false)
$$;

-- Read an object of a document: the document itself, an element of the list that `list` names, or nouns. path: in front of its
-- fields in faults. An invalid value is null in what is read. In an element of a list, a field that may be null is left out if it is.
CREATE OR REPLACE FUNCTION api.read_fields(written jsonb, list text, path text, OUT read jsonb, OUT faults jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    f     record;
    part  record;
    value jsonb;
BEGIN
    read := '{}';
    faults := '[]';
    IF jsonb_typeof(written) <> 'object' THEN
        faults := api.fault(rtrim(path, '.'), format('It is not an object with the fields %s.', (
            SELECT string_agg(s.field, ', ') FROM api.service_fields() AS s WHERE s.list = read_fields.list)));
        RETURN;
    END IF;
    FOR f IN SELECT coalesce(s.field, w.key) AS field, s.kind, s."null"
             FROM (SELECT * FROM ROWS FROM (api.service_fields()) WITH ORDINALITY AS k (list, field, kind, "null", n)
                   WHERE k.list = read_fields.list) AS s
             FULL JOIN jsonb_object_keys(written) AS w (key) ON w.key = s.field
             WHERE w.key IS NOT NULL OR read_fields.list <> '' ORDER BY s.n LOOP
        value := coalesce(written -> f.field, 'null');
        IF f.kind IS NULL THEN
            faults := faults || api.fault(path || f.field, format('There is no field %s. %s', api.quoted(f.field), (
                SELECT 'The fields are: ' || string_agg(s.field, ', ') || '.' FROM api.service_fields() AS s WHERE s.list = read_fields.list)));
        ELSIF value = 'null' THEN
            IF list = '' OR NOT f."null" THEN
                read := read || jsonb_build_object(f.field, CASE WHEN f.kind ~ '^list$|\[]$' THEN '[]'::jsonb END);
            END IF;
            IF NOT f."null" THEN
                faults := faults || api.fault(path || f.field, CASE WHEN written ? f.field THEN 'It cannot be null.' ELSE 'It is missing.' END);
            END IF;
        ELSE
            IF f.kind ~ '^list$|\[]$' THEN
                SELECT * INTO part FROM api.read_list(value, f.field, path || f.field, rtrim(f.kind, '[]')) AS l;
            ELSIF f.kind = 'nouns' THEN
                SELECT * INTO part FROM api.read_fields(value, f.kind, f.field || '.') AS n;
            ELSE
                SELECT v.canonical AS read, CASE WHEN v.fault IS NULL THEN '[]' ELSE api.fault(path || f.field, v.fault, v.takes) END AS faults
                INTO part FROM api.read_value(value, f.kind) AS v;
            END IF;
            read := read || jsonb_build_object(f.field, part.read);
            faults := faults || part.faults;
        END IF;
    END LOOP;
END $$;

-- Read a list of a document: of objects ('list'), or of values of a kind.
CREATE OR REPLACE FUNCTION api.read_list(written jsonb, list text, path text, kind text, OUT read jsonb, OUT faults jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    element record;
    part    record;
    parts   jsonb[] := '{}';   -- to append to an array takes constant time, to jsonb not
BEGIN
    read := '[]';
    faults := '[]';
    IF jsonb_typeof(written) <> 'array' THEN
        faults := api.fault(path, 'It is not a list.');
        RETURN;
    END IF;
    FOR element IN SELECT e.value, format('%s[%s]', read_list.path, e.n - 1) AS path
                   FROM jsonb_array_elements(written) WITH ORDINALITY AS e (value, n) ORDER BY e.n LOOP
        IF kind = 'list' THEN
            SELECT * INTO part FROM api.read_fields(element.value, list, element.path || '.') AS r;
        ELSE
            SELECT v.canonical AS read, CASE WHEN v.fault IS NULL THEN '[]' ELSE api.fault(element.path, v.fault, v.takes) END AS faults
            INTO part FROM api.read_value(element.value, kind) AS v;
        END IF;
        parts := array_append(parts, part.read);
        faults := faults || part.faults;
    END LOOP;
    read := to_jsonb(parts);
END $$;
