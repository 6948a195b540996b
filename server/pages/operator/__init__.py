"""The pages for operators, on the same visits, forms and rendering as those for travellers.

frame     who may open them, and their navigation
trips     the trips of a day
trip      one trip: its load by leg and its seat occupancy chart
occupancy the seat occupancy chart as a table
manifest  the passengers of a trip by stop, check-in, no-shows
bookings  one booking
check_in  check-in by typed reference or by camera
trip_changes  notice, delay, skipped stops, cancellation, blocked seats
trip_vehicle  the vehicle and the drivers of a trip; the exchange of its vehicle
sales         sales and occupancy
reports       the report of a period: read for a page, and sent as CSV
services      the services: a list, one as a form or as a document, its end
service_form, service_document  a service as texts of a form, and as YAML
form_fields, records  fields of forms; a page with a list of records and their form
fleet     vehicles, drivers and places
accounts      accounts of money by day
payments      payments, the settlement of manual ones, refunds to pay back
bank_file     the settlement of the payments in a bank's file
invoices, invoicing  the invoices of a year; what is on them
webhooks  webhooks and what was sent to them
promo_codes   promo codes
staff         agents and their settlements
charts    the geometry of the charts, which the templates draw as SVG
"""
