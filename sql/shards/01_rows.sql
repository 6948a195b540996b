-- The functions of sql/ that return rows of the services of this database. In the database of the proxy, they return the rows of every
-- shard, and the functions that call them sum the rows, or put them in order.
CREATE OR REPLACE FUNCTION shards.row_functions() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN '{account_rows,assigned_rows,assignment_rows,currency_rows,payment_rows,refund_rows,sales_rows}'::text[];

-- The functions of which the proxy merges the rows of each shard that is not away; a shard that is away is left out.
CREATE OR REPLACE FUNCTION shards.list_functions() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN '{connections,found_dates,found_trips,last_dates}'::text[];
