-- The tax that is included in fares: a fare is a gross amount.

-- The tax of what an operator sells at a time, by what is known now; all columns are NULL if it has none.
CREATE OR REPLACE FUNCTION api.tax_at(operator text, at timestamptz) RETURNS taxes
LANGUAGE sql STABLE
RETURN (SELECT t FROM taxes t WHERE t.operator = tax_at.operator AND t.valid_from <= tax_at.at ORDER BY t.tax_no DESC LIMIT 1);

-- The tax in an amount that includes it: amount × percent ÷ (100 + percent), rounded to the decimals of the currency, half away
-- from zero (India: CGST Rules 2017, rule 35). Without a tax it is 0.
CREATE OR REPLACE FUNCTION api.tax_in(amount numeric, percent numeric, currency text) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN coalesce(api.round_amount(amount * percent / (100 + percent), currency), 0);

-- A tax, as a field of a reply. amount: the tax in an amount.
CREATE OR REPLACE FUNCTION api.show_tax(name text, percent numeric, number text, amount numeric, currency text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN percent IS NULL THEN '{}' ELSE jsonb_build_object('tax', jsonb_build_object('name', name,
    'percent', trim_scale(percent)::text, 'number', number, 'amount', api.amount_text(amount, currency))) END;

-- The tax in the fares of the tickets of a booking, as a field of the booking. It is the tax of the time at which the tickets
-- were booked (booked_at), or of today while they are not booked.
CREATE OR REPLACE FUNCTION api.tax_of_booking(bus_id bigint, reference text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.show_tax(tax.name, tax.percent, tax.number, sum(api.tax_in(p.fare, tax.percent, s.currency)), s.currency)
    FROM passengers p JOIN bus_info s ON s.bus_id = p.bus_id
    CROSS JOIN LATERAL api.tax_at(s.operator, coalesce(p.booked_at, api.now())) AS tax
    WHERE p.bus_id = tax_of_booking.bus_id AND p.reference = tax_of_booking.reference
    GROUP BY tax.name, tax.percent, tax.number, s.currency
$$;

-- The time zone for the dates of an operator that belong to none of its services: that of most of its services.
CREATE OR REPLACE FUNCTION api.operator_time_zone(operator text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT mode() WITHIN GROUP (ORDER BY s.time_zone) FROM bus_info s WHERE s.operator = operator_time_zone.operator);
