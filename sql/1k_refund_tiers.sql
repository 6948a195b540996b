-- Refunds by the time before departure.

INSERT INTO migrations (name) VALUES ('1k_refund_tiers');

-- [{hours, percent}], in descending order of hours, as in the document of the service. NULL: refund_percent applies.
ALTER TABLE bus_info ADD COLUMN refund_tiers jsonb;

-- The tiers of the service when the ticket was sold. NULL: refund_percent applies.
ALTER TABLE passengers ADD COLUMN refund_tiers jsonb;
