-- Execute a method of the protocol on a trip. trip: its row; all columns are NULL if it does not exist. The caller
-- has locked and settled the trip. limits: see 25_hold_limits.sql.
CREATE OR REPLACE FUNCTION api.dispatch(method text, a api.request, trip trips, limits jsonb) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    b api.opened_booking;
    o api.outcome;
BEGIN
    IF method IN ('book', 'hold') THEN
        RETURN api.sell(a, trip, CASE method WHEN 'hold' THEN make_interval(secs => coalesce(a.seconds, 600)) END, limits);
    ELSIF method = 'settle' THEN   -- api.batch has settled the trip
        RETURN o;
    ELSIF method = 'settle_payment' THEN
        RETURN api.settle_by_hand(a, trip);
    ELSIF method = 'payment_result' THEN   -- only the server sends it
        RETURN api.settle_payment(a.reference, a.payment, trip);
    ELSIF method = 'check_in' THEN
        RETURN api.check_in(a, trip);
    ELSIF method IN ('cancel_trip', 'block_seats', 'unblock_seats', 'no_shows', 'delay_trip', 'skip_stop', 'serve_stop') THEN
        o.refusal := api.check_operator(a.account, a.bus_id);
        RETURN CASE WHEN o.refusal IS NOT NULL THEN o
                    WHEN method = 'cancel_trip' AND a.plan THEN api.plan_cancellation(trip, a.bus_id, a.travel_date)
                    WHEN method = 'cancel_trip' THEN api.cancel_trip(a.bus_id, a.travel_date, a.reason)
                    WHEN method = 'block_seats' THEN api.block_seats(a, trip)
                    WHEN method = 'delay_trip' THEN api.delay_trip(a, trip)
                    WHEN method = 'skip_stop' THEN api.skip_stop(a, trip)
                    WHEN method = 'serve_stop' THEN api.serve_stop(a, trip)
                    WHEN method = 'no_shows' THEN api.no_shows(a, trip) ELSE api.unblock_seats(a, trip) END;
    END IF;
    b := api.open_booking(a.reference, a.phone, a.account);
    o.reference := b.reference;
    o.deferred := api.has_moved(b, trip);
    IF o.deferred THEN
        RETURN o;
    END IF;
    o.refusal := coalesce(b.refusal, CASE WHEN method <> 'alight' THEN api.check_not_departed(b) END);
    IF o.refusal IS NULL THEN
        CASE method   -- any other method raises an exception
            WHEN 'confirm' THEN o := api.confirm_hold(b, a.fare, a.account);
            WHEN 'pay' THEN o := api.pay(b, a);
            WHEN 'release' THEN o.refusal := api.release_hold(b);
            WHEN 'cancel' THEN o.refusal := api.cancel_booking(b, a.tickets);
            WHEN 'change_seat' THEN o.refusal := api.move_ticket(b, a.ticket_no, a.seat_no);
            WHEN 'alight' THEN o.refusal := api.alight_at(b, trip, a.tickets, a.at);
            WHEN 'accept' THEN o := api.accept_offer(b, a.offer_no);
            WHEN 'decline' THEN o.refusal := api.decline_offer(b, a.offer_no);
            WHEN 'exchange' THEN o := api.exchange(b, a, false);
            WHEN 'exchange_quote' THEN o := api.exchange(b, a, true);
            WHEN 'set_contact' THEN o.refusal := api.set_contact(b, a.email, a.language, a.sms);
            WHEN 'transfer' THEN o.refusal := api.transfer_ticket(b, a.ticket_no, a.name, a.gender, a.concession, a.account);
        END CASE;
    END IF;
    RETURN o;
END $$;
