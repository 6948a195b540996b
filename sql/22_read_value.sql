-- Values in the document of a service: what is valid, and in which form a document has it.

-- Each kind of value: the pattern of its text, and what it takes, in words. A number or a boolean may be written as a text too.
-- Currencies: list one of ISO 4217, of 2026, without metals, units of account and codes for tests.
CREATE OR REPLACE FUNCTION api.value_kinds() RETURNS TABLE (kind text, pattern text, takes text)
LANGUAGE sql IMMUTABLE AS $$
    VALUES
    ('name',       '^[^\x01-\x1f\x7f-\x9f]{1,80}$',       'a text of up to 80 characters on one line'),
    ('identity',   '^[^\x01-\x1f\x7f-\x9f]{1,200}$',      'a text of up to 200 characters on one line'),
    ('word',       '^[^\x01-\x1f\x7f-\x9f]{1,20}$',       'a word of up to 20 characters'),
    ('label',      '^[^\x01-\x1f\x7f-\x9f]{1,40}$',       'a name of up to 40 characters on one line'),
    ('bus_type',   '^(SLEEPER|SEMI_SLEEPER|SEATER)$',     'SLEEPER, SEMI_SLEEPER or SEATER'),
    ('flag',       '^(true|false)$',                      'true or false'),
    ('code',       '^[A-Z0-9-]{2,16}$',                   'a code of 2 to 16 characters of A-Z, 0-9 and -, such as CKPT'),
    ('currency',
     '^(AED|AFN|ALL|AMD|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BHD|BIF|BMD|BND|BOB|BOV|BRL|BSD|BTN|BWP|'
     'BYN|BZD|CAD|CDF|CHE|CHF|CHW|CLF|CLP|CNY|COP|COU|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|'
     'ETB|EUR|FJD|FKP|GBP|GEL|GHS|GIP|GMD|GNF|GTQ|GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|'
     'JMD|JOD|JPY|KES|KGS|KHR|KMF|KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|LRD|LSL|LYD|MAD|MDL|MGA|MKD|'
     'MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|MXV|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|'
     'PKR|PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SVC|SYP|'
     'SZL|THB|TJS|TMT|TND|TOP|TRY|TTD|TWD|TZS|UAH|UGX|USD|USN|UYI|UYU|UYW|UZS|VED|VES|VND|VUV|'
     'WST|XAF|XCD|XCG|XOF|XPF|YER|ZAR|ZMW|ZWG)$',
     'a currency of ISO 4217, such as INR'),
    ('amount',     '^[0-9]{1,8}(\.[0-9]{1,4})?$',         'an amount of money, such as 520.00'),
    ('percent',    '^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)$', 'a percentage, 0 to 100, such as 50'),
    ('surcharge',  '^-?[0-9]{1,8}(\.[0-9]{1,4})?$',       'an amount of money, such as 52.00 or -30'),
    ('surcharge_percent', '^-?[0-9]{1,3}(\.[0-9]{1,2})?$', 'a percentage, such as 20 or -12.5'),
    ('age',        '^[0-9]{1,3}$',                        'an age in years'),
    ('hours',      '^(0|[1-9][0-9]{0,3})$',               'a number of hours, from 0 on'),
    ('answer_hours', '^([1-9][0-9]?|1[0-5][0-9]|16[0-8])$', 'a number of hours, 1 to 168'),
    ('near_hours', '^(0|[1-9][0-9]?|1[0-5][0-9]|16[0-8])$', 'a number of hours, 0 to 168'),
    ('payment',    '^(none|manual|stripe)$',               'none, manual or stripe'),
    ('payment_minutes', '^([1-9][0-9]{1,3}|1[0-9]{4}|20[01][0-9]{2}|201[0-5][0-9]|20160)$', 'a number of minutes, 10 to 20160'),
    ('kilometres', '^[0-9]{1,6}(\.[0-9])?$',              'kilometres from the first stop, such as 102.5'),
    ('length',     '^[0-9]{1,6}(\.[0-9])?$',              'a length in kilometres, such as 50'),
    ('time',       '^([0-9]{1,4}d )?[0-9]{1,4}:[0-5][0-9]$',
     'a time since the travel date began, such as 23:40, 24:25 on the next day, or 5d 14:00'),
    ('duration',   '^(-?[0-9]{1,4} (minute|hour|day)s?)( -?[0-9]{1,4} (minute|hour|day)s?)*$',
     'a duration, such as 30 minutes or 16 hours'),
    ('date',       '^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', 'a date, YYYY-MM-DD'),
    ('number',     '^[1-9][0-9]{0,3}$',                   'a number from 1 on'),
    ('seats',      '^([1-9][0-9]?|100)$',                 'a number of seats, 1 to 100'),
    ('transfers',  '^(0|[1-9][0-9]{0,2})$',               'a number of transfers, from 0 on'),
    ('parties',    '^(0|[1-9][0-9]{0,5})$',               'a number of parties, from 0 on'),
    ('days',       '^([1-9][0-9]?|[1-6][0-9]{2}|7[0-2][0-9]|730)$', 'a number of days, 1 to 730'),
    ('weekdays',   '',                                    'daily, never, or weekdays such as Mon Wed Fri or Mon-Fri'),
    ('place',      '',                                    'the name, code or alias of a place'),
    ('time_zone',  '',                                    'a time zone, such as Asia/Kolkata or Europe/London'),
    ('layout',     '',                                    'the name of a layout, or a drawing of the seats, a line for each row')
$$;

-- Read a value of a document. canonical: the value as a document has it; NULL if it is invalid. fault: why it is invalid.
-- takes: what is valid.
CREATE OR REPLACE FUNCTION api.read_value(value jsonb, kind text, OUT canonical jsonb, OUT fault text, OUT takes text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    text CONSTANT text := api.plain_spaces(value #>> '{}');
    k    record;
BEGIN
    SELECT * INTO k FROM api.value_kinds() AS v WHERE v.kind = read_value.kind;
    takes := k.takes;
    IF jsonb_typeof(value) IN ('object', 'array') OR text = '' OR text !~ k.pattern
       OR kind = 'date' AND right(text, 2)::int > extract(day FROM (left(text, 7) || '-01')::date + interval '1 month -1 day') THEN
        fault := format('%s is not %s.', CASE WHEN jsonb_typeof(value) = 'string' THEN api.quoted(left(text, 80)) ELSE left(value::text, 80) END, k.takes);
        RETURN;
    END IF;
    CASE kind
        WHEN 'flag' THEN canonical := text::jsonb;
        WHEN 'number', 'seats', 'transfers', 'parties', 'days', 'age', 'hours', 'answer_hours', 'near_hours', 'payment_minutes' THEN canonical := to_jsonb(text::int);
        WHEN 'amount', 'surcharge' THEN canonical := to_jsonb(text);   -- api.with_amounts writes it with the decimals of the currency
        WHEN 'percent', 'surcharge_percent', 'kilometres', 'length' THEN canonical := to_jsonb(trim_scale(text::numeric)::text);
        WHEN 'time' THEN canonical := to_jsonb(api.format_time(text::interval));
        WHEN 'duration' THEN canonical := to_jsonb(api.format_duration(text::interval));
        WHEN 'weekdays' THEN SELECT to_jsonb(api.format_weekdays(w.days)), w.fault INTO canonical, fault FROM api.read_weekdays(text) AS w;
        WHEN 'place' THEN SELECT to_jsonb(p.called), p.fault INTO canonical, fault FROM api.read_place(text) AS p;
        WHEN 'layout' THEN SELECT to_jsonb(l.layout), l.fault INTO canonical, fault FROM api.read_layout(text) AS l;
        WHEN 'time_zone' THEN
            -- pg_timezone_names reads hundreds of files, so that of a place or another service is accepted without it
            canonical := (SELECT to_jsonb(text) WHERE EXISTS (SELECT FROM places p WHERE p.time_zone = text)
                OR EXISTS (SELECT FROM bus_info b WHERE b.time_zone = text)
                OR EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = text));
            fault := CASE WHEN canonical IS NULL THEN
                format('There is no time zone %s. Write it as in Asia/Kolkata or Europe/London.', api.quoted(text)) END;
        ELSE canonical := to_jsonb(text);
    END CASE;
END $$;

-- The place with a name, code or alias. called: as a document names it.
CREATE OR REPLACE FUNCTION api.read_place(written text, OUT called text, OUT fault text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    meant places[] := ARRAY(SELECT m FROM api.places_meant(written) AS m WHERE api.is_called(m, written));
BEGIN
    IF cardinality(meant) = 1 THEN
        called := api.place_in_document(meant[1]);
    ELSIF cardinality(meant) > 1 THEN
        fault := format('Several places are called %s: %s. Write the code instead of the name.', api.quoted(written), api.list_places(meant));
    ELSE
        fault := (api.refusal_unknown_place(written) ->> 'message') || ' Add a new place first (put_place).';
    END IF;
END $$;

-- A layout by its name or as a drawing. layout: as a document has it.
CREATE OR REPLACE FUNCTION api.read_layout(written text, OUT layout text, OUT fault text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    drawing CONSTANT text := api.plain_spaces(coalesce((SELECT l.drawing FROM layouts l WHERE l.name = written), written));
BEGIN
    IF drawing ~ '^[^\n]*[ \d][^\n]*$' THEN    -- a name: no row of a drawing has a space or a digit
        fault := format('No layout is called %s. %s', api.quoted(written), coalesce('Similar names: ' || (
                SELECT string_agg(format('"%s"', l.name), ', ' ORDER BY similarity(l.name, written) DESC, l.name)
                FROM layouts l WHERE similarity(l.name, written) >= 0.3) || '.',
            'List the layouts with SELECT name FROM layouts, or write a drawing instead of a name.'));
    ELSE
        fault := api.layout_fault(drawing);
        layout := CASE WHEN fault IS NULL THEN api.layout_in_document(drawing) END;
    END IF;
END $$;
