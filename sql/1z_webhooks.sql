-- Webhooks: URLs of operators to which their events are sent (docs/webhooks.md). A delivery is a row of the outbox.

INSERT INTO migrations (name) VALUES ('1z_webhooks');

CREATE TABLE webhooks (
    webhook_no      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    operator        text NOT NULL,                     -- whose events it gets
    webhook         text NOT NULL,                     -- name
    url             text NOT NULL CHECK (url LIKE 'https://%'),
    types           text[] NOT NULL CHECK (cardinality(types) > 0),   -- such as booking.booked, booking.*, *
    active          boolean NOT NULL DEFAULT true,
    problem         text,                              -- why the server has paused it
    created_at      timestamptz NOT NULL,
    UNIQUE (operator, webhook),
    CONSTRAINT paused_is_not_active CHECK (problem IS NULL OR NOT active)
);

-- The secrets that sign deliveries: the current one, and earlier ones until valid_until.
CREATE TABLE webhook_secrets (
    webhook_no      bigint NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    secret          text NOT NULL CHECK (secret LIKE 'whsec\_%'),
    valid_until     timestamptz                        -- NULL: the current one
);
CREATE INDEX webhook_secrets_of ON webhook_secrets (webhook_no);
CREATE UNIQUE INDEX one_current_secret ON webhook_secrets (webhook_no) WHERE valid_until IS NULL;

-- Rows of the outbox that go to a webhook are claimed separately from the others, so that a receiver that does not answer delays
-- only webhooks. The table is small enough for new indexes, because finished rows are deleted after some days.
ALTER TABLE outbox ADD COLUMN webhook_no bigint;
ALTER TABLE outbox ADD CONSTRAINT outbox_webhook_no_fkey FOREIGN KEY (webhook_no) REFERENCES webhooks ON DELETE CASCADE NOT VALID;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX outbox_due;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'waiting' AND webhook_no IS NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX outbox_due_of_webhook ON outbox (webhook_no, due_at) WHERE state = 'waiting' AND webhook_no IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX outbox_of_webhook ON outbox (webhook_no, outbox_no) WHERE webhook_no IS NOT NULL;
-- At most one delivery of an event to a webhook waits.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX outbox_event_waits_once ON outbox (webhook_no, event_no) WHERE state = 'waiting' AND webhook_no IS NOT NULL;
