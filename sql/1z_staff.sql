-- Staff accounts are those of agents, operators and admins. They can be disabled, and each change of one is recorded.

INSERT INTO migrations (name) VALUES ('1z_staff');

ALTER TABLE accounts ADD COLUMN active boolean NOT NULL DEFAULT true;
-- The index has few rows, and the table has a row for each account.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX accounts_of_staff ON accounts (username) WHERE role <> 'traveller';

-- What accounts of operators and admins have changed of staff accounts. What the owner of the database changes is not recorded.
-- Usernames are no foreign keys: an account may be renamed, and the record stays.
CREATE TABLE staff_changes (
    change_no       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    username        text NOT NULL,                     -- of the account that was changed
    at              timestamptz NOT NULL,
    account         text NOT NULL,                     -- that changed it
    changes         jsonb NOT NULL                     -- the new values of its fields; no password
);
CREATE INDEX staff_changes_of ON staff_changes (username, change_no);
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE ON staff_changes FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
