-- The shortest delay for which a passenger may ask for a refund of the whole fare.

INSERT INTO migrations (name) VALUES ('1q_whole_refund_delay');

ALTER TABLE bus_info ADD COLUMN whole_refund_delay interval;   -- delay of the departure from the boarding stop; NULL: no delay gives this right
