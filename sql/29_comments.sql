-- Comments on tables and columns, which \d+ shows in psql. The comments on views are in 28_views.sql.
--
-- COMMENT ON takes a lock that neither reads nor writes conflict with (SHARE UPDATE EXCLUSIVE). A new column needs a
-- comment here: a test compares.

COMMENT ON TABLE accounts IS 'Accounts of travellers, operators and admins.';
COMMENT ON COLUMN accounts.username IS 'The name that its owner signs in with, in lower case.';
COMMENT ON COLUMN accounts.password_hash IS 'Argon2id hash of the password, with its parameters and its salt.';
COMMENT ON COLUMN accounts.phone IS 'Phone number in E.164, such as +919845012345. NULL: none was given.';
COMMENT ON COLUMN accounts.role IS 'traveller, operator or admin.';
COMMENT ON COLUMN accounts.operator IS 'The operator whose services an operator account may change (bus_info.operator). NULL for other roles.';
COMMENT ON COLUMN accounts.created_at IS 'When the account was created.';

COMMENT ON TABLE attempts IS 'Failed credentials, registrations and references of the last hour, for the rate limits. A crash of PostgreSQL empties the table.';
COMMENT ON COLUMN attempts.subject IS 'What is counted: account:NAME, booking:REFERENCE, phone:NUMBER or address:NETWORK, or two of them.';
COMMENT ON COLUMN attempts.at IS 'When the attempt failed.';

COMMENT ON TABLE bus_info IS 'Services: a row for each bus, flight, theatre or hotel, with its terms of sale.';
COMMENT ON COLUMN bus_info.bus_id IS 'Number of the service. First column of every key of timetable and sales.';
COMMENT ON COLUMN bus_info.kind IS 'bus, flight, show or hotel. It selects the words on the screen, and no rules.';
COMMENT ON COLUMN bus_info.name IS 'Name of the service, such as Airavat Club Class.';
COMMENT ON COLUMN bus_info.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN bus_info.bus_type IS 'SLEEPER, SEMI_SLEEPER or SEATER. NULL: not a bus.';
COMMENT ON COLUMN bus_info.ac IS 'Whether the service has air conditioning. NULL: unknown.';
COMMENT ON COLUMN bus_info.layout IS 'Drawing of the seats, which api.layout_seats reads.';
COMMENT ON COLUMN bus_info.runs_on IS 'Days of the week on which it runs, as ISO numbers: 1 is Monday. Empty: on no weekday by itself.';
COMMENT ON COLUMN bus_info.first_date IS 'First travel date. NULL: no limit.';
COMMENT ON COLUMN bus_info.last_date IS 'Last travel date. NULL: no limit.';
COMMENT ON COLUMN bus_info.sales_days IS 'How many days before the travel date a trip goes on sale.';
COMMENT ON COLUMN bus_info.time_zone IS 'Time zone of the times in route_table.';
COMMENT ON COLUMN bus_info.refund_percent IS 'Percent of the fare that a passenger who cancels gets back.';
COMMENT ON COLUMN bus_info.alight_refund_percent IS 'Percent of the fare of the legs not travelled that a passenger who alights early gets back.';
COMMENT ON COLUMN bus_info.sells_until IS 'How long a stop stays on sale after its departure.';
COMMENT ON COLUMN bus_info.max_seats IS 'Most seats in one booking.';
COMMENT ON COLUMN bus_info.queue_limit IS 'Most parties on the waitlist of a trip.';
COMMENT ON COLUMN bus_info.phone_required IS 'Whether a booking without an account needs a phone number.';
COMMENT ON COLUMN bus_info.nouns IS 'Words for the service and its seats in messages, by the keys service and seat.';
COMMENT ON COLUMN bus_info.repeat_legs IS 'How many legs at the end of the route repeat, as the nights of a week in a hotel. NULL: the route ends at its last stop.';

COMMENT ON TABLE clients IS 'Connected clients, while a console is open; otherwise those that have sent the operators a message. A crash of PostgreSQL empties the table.';
COMMENT ON COLUMN clients.process_no IS 'The process to which it is connected.';
COMMENT ON COLUMN clients.connection_no IS 'Number of the connection in its process.';
COMMENT ON COLUMN clients.client_no IS 'The number that operators see.';
COMMENT ON COLUMN clients.address IS 'IP address and port of the client.';
COMMENT ON COLUMN clients.face IS 'Its protocol: text or json; empty before its first line.';
COMMENT ON COLUMN clients.reference IS 'Booking that it made or opened last. NULL: none.';
COMMENT ON COLUMN clients.account IS 'Account that is signed in. NULL: none.';
COMMENT ON COLUMN clients.since IS 'When it connected.';
COMMENT ON COLUMN clients.left_at IS 'When it disconnected. NULL: it is connected.';

COMMENT ON TABLE holders IS 'Who holds seats or waits for them without payment, for the limits on holds. A crash of PostgreSQL empties the table.';
COMMENT ON COLUMN holders.bus_id IS 'Service of the ticket.';
COMMENT ON COLUMN holders.reference IS 'Booking of the ticket.';
COMMENT ON COLUMN holders.ticket_no IS 'Number of the ticket in its booking.';
COMMENT ON COLUMN holders.subject IS 'What is counted: account:NAME or address:NETWORK.';
COMMENT ON COLUMN holders.travel_date IS 'Travel date of the trip.';
COMMENT ON COLUMN holders.expires_at IS 'When the hold expires. NULL: the ticket is on the waitlist.';

COMMENT ON TABLE idempotency_keys IS 'Answers to writes that succeeded, by idempotency key, so that a repeated request is done once.';
COMMENT ON COLUMN idempotency_keys.bus_id IS 'Service of the request.';
COMMENT ON COLUMN idempotency_keys.caller IS 'Owner of the key: phone:NUMBER, account:NAME or ref:REFERENCE of the request; empty: none of them.';
COMMENT ON COLUMN idempotency_keys.key IS 'Idempotency key that the caller chose.';
COMMENT ON COLUMN idempotency_keys.method IS 'Method of the request, such as book.';
COMMENT ON COLUMN idempotency_keys.digest IS 'MD5 of the content of the request: a key with another content is refused.';
COMMENT ON COLUMN idempotency_keys.answer IS 'The reply, as it is sent again.';
COMMENT ON COLUMN idempotency_keys.at IS 'When the request was done.';

COMMENT ON TABLE known_addresses IS 'Addresses from which an account or a booking was opened with the right credentials. A crash of PostgreSQL empties the table.';
COMMENT ON COLUMN known_addresses.pair IS 'The address, and the account, booking or phone number that was opened.';
COMMENT ON COLUMN known_addresses.at IS 'When it was opened last, within an hour.';

COMMENT ON TABLE layouts IS 'Drawings of seats that services share.';
COMMENT ON COLUMN layouts.name IS 'Name of the layout.';
COMMENT ON COLUMN layouts.drawing IS 'The drawing, a line for each row. api.add_service copies it into bus_info.layout.';

COMMENT ON TABLE messages IS 'Messages between travellers and operators, and notices.';
COMMENT ON COLUMN messages.message_id IS 'Number of the message, in the order of the commits.';
COMMENT ON COLUMN messages.key IS 'A message that is sent twice with one key is stored once.';
COMMENT ON COLUMN messages.at IS 'When it was sent.';
COMMENT ON COLUMN messages.sender IS 'operator, operator with the name of an account, or a client by its number, such as client 7.';
COMMENT ON COLUMN messages.audience IS 'Who receives it: operators, all, trip, booking or client.';
COMMENT ON COLUMN messages.client_no IS 'The client that sent or receives it. NULL: unknown, or it does not apply.';
COMMENT ON COLUMN messages.bus_id IS 'Service of its trip or booking. NULL: it does not apply.';
COMMENT ON COLUMN messages.travel_date IS 'Travel date of its trip or booking. NULL: it does not apply.';
COMMENT ON COLUMN messages.reference IS 'Booking of the traveller who sent or receives it. NULL: unknown, or it does not apply.';
COMMENT ON COLUMN messages.account IS 'Account of the traveller who sent or receives it. NULL: unknown, or it does not apply.';
COMMENT ON COLUMN messages.address IS 'Address or network of the client that sent it. NULL: an operator sent it.';
COMMENT ON COLUMN messages.body IS 'The text, 1 to 2000 characters on one line.';

COMMENT ON TABLE messages_read IS 'The last message that each booking and account has received. Later messages are sent when its client connects.';
COMMENT ON COLUMN messages_read.reader IS 'A reference, or account:NAME.';
COMMENT ON COLUMN messages_read.read_to IS 'Number of the last message that it has received.';

COMMENT ON TABLE migrations IS 'Migrations (sql/1*.sql) that have run.';
COMMENT ON COLUMN migrations.name IS 'File of the migration, without .sql.';
COMMENT ON COLUMN migrations.applied_at IS 'When it ran.';
COMMENT ON COLUMN migrations.breaking IS 'Whether servers that do not know it must stop.';

COMMENT ON TABLE passengers IS 'Tickets: a row for each seat of a booking, on a segment of a trip.';
COMMENT ON COLUMN passengers.bus_id IS 'Service of the trip.';
COMMENT ON COLUMN passengers.reference IS 'Reference of the booking. The tickets of a party share it.';
COMMENT ON COLUMN passengers.ticket_no IS 'Number of the ticket in its booking, from 1.';
COMMENT ON COLUMN passengers.travel_date IS 'Travel date of the trip, which is the date at its first stop.';
COMMENT ON COLUMN passengers.seat_no IS 'Seat of the ticket. NULL while it is pending.';
COMMENT ON COLUMN passengers.segment IS 'Stop numbers from boarding (included) to alighting (excluded).';
COMMENT ON COLUMN passengers.name IS 'Name of the passenger. NULL: none was given.';
COMMENT ON COLUMN passengers.phone IS 'Phone number of the booking in E.164, such as +919845012345. NULL: none was given.';
COMMENT ON COLUMN passengers.fare IS 'Fare of the ticket when it was sold.';
COMMENT ON COLUMN passengers.refund_percent IS 'Percent of the fare that a cancellation refunds, when the ticket was sold.';
COMMENT ON COLUMN passengers.refund IS 'Amount that was refunded.';
COMMENT ON COLUMN passengers.status IS 'held, booked, pending, cancelled or expired. A hold is live until its trip is settled, also after expires_at.';
COMMENT ON COLUMN passengers.queue_no IS 'Order on the waitlist. NULL: it was never on the waitlist.';
COMMENT ON COLUMN passengers.created_at IS 'When it was requested.';
COMMENT ON COLUMN passengers.expires_at IS 'When the hold or waitlist entry expires. NULL: it does not expire.';
COMMENT ON COLUMN passengers.booked_at IS 'When it was booked. NULL: it was not.';
COMMENT ON COLUMN passengers.ended_at IS 'When it was cancelled or expired. NULL: it has not ended.';
COMMENT ON COLUMN passengers.account IS 'Account that made the booking. NULL: a guest.';
COMMENT ON COLUMN passengers.alight_refunds IS 'Refund if the ticket ends n legs after its first stop, by n. NULL: sold before the column was added.';
COMMENT ON COLUMN passengers.moved_at IS 'When change_seat gave the ticket its seat. NULL: it did not.';

COMMENT ON TABLE payments IS 'Charges and refunds of tickets. They are recorded here, not carried out.';
COMMENT ON COLUMN payments.bus_id IS 'Service of the ticket.';
COMMENT ON COLUMN payments.reference IS 'Booking of the ticket.';
COMMENT ON COLUMN payments.ticket_no IS 'Number of the ticket in its booking.';
COMMENT ON COLUMN payments.payment_no IS 'Number of the payment of the ticket: 1 is its charge, the others are refunds.';
COMMENT ON COLUMN payments.kind IS 'charge or refund.';
COMMENT ON COLUMN payments.amount IS 'Amount, at least 0.';
COMMENT ON COLUMN payments.at IS 'When it was recorded.';

COMMENT ON TABLE places IS 'Places at which services stop, and the countries and cities that contain them.';
COMMENT ON COLUMN places.code IS 'Code of the place: 2 to 16 capital letters, digits and hyphens.';
COMMENT ON COLUMN places.name IS 'Name of the place.';
COMMENT ON COLUMN places.aliases IS 'Other names of the place.';
COMMENT ON COLUMN places.part_of IS 'Code of the place that contains it, such as the country of an airport. NULL: none.';
COMMENT ON COLUMN places.time_zone IS 'Time zone of the place.';

COMMENT ON TABLE processes IS 'Running servers and consoles. A crash of PostgreSQL empties the table, and they register again.';
COMMENT ON COLUMN processes.process_no IS 'Number of the process. It holds an advisory lock on the number while it is alive.';
COMMENT ON COLUMN processes.role IS 'server or console.';
COMMENT ON COLUMN processes.name IS 'Address and process id.';
COMMENT ON COLUMN processes.since IS 'When it registered.';
COMMENT ON COLUMN processes.needs_previous_rights IS 'Whether it is of version 0.1.0, which needs more rights.';

COMMENT ON TABLE route_table IS 'Stops of each service, in order, with times and fares.';
COMMENT ON COLUMN route_table.bus_id IS 'The service.';
COMMENT ON COLUMN route_table.stop_no IS 'Number of the stop, from 1.';
COMMENT ON COLUMN route_table.place IS 'Code of the place.';
COMMENT ON COLUMN route_table.arrives IS 'Arrival since midnight of the travel date, in the time zone of the service; above 24 h on the days after it. NULL: it does not arrive here.';
COMMENT ON COLUMN route_table.departs IS 'Departure since midnight of the travel date, in the time zone of the service; above 24 h on the days after it. NULL: it does not depart here.';
COMMENT ON COLUMN route_table.km IS 'Distance from the first stop, in kilometres.';
COMMENT ON COLUMN route_table.fare IS 'Fare from the first stop. A segment costs the difference of its two stops.';

COMMENT ON TABLE seat_plan IS 'Seats of each service, as api.layout_seats finds them in bus_info.layout.';
COMMENT ON COLUMN seat_plan.bus_id IS 'The service.';
COMMENT ON COLUMN seat_plan.seat_no IS 'Number of the seat.';
COMMENT ON COLUMN seat_plan.deck IS 'Name of the deck, or of the part of a hall.';
COMMENT ON COLUMN seat_plan.row_no IS 'Row in the drawing, from 1.';
COMMENT ON COLUMN seat_plan.column_no IS 'Column in the drawing, from 1.';
COMMENT ON COLUMN seat_plan.kind IS 'seat, berth or room, for example.';

COMMENT ON TABLE seats IS 'Seats of each trip, with the segments that are taken.';
COMMENT ON COLUMN seats.bus_id IS 'Service of the trip.';
COMMENT ON COLUMN seats.travel_date IS 'Travel date of the trip.';
COMMENT ON COLUMN seats.seat_no IS 'Number of the seat.';
COMMENT ON COLUMN seats.taken IS 'Union of the segments of the live tickets of the seat, as ranges of stop numbers.';

COMMENT ON TABLE seeds_loaded IS 'Timetable files (sql/9*.sql and others) that were loaded.';
COMMENT ON COLUMN seeds_loaded.name IS 'File, without .sql.';
COMMENT ON COLUMN seeds_loaded.digest IS 'SHA-256 of its text when it was loaded.';
COMMENT ON COLUMN seeds_loaded.loaded_at IS 'When it was loaded.';

COMMENT ON TABLE tokens IS 'Sessions of accounts. The tokens themselves are not stored.';
COMMENT ON COLUMN tokens.digest IS 'SHA-256 of the token.';
COMMENT ON COLUMN tokens.username IS 'Account that is signed in.';
COMMENT ON COLUMN tokens.created_at IS 'When the session began.';
COMMENT ON COLUMN tokens.expires_at IS 'When the session ends.';

COMMENT ON TABLE trips IS 'Trips: a row for each departure of a service. Every write to a trip locks its row first.';
COMMENT ON COLUMN trips.bus_id IS 'The service.';
COMMENT ON COLUMN trips.travel_date IS 'Date at the first stop.';
COMMENT ON COLUMN trips.state IS 'open or cancelled.';
COMMENT ON COLUMN trips.reason IS 'Why it was cancelled. NULL: it is open.';
COMMENT ON COLUMN trips.settle_at IS 'When its first hold or waitlist entry expires. NULL: none does.';
COMMENT ON COLUMN trips.ended IS 'Whether it was cancelled because its service ends before it.';
COMMENT ON COLUMN trips.reopened IS 'Whether it was cancelled and is open again.';

COMMENT ON VIEW requests IS 'Table idempotency_keys under its name in version 0.1.0, whose servers use it.';
COMMENT ON COLUMN requests.bus_id IS 'Service of the request.';
COMMENT ON COLUMN requests.caller IS 'Owner of the key: phone:NUMBER, account:NAME or ref:REFERENCE of the request; empty: none of them.';
COMMENT ON COLUMN requests.key IS 'Idempotency key that the caller chose.';
COMMENT ON COLUMN requests.method IS 'Method of the request, such as book.';
COMMENT ON COLUMN requests.digest IS 'MD5 of the content of the request: a key with another content is refused.';
COMMENT ON COLUMN requests.answer IS 'The reply, as it is sent again.';
COMMENT ON COLUMN requests.at IS 'When the request was done.';
