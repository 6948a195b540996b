-- The fares of single segments move from a table of their own into the row of their first stop in route_table, as an array. Every
-- sale and search reads that row anyway. For a service without such fares, a sale only compares the array with NULL.

INSERT INTO migrations (name) VALUES ('1v_segment_fares');

ALTER TABLE route_table
    ADD COLUMN fares numeric(10,2)[],   -- element n: fare to the nth later stop; NULL: the difference of the stops' fares
    ADD CONSTRAINT fares_not_negative CHECK (0 <= ALL (fares)) NOT VALID;

UPDATE route_table r SET fares = ARRAY(
    SELECT f.fare FROM route_table b
    LEFT JOIN segment_fares f ON f.bus_id = b.bus_id AND f.from_stop = r.stop_no AND f.to_stop = b.stop_no
    WHERE b.bus_id = r.bus_id AND b.stop_no > r.stop_no ORDER BY b.stop_no)
WHERE EXISTS (SELECT FROM segment_fares f WHERE f.bus_id = r.bus_id AND f.from_stop = r.stop_no);

-- No release has used the table. The function returns rows of its type, so it is dropped first.
-- squawk-ignore ban-drop-function
DROP FUNCTION IF EXISTS api.segment_fares_in_document(jsonb);
-- squawk-ignore ban-drop-table
DROP TABLE segment_fares;
