-- Amounts of money: each has the decimals of its currency.

-- The decimals of a currency: the minor unit of ISO 4217 (list one, of 2024). A code that is not listed has two. A sale looks
-- them up, and a constant object is faster than lists of codes, for which PostgreSQL builds a hash table in each statement.
CREATE OR REPLACE FUNCTION api.currency_decimals(currency text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((jsonb '{
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0,
    "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4
}' -> currency)::int, 2);

-- An amount, rounded to the decimals of its currency, half away from zero.
CREATE OR REPLACE FUNCTION api.round_amount(amount numeric, currency text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN round(amount, api.currency_decimals(currency));

-- The decimals of what is charged. payment: of the service.
CREATE OR REPLACE FUNCTION api.charged_decimals(currency text, payment text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN payment = 'stripe' THEN least(api.currency_decimals(currency), 2) ELSE api.currency_decimals(currency) END;

-- What a service charges or refunds, rounded as its payment allows: Stripe does not charge a thousandth part of a currency. The
-- result has all decimals of the currency.
CREATE OR REPLACE FUNCTION api.round_charge(amount numeric, service bus_info) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN round(round(amount, api.charged_decimals(service.currency, service.payment)), api.currency_decimals(service.currency));

-- How much two amounts in a currency may differ because one of them was rounded for Stripe: see api.charged_decimals.
CREATE OR REPLACE FUNCTION api.rounding_step(currency text) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN api.charged_decimals(currency, 'stripe') < api.currency_decimals(currency) THEN 0.005 ELSE 0 END;

-- An amount for a program: 1300.00.
CREATE OR REPLACE FUNCTION api.amount_text(amount numeric, currency text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN api.round_amount(amount, currency)::text;

-- An amount in a message: 1,300.00, or 5.250 KWD. The messages of 0.1.0, which are published, have amounts in INR without its
-- code.
CREATE OR REPLACE FUNCTION api.format_amount(amount numeric, currency text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_char(api.round_amount(amount, currency), 'FM999,999,999,990'
        || CASE api.currency_decimals(currency) WHEN 0 THEN '' ELSE '.' || repeat('0', api.currency_decimals(currency)) END)
    || CASE WHEN currency = 'INR' THEN '' ELSE ' ' || currency END;

-- The currency of a service.
CREATE OR REPLACE FUNCTION api.currency_of(bus_id bigint) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT s.currency FROM bus_info s WHERE s.bus_id = currency_of.bus_id);
