-- When a ticket got its seat. A hotel lists the rooms of a guest in this order, and changes the first of them.

INSERT INTO migrations (name) VALUES ('1g_seated_at');

ALTER TABLE passengers ADD COLUMN moved_at timestamptz;   -- when the ticket got its present seat; NULL: when it was sold
