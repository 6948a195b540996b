"""The pages for travellers and operators: HTML made by the server, which works without JavaScript.

pages       the table of paths and views; the pages of errors
visits      one request of a page: what a view needs, and makes its answer with
forms       fields of forms; protection against requests of other sites; idempotency keys
cookies     what the browser keeps: session, opened bookings, language
rendering   templates and their filters                    static_files  stylesheet and scripts
refusals    refusals as texts in the traveller's language  kinds         the nouns of each kind of service
journeys    from the search to the trip                    seat_map      the seats of a trip as tables
holds       passengers, the hold, its payment              bookings      bookings that are opened; tickets
changes     cancel, exchange and other changes             accounts      sign in, register, a new password
exchanges   the exchange of a booking                      operator/     the pages for operators
languages   the choice of the language
"""
