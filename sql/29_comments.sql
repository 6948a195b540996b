-- Comments on tables and columns, which \d+ shows in psql. The comments on views are in 28_views.sql. A new column needs
-- a comment here: a test compares.
--
-- COMMENT ON takes a lock that VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY conflict with (SHARE UPDATE EXCLUSIVE). So
-- only a comment that differs is set, and an upgrade locks only the tables whose comments change.

DO $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT new.object, new.comment FROM (
        SELECT v.comment, coalesce('COLUMN ' || v.relation || '.' || v.attribute, 'TABLE ' || v.relation) AS object,
               CASE WHEN v.attribute IS NULL THEN obj_description(v.relation::regclass, 'pg_class')
                    ELSE col_description(v.relation::regclass, a.attnum) END AS found
        FROM (VALUES
        ('accounts', NULL, 'Accounts of travellers, operators and admins.'),
        ('accounts', 'username', 'The name that its owner signs in with, in lower case.'),
        ('accounts', 'password_hash', 'Argon2id hash of the password, with its parameters and its salt.'),
        ('accounts', 'phone', 'Phone number in E.164, such as +919845012345. NULL: none was given.'),
        ('accounts', 'role', 'traveller, operator or admin.'),
        ('accounts', 'operator', 'The operator whose services an operator account may change (bus_info.operator). NULL for other roles.'),
        ('accounts', 'created_at', 'When the account was created.'),

        ('assignments', NULL, 'Vehicles and drivers on trips. No vehicle and no driver is on two trips at once.'),
        ('assignments', 'bus_id', 'Service of the trip.'),
        ('assignments', 'travel_date', 'Travel date of the trip.'),
        ('assignments', 'assignment_no', 'Number in its trip: 0 is the vehicle, 1 and 2 are the drivers.'),
        ('assignments', 'operator', 'Operator of the vehicle or the driver.'),
        ('assignments', 'vehicle', 'Registration of the vehicle. NULL: it is a driver.'),
        ('assignments', 'driver', 'Code of the driver. NULL: it is a vehicle.'),
        ('assignments', 'period', 'From the departure at the first stop of the trip until the arrival at its last one.'),

        ('attempts', NULL, 'Failed credentials, registrations and references of the last hour, for the rate limits. A crash of PostgreSQL empties the table.'),
        ('attempts', 'subject', 'What is counted: account:NAME, booking:REFERENCE, phone:NUMBER or address:NETWORK, or two of them.'),
        ('attempts', 'at', 'When the attempt failed.'),

        ('bus_info', NULL, 'Services: a row for each bus, flight, theatre or hotel, with its terms of sale.'),
        ('bus_info', 'bus_id', 'Number of the service. First column of every key of timetable and sales.'),
        ('bus_info', 'kind', 'bus, flight, show or hotel. It selects the words on the screen, and no rules.'),
        ('bus_info', 'name', 'Name of the service, such as Airavat Club Class.'),
        ('bus_info', 'operator', 'Name of the company that runs the service.'),
        ('bus_info', 'bus_type', 'SLEEPER, SEMI_SLEEPER or SEATER. NULL: not a bus.'),
        ('bus_info', 'ac', 'Whether the service has air conditioning. NULL: unknown.'),
        ('bus_info', 'layout', 'Drawing of the seats, which api.layout_seats reads.'),
        ('bus_info', 'runs_on', 'Days of the week on which it runs, as ISO numbers: 1 is Monday. Empty: on no weekday by itself.'),
        ('bus_info', 'first_date', 'First travel date. NULL: no limit.'),
        ('bus_info', 'last_date', 'Last travel date. NULL: no limit.'),
        ('bus_info', 'sales_days', 'How many days before the travel date a trip goes on sale.'),
        ('bus_info', 'time_zone', 'Time zone of the times in route_table.'),
        ('bus_info', 'refund_percent', 'Percent of the fare that a passenger who cancels gets back.'),
        ('bus_info', 'refund_tiers', 'Refunds by the hours before departure, instead of refund_percent: [{hours, percent}], from the most hours down. NULL: none.'),
        ('bus_info', 'alight_refund_percent', 'Percent of the fare of the legs not travelled that a passenger who alights early gets back.'),
        ('bus_info', 'sells_until', 'How long a stop stays on sale after its departure.'),
        ('bus_info', 'max_seats', 'Most seats in one booking.'),
        ('bus_info', 'queue_limit', 'Most parties on the waitlist of a trip.'),
        ('bus_info', 'phone_required', 'Whether a booking without an account needs a phone number.'),
        ('bus_info', 'nouns', 'Words for the service and its seats in messages, by the keys service and seat.'),
        ('bus_info', 'blocked_seats', 'Seats that are out of sale on every trip (seats.blocked). NULL: none.'),
        ('bus_info', 'women_seats', 'Seats that are sold to women only. NULL: none.'),
        ('bus_info', 'accessible_seats', 'Seats for passengers who ask for an accessible one; others get them last. NULL: none.'),
        ('bus_info', 'shortest_segment_km', 'Length in km of the shortest segment sold. NULL: no limit.'),
        ('bus_info', 'short_segments_open', 'How long before the departure from the boarding stop shorter segments are sold too. NULL: never.'),
        ('bus_info', 'max_seats_per_account', 'Most live tickets of one account, or of one phone number, on a trip. NULL: no limit.'),
        ('bus_info', 'seat_classes', 'Classes of seats, in JSON: name, seats, and percent or amount, which is added to the fare. NULL: none.'),
        ('bus_info', 'fare_rules', 'Surcharges and discounts by travel date, in JSON: name, runs_on, first_date, last_date, and percent or amount. NULL: none.'),
        ('bus_info', 'concessions', 'Discounts for passengers, in JSON: name, percent or amount, and seat, which is false for infants. NULL: none.'),
        ('bus_info', 'repeat_legs', 'How many legs at the end of the route repeat, as the nights of a week in a hotel. NULL: the route ends at its last stop.'),
        ('bus_info', 'currency', 'Currency of its fares, as in ISO 4217.'),
        ('bus_info', 'source_id', 'Its identity in the foreign timetable from which it is imported. NULL: none.'),

        ('calendar_dates', NULL, 'Single dates on which a service runs or does not, whatever its weekdays and seasons are.'),
        ('calendar_dates', 'bus_id', 'The service.'),
        ('calendar_dates', 'travel_date', 'The date.'),
        ('calendar_dates', 'runs', 'Whether the service runs on it.'),

        ('clients', NULL, 'Connected clients, while a console is open; otherwise those that have sent the operators a message. A crash of PostgreSQL empties the table.'),
        ('clients', 'process_no', 'The process to which it is connected.'),
        ('clients', 'connection_no', 'Number of the connection in its process.'),
        ('clients', 'client_no', 'The number that operators see.'),
        ('clients', 'address', 'IP address and port of the client.'),
        ('clients', 'face', 'Its protocol: text or json; empty before its first line.'),
        ('clients', 'reference', 'Booking that it made or opened last. NULL: none.'),
        ('clients', 'account', 'Account that is signed in. NULL: none.'),
        ('clients', 'since', 'When it connected.'),
        ('clients', 'left_at', 'When it disconnected. NULL: it is connected.'),

        ('drivers', NULL, 'Drivers of operators.'),
        ('drivers', 'operator', 'Operator for whom the driver works (bus_info.operator).'),
        ('drivers', 'code', 'Code by which the operator names the driver.'),
        ('drivers', 'name', 'Name of the driver.'),
        ('drivers', 'phone', 'Phone number in E.164, such as +919845012345. NULL: unknown.'),
        ('drivers', 'licence_no', 'Number of the driving licence. NULL: unknown.'),
        ('drivers', 'active', 'Whether trips may be assigned to the driver.'),

        ('feed_stops', NULL, 'The places of the stops of GTFS feeds that were imported.'),
        ('feed_stops', 'feed', 'Name of the feed.'),
        ('feed_stops', 'stop_id', 'The stop in the feed.'),
        ('feed_stops', 'place', 'Code of its place.'),

        ('holders', NULL, 'Who holds seats or waits for them without payment, for the limits on holds. A crash of PostgreSQL empties the table.'),
        ('holders', 'bus_id', 'Service of the ticket.'),
        ('holders', 'reference', 'Booking of the ticket.'),
        ('holders', 'ticket_no', 'Number of the ticket in its booking.'),
        ('holders', 'subject', 'What is counted: account:NAME or address:NETWORK.'),
        ('holders', 'travel_date', 'Travel date of the trip.'),
        ('holders', 'expires_at', 'When the hold expires. NULL: the ticket is on the waitlist.'),

        ('idempotency_keys', NULL, 'Answers to writes that succeeded, by idempotency key, so that a repeated request is done once.'),
        ('idempotency_keys', 'bus_id', 'Service of the request.'),
        ('idempotency_keys', 'caller', 'Owner of the key: phone:NUMBER, account:NAME or ref:REFERENCE of the request; empty: none of them.'),
        ('idempotency_keys', 'key', 'Idempotency key that the caller chose.'),
        ('idempotency_keys', 'method', 'Method of the request, such as book.'),
        ('idempotency_keys', 'digest', 'MD5 of the content of the request: a key with another content is refused.'),
        ('idempotency_keys', 'answer', 'The reply, as it is sent again.'),
        ('idempotency_keys', 'at', 'When the request was done.'),

        ('known_addresses', NULL, 'Addresses from which an account or a booking was opened with the right credentials. A crash of PostgreSQL empties the table.'),
        ('known_addresses', 'pair', 'The address, and the account, booking or phone number that was opened.'),
        ('known_addresses', 'at', 'When it was opened last, within an hour.'),

        ('layouts', NULL, 'Drawings of seats that services share.'),
        ('layouts', 'name', 'Name of the layout.'),
        ('layouts', 'drawing', 'The drawing, a line for each row. api.add_service copies it into bus_info.layout.'),

        ('messages', NULL, 'Messages between travellers and operators, and notices.'),
        ('messages', 'message_id', 'Number of the message, in the order of the commits.'),
        ('messages', 'key', 'A message that is sent twice with one key is stored once.'),
        ('messages', 'at', 'When it was sent.'),
        ('messages', 'sender', 'operator, operator with the name of an account, or a client by its number, such as client 7.'),
        ('messages', 'audience', 'Who receives it: operators, all, trip, booking or client.'),
        ('messages', 'client_no', 'The client that sent or receives it. NULL: unknown, or it does not apply.'),
        ('messages', 'bus_id', 'Service of its trip or booking. NULL: it does not apply.'),
        ('messages', 'travel_date', 'Travel date of its trip or booking. NULL: it does not apply.'),
        ('messages', 'reference', 'Booking of the traveller who sent or receives it. NULL: unknown, or it does not apply.'),
        ('messages', 'account', 'Account of the traveller who sent or receives it. NULL: unknown, or it does not apply.'),
        ('messages', 'address', 'Address or network of the client that sent it. NULL: an operator sent it.'),
        ('messages', 'body', 'The text, 1 to 2000 characters on one line.'),

        ('messages_read', NULL, 'The last message that each booking and account has received. Later messages are sent when its client connects.'),
        ('messages_read', 'reader', 'A reference, or account:NAME.'),
        ('messages_read', 'read_to', 'Number of the last message that it has received.'),

        ('migrations', NULL, 'Migrations (sql/1*.sql) that have run.'),
        ('migrations', 'name', 'File of the migration, without .sql.'),
        ('migrations', 'applied_at', 'When it ran.'),
        ('migrations', 'breaking', 'Whether servers that do not know it must stop.'),

        ('passengers', NULL, 'Tickets: a row for each seat of a booking, on a segment of a trip.'),
        ('passengers', 'bus_id', 'Service of the trip.'),
        ('passengers', 'reference', 'Reference of the booking. The tickets of a party share it.'),
        ('passengers', 'ticket_no', 'Number of the ticket in its booking, from 1.'),
        ('passengers', 'travel_date', 'Travel date of the trip, which is the date at its first stop.'),
        ('passengers', 'seat_no', 'Seat of the ticket. NULL while it is pending.'),
        ('passengers', 'segment', 'Stop numbers from boarding (included) to alighting (excluded).'),
        ('passengers', 'name', 'Name of the passenger. NULL: none was given.'),
        ('passengers', 'gender', 'female, male or other. NULL: not given.'),
        ('passengers', 'accessible', 'Whether the passenger asked for an accessible seat. NULL: no.'),
        ('passengers', 'phone', 'Phone number of the booking in E.164, such as +919845012345. NULL: none was given.'),
        ('passengers', 'fare', 'Fare of the ticket when it was sold.'),
        ('passengers', 'refund_percent', 'Percent of the fare that a cancellation refunds, when the ticket was sold.'),
        ('passengers', 'refund_tiers', 'The tiers of the service (bus_info.refund_tiers) when the ticket was sold, which apply instead of refund_percent. NULL: none.'),
        ('passengers', 'refund', 'Amount that was refunded.'),
        ('passengers', 'status', 'held, booked, pending, cancelled or expired. A hold is live until its trip is settled, also after expires_at.'),
        ('passengers', 'queue_no', 'Order on the waitlist. NULL: it was never on the waitlist.'),
        ('passengers', 'created_at', 'When it was requested.'),
        ('passengers', 'expires_at', 'When the hold or waitlist entry expires. NULL: it does not expire.'),
        ('passengers', 'booked_at', 'When it was booked. NULL: it was not.'),
        ('passengers', 'ended_at', 'When it was cancelled or expired. NULL: it has not ended.'),
        ('passengers', 'account', 'Account that made the booking. NULL: a guest.'),
        ('passengers', 'alight_refunds', 'Refund if the ticket ends n legs after its first stop, by n. NULL: sold before the column was added.'),
        ('passengers', 'fare_parts', 'Parts that add up to the fare, in JSON: part, name, amount. NULL: the fare of the segment alone.'),
        ('passengers', 'infant', 'Name of the infant on the lap of the passenger. NULL: none.'),
        ('passengers', 'promo_no', 'Promo code of the ticket. NULL: none.'),
        ('passengers', 'moved_at', 'When change_seat gave the ticket its seat. NULL: it did not.'),

        ('payments', NULL, 'Charges and refunds of tickets. They are recorded here, not carried out.'),
        ('payments', 'bus_id', 'Service of the ticket.'),
        ('payments', 'reference', 'Booking of the ticket.'),
        ('payments', 'ticket_no', 'Number of the ticket in its booking.'),
        ('payments', 'payment_no', 'Number of the payment of the ticket: 1 is its charge, the others are refunds.'),
        ('payments', 'kind', 'charge or refund.'),
        ('payments', 'amount', 'Amount, at least 0.'),
        ('payments', 'at', 'When it was recorded.'),

        ('places', NULL, 'Places at which services stop, and the countries and cities that contain them.'),
        ('places', 'code', 'Code of the place: 2 to 16 capital letters, digits and hyphens.'),
        ('places', 'name', 'Name of the place.'),
        ('places', 'aliases', 'Other names of the place.'),
        ('places', 'part_of', 'Code of the place that contains it, such as the country of an airport. NULL: none.'),
        ('places', 'time_zone', 'Time zone of the place.'),
        ('places', 'latitude', 'Latitude in degrees, WGS 84. NULL: not known.'),
        ('places', 'longitude', 'Longitude in degrees, WGS 84. NULL: not known.'),

        ('processes', NULL, 'Running servers and consoles. A crash of PostgreSQL empties the table, and they register again.'),
        ('processes', 'process_no', 'Number of the process. It holds an advisory lock on the number while it is alive.'),
        ('processes', 'role', 'server or console.'),
        ('processes', 'name', 'Address and process id.'),
        ('processes', 'since', 'When it registered.'),
        ('processes', 'needs_previous_rights', 'Whether it is of version 0.1.0, which needs more rights.'),

        ('promo_codes', NULL, 'Promo codes of operators: discounts on each ticket of a booking that names the code.'),
        ('promo_codes', 'promo_no', 'Number of the promo code, which its tickets have.'),
        ('promo_codes', 'operator', 'The operator on whose services it is valid.'),
        ('promo_codes', 'code', 'The code that a traveller gives.'),
        ('promo_codes', 'percent', 'Percent of the fare that it takes off.'),
        ('promo_codes', 'amount', 'Amount that it takes off each ticket.'),
        ('promo_codes', 'services', 'The services on which it is valid. NULL: all of the operator.'),
        ('promo_codes', 'first_date', 'First day on which tickets are sold with it. NULL: no limit.'),
        ('promo_codes', 'last_date', 'Last day on which tickets are sold with it. NULL: no limit.'),
        ('promo_codes', 'max_uses', 'Most tickets that may have it. NULL: no limit.'),
        ('promo_codes', 'max_uses_per_account', 'Most tickets of an account or a phone number that may have it. NULL: no limit.'),

        ('route_table', NULL, 'Stops of each service, in order, with times and fares.'),
        ('route_table', 'bus_id', 'The service.'),
        ('route_table', 'stop_no', 'Number of the stop, from 1.'),
        ('route_table', 'place', 'Code of the place.'),
        ('route_table', 'arrives', 'Arrival since midnight of the travel date, in the time zone of the service; above 24 h on the days after it. NULL: it does not arrive here.'),
        ('route_table', 'departs', 'Departure since midnight of the travel date, in the time zone of the service; above 24 h on the days after it. NULL: it does not depart here.'),
        ('route_table', 'km', 'Distance from the first stop, in kilometres.'),
        ('route_table', 'fare', 'Fare from the first stop. A segment costs the difference of its two stops, unless segment_fares has its fare.'),

        ('seasons', NULL, 'Weekdays on which services run in a season, instead of bus_info.runs_on.'),
        ('seasons', 'bus_id', 'The service.'),
        ('seasons', 'first_date', 'First date of the season.'),
        ('seasons', 'last_date', 'Last date of the season.'),
        ('seasons', 'runs_on', 'ISO weekdays on which it runs in the season, 1 = Monday. Empty: it does not run.'),

        ('seat_plan', NULL, 'Seats of each service, as api.layout_seats finds them in bus_info.layout.'),
        ('seat_plan', 'bus_id', 'The service.'),
        ('seat_plan', 'seat_no', 'Number of the seat.'),
        ('seat_plan', 'deck', 'Name of the deck, or of the part of a hall.'),
        ('seat_plan', 'row_no', 'Row in the drawing, from 1.'),
        ('seat_plan', 'column_no', 'Column in the drawing, from 1.'),
        ('seat_plan', 'kind', 'seat, berth or room, for example.'),

        ('seats', NULL, 'Seats of each trip, with the segments that are taken.'),
        ('seats', 'bus_id', 'Service of the trip.'),
        ('seats', 'travel_date', 'Travel date of the trip.'),
        ('seats', 'seat_no', 'Number of the seat.'),
        ('seats', 'taken', 'Union of the blocked segments and those of the live tickets of the seat, as ranges of stop numbers.'),
        ('seats', 'blocked', 'Segments that the operator has taken out of sale. NULL: none.'),
        ('seats', 'block_reason', 'Why they are out of sale, as the operator wrote it last. NULL: no reason, or nothing is blocked.'),

        ('seeds_loaded', NULL, 'Timetable files (sql/9*.sql and others) that were loaded.'),
        ('seeds_loaded', 'name', 'File, without .sql.'),
        ('seeds_loaded', 'digest', 'SHA-256 of its text when it was loaded.'),
        ('seeds_loaded', 'loaded_at', 'When it was loaded.'),

        ('segment_fares', NULL, 'Fares of segments, instead of the difference of the fares of their two stops.'),
        ('segment_fares', 'bus_id', 'The service.'),
        ('segment_fares', 'from_stop', 'First stop of the segment.'),
        ('segment_fares', 'to_stop', 'Last stop of the segment.'),
        ('segment_fares', 'fare', 'Fare for one seat.'),

        ('tokens', NULL, 'Sessions of accounts. The tokens themselves are not stored.'),
        ('tokens', 'digest', 'SHA-256 of the token.'),
        ('tokens', 'username', 'Account that is signed in.'),
        ('tokens', 'created_at', 'When the session began.'),
        ('tokens', 'expires_at', 'When the session ends.'),

        ('trips', NULL, 'Trips: a row for each departure of a service. Every write to a trip locks its row first.'),
        ('trips', 'bus_id', 'The service.'),
        ('trips', 'travel_date', 'Date at the first stop.'),
        ('trips', 'state', 'open or cancelled.'),
        ('trips', 'reason', 'Why it was cancelled. NULL: it is open.'),
        ('trips', 'cancelled_at', 'When it was cancelled, which is the ended_at of the tickets that this ended. NULL: it is open, or was cancelled before the column was added.'),
        ('trips', 'settle_at', 'When its first hold or waitlist entry expires. NULL: none does.'),
        ('trips', 'ended', 'Whether it was cancelled because its service ends before it.'),
        ('trips', 'reopened', 'Whether it was cancelled and is open again.'),

        ('vehicles', NULL, 'Vehicles of operators.'),
        ('vehicles', 'operator', 'Operator that runs the vehicle (bus_info.operator).'),
        ('vehicles', 'registration', 'Registration, in upper case and without spaces.'),
        ('vehicles', 'layout', 'Drawing of the seats, which api.layout_seats reads.'),
        ('vehicles', 'name', 'Make, model or name. NULL: none was given.'),
        ('vehicles', 'notes', 'Notes for the staff of the operator. NULL: none.'),
        ('vehicles', 'in_service', 'Whether trips may be assigned to the vehicle.')
        ) AS v (relation, attribute, comment)
        LEFT JOIN pg_attribute a ON a.attrelid = v.relation::regclass AND a.attname = v.attribute
    ) AS new WHERE new.comment IS DISTINCT FROM new.found LOOP
        EXECUTE format('COMMENT ON %s IS %L', c.object, c.comment);
    END LOOP;
END $$;

COMMENT ON VIEW requests IS 'Table idempotency_keys under its name in version 0.1.0, whose servers use it.';
COMMENT ON COLUMN requests.bus_id IS 'Service of the request.';
COMMENT ON COLUMN requests.caller IS 'Owner of the key: phone:NUMBER, account:NAME or ref:REFERENCE of the request; empty: none of them.';
COMMENT ON COLUMN requests.key IS 'Idempotency key that the caller chose.';
COMMENT ON COLUMN requests.method IS 'Method of the request, such as book.';
COMMENT ON COLUMN requests.digest IS 'MD5 of the content of the request: a key with another content is refused.';
COMMENT ON COLUMN requests.answer IS 'The reply, as it is sent again.';
COMMENT ON COLUMN requests.at IS 'When the request was done.';
