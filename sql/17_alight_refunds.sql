-- A ticket keeps the terms at which it was sold, also those of ending it early.

INSERT INTO migrations (name) VALUES ('17_alight_refunds');

-- alight_refunds[n]: the refund of the ticket if it ends n legs after its first stop, by the fares and the
-- alight_refund_percent when it was sold. Without an element: 0. NULL for a ticket that was sold before the column was
-- added, until api.alight_at sets it.
ALTER TABLE passengers ADD COLUMN alight_refunds numeric(10,2)[];
