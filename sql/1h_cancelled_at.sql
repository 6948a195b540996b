-- When a trip was cancelled: bookings say why only if the cancellation of their trip ended a ticket.

INSERT INTO migrations (name) VALUES ('1h_cancelled_at');

ALTER TABLE trips ADD COLUMN cancelled_at timestamptz;   -- the ended_at of the tickets that its cancellation ended
