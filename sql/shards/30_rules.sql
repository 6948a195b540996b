-- The rule of each entry point of the server, and the functions that follow from a rule. A method of an entry point that has many has
-- its own rule: read.search. tests/server/shards/test_rules.py fails for an entry point without a rule.
--
--   home      is executed in the database of the proxy: accounts, sessions, rate limits, messages, processes
--   service   is executed by the shard that has the service, or the home service of the booking
--   each      is executed by each shard that is not away; the rows of all
--   merged    is executed by each shard that is not away, and the results are merged: 32_read.sql, 33_lists.sql
--   gathered  is executed here, on the rows of each shard that is not away: shards.list_functions
--   complete  is executed here, on the rows of every shard: shards.row_functions; refused while one is away, because a sum would be wrong
--   written   is written out in this folder, because it concerns the database of the proxy and a shard
--   copied    is executed here and by every shard; refused while one is away
--   database  the server calls it in each database by itself, of the proxy and of the shards: outbox, events, old records
--   refused   is not supported with shards: it would have to count or to be in order over several databases
CREATE OR REPLACE FUNCTION shards.rules() RETURNS TABLE (function text, rule text)
LANGUAGE sql IMMUTABLE AS $$
    SELECT unnest(r.functions), r.rule FROM (VALUES
        ('home', '{change_webhook,count_failure,count_registration,has_console,last_message,mark_read,note_known_addresses,note_shard,password_parameters,presence,
            present,put_staff,reached_limit,recent_messages,register,register_process,request_reset,reset_account,reset_password,session,set_email,
            set_password_hash,shard_map,sign_in,sign_out,start_reset,unanswered_messages,unregister_process}'::text[]),
        ('service', '{console_cancel_quote,console_cancel_trip,console_manifest,console_occupancy,is_refund_open,
            note_fees,note_refund,open_sales,payment_now,settle_due}'),
        ('each', '{due_payments,due_refunds}'),
        ('merged', '{count_outbox,count_tickets,followed_bookings,stats,trips_in_use}'),
        ('written', '{batch,change_fleet,change_service,messages_after,missed_messages,notice,notice_by,open_dates,read,recount_for,
            send_message,settle_refund}'),
        ('database', '{claim_delivery,claim_outbox,contact_of,count_mail,count_webhooks,due_trips,finish_outbox,invoices_until,pause_webhook,paused_webhooks,publish_events,
            purge_events,purge_idempotency_keys,purge_known_addresses,purge_messages,purge_outbox,purge_tokens_and_attempts,record_bounce,
            revoke_surplus_rights,webhook_target}'),
        ('refused', '{change_agent,put_invoicing,put_promo_code}'),
        ('service', '{read.alight_quote,read.booking,read.cancel_quote,read.invoice,read.load,read.manifest,read.occupancy,read.offers,
            read.payments,read.seat_map,read.service,read.trip_offers}'),
        ('merged', '{read.bookings,read.find,read.places,read.services,read.trips}'),
        ('gathered', '{read.search}'),
        ('written', '{read.exchange_vehicle,read.messages}'),
        ('home', '{read.drivers,read.events,read.staff,read.vehicles,read.webhook_deliveries,read.webhooks}'),
        ('complete', '{read.accounts,read.operator_payments,read.refunds,read.sales}'),
        ('refused', '{read.agents,read.invoices,read.invoicing,read.promo_codes,read.settlement}'),
        ('service', '{change_service.end_service,change_service.open_trip,change_service.put_service,change_service.succeed_service}'),
        ('written', '{change_service.add_service}'),
        ('copied', '{change_fleet.put_driver,change_fleet.put_vehicle,change_service.put_place}'),
        ('service', '{change_fleet.assign,change_fleet.exchange_vehicle}')
    ) AS r (rule, functions)
$$;

-- The rule of a function, or of a method of it. An exception if it has none. Each read asks for it, so the rules are a constant of it.
DO $do$
BEGIN
    EXECUTE format($f$
        CREATE OR REPLACE FUNCTION shards.rule_of(function text, method text DEFAULT NULL) RETURNS text
        LANGUAGE plpgsql IMMUTABLE AS $body$
        DECLARE
            found CONSTANT text := %L::jsonb ->> concat_ws('.', function, method);
        BEGIN
            IF found IS NULL THEN
                RAISE EXCEPTION 'There is no rule for %%.', concat_ws('.', function, method);
            END IF;
            RETURN found;
        END $body$ $f$, (SELECT jsonb_object_agg(r.function, r.rule) FROM shards.rules() AS r));
END $do$;

-- Write the functions of the rules service, each and refused.
DO $do$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.proname, r.rule, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
               (p.provolatile = 'v')::text AS writes, p.prorettype = 'record'::regtype AS is_row,
               array_position(p.proargnames, 'bus_id') AS bus_at, array_position(p.proargnames, 'reference') AS reference_at,
               (SELECT string_agg('$' || n, ', ') FROM generate_series(1, p.pronargs) AS n) AS parameters
        FROM pg_proc p JOIN shards.rules() AS r ON r.function = p.proname
        WHERE p.pronamespace = 'api'::regnamespace AND p.prosecdef AND p.oid <> ALL (api.previous_entry_points())
          AND r.rule IN ('service', 'each', 'refused')
    LOOP
        IF f.rule = 'refused' THEN
            EXECUTE format('CREATE OR REPLACE FUNCTION api.%I(%s) RETURNS %s LANGUAGE sql STABLE SECURITY DEFINER
                SET search_path = pg_catalog, api, public, pg_temp AS $f$ SELECT true, api.refusal_unsupported(%L) $f$', f.proname, f.arguments, f.result, f.proname);
            CONTINUE;
        END IF;
        EXECUTE format('CREATE OR REPLACE FUNCTION api.%I(%s) RETURNS %s LANGUAGE plproxy SECURITY DEFINER
            SET search_path = pg_catalog, api, public, pg_temp AS $f$
            CLUSTER ''busware''; RUN ON %s;
            SELECT %s FROM (SELECT api.%I(%s) AS x FROM api.%s OFFSET 0) AS q; $f$',
            f.proname, f.arguments, f.result,
            CASE WHEN f.rule = 'each' THEN 'shards.present()' WHEN f.bus_at > 0 THEN format('shards.at($%s, %s)', f.bus_at, f.writes)
                 ELSE format('shards.at_booking($%s, %s)', f.reference_at, f.writes) END,
            CASE WHEN f.is_row THEN '(q.x).*' ELSE 'q.x' END, f.proname, f.parameters,
            CASE WHEN f.rule = 'each' THEN 'enter_shard(''{}'')' WHEN f.bus_at > 0 THEN format('enter_shard(ARRAY[$%s], %s)', f.bus_at, f.writes)
                 ELSE format('enter_shard_of($%s, %s)', f.reference_at, f.writes) END);
    END LOOP;
END $do$;
