-- The exclusion constraint of passengers gets the name that the documentation uses. No function refers to it by name.

INSERT INTO migrations (name) VALUES ('16_segment_sold_once');

-- squawk-ignore renaming-object
ALTER TABLE passengers RENAME CONSTRAINT stretch_sold_once TO segment_sold_once;
