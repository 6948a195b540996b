-- When a ticket got its seat. The rooms of a hotel's guest are listed in this order, and a change of rooms moves the first.

INSERT INTO migrations (name) VALUES ('1g_seated_at');

ALTER TABLE passengers ADD COLUMN moved_at timestamptz;   -- when change_seat gave the ticket its seat; NULL: it did not
