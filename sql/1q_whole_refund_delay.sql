-- The delay from which on passengers may have their whole fare back.

INSERT INTO migrations (name) VALUES ('1q_whole_refund_delay');

ALTER TABLE bus_info ADD COLUMN whole_refund_delay interval;   -- of the departure from the boarding stop; NULL: none
