-- Functions under the names by which servers of version 0.1.0 call them. An upgrade replaces the functions
-- while such servers still run. To be deleted in the version after 0.2.0.

CREATE OR REPLACE FUNCTION api.enlist(role text, name text, before int DEFAULT NULL) RETURNS int
LANGUAGE sql
RETURN api.register_process(role, name, before);

CREATE OR REPLACE FUNCTION api.leave(process_no int) RETURNS void
LANGUAGE sql
RETURN api.unregister_process(process_no);

CREATE OR REPLACE FUNCTION api.say(
    body text, key uuid, address text, a_minute int DEFAULT 60, process_no int DEFAULT NULL,
    connection_no bigint DEFAULT NULL, line text DEFAULT NULL, face text DEFAULT '', reference text DEFAULT NULL,
    account text DEFAULT NULL
) RETURNS jsonb
LANGUAGE sql
RETURN api.send_message(body, key, address, a_minute, process_no, connection_no, line, face, reference, account);

CREATE OR REPLACE FUNCTION api.purge_requests(keep interval DEFAULT '48 hours') RETURNS int
LANGUAGE sql
RETURN api.purge_idempotency_keys(keep);
