-- A ticket keeps the terms under which it was sold, including those for alighting early.

INSERT INTO migrations (name) VALUES ('17_alight_refunds');

-- alight_refunds[n]: the refund if the passenger alights n legs after the boarding stop, by the fares and the
-- alight_refund_percent of the time of the sale. A missing element means 0. NULL for a ticket that was sold before the
-- column was added, until api.alight_at sets it.
ALTER TABLE passengers ADD COLUMN alight_refunds numeric(10,2)[];
