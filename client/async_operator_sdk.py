"""The methods of a client for operators. client/async_sdk.py explains the methods."""

# ruff: noqa: PLR0913 – one parameter for each field of a request

from collections.abc import AsyncIterator
from datetime import date

from msgspec import UNSET, UnsetType

from busware.async_webhook_sdk import AsyncWebhookClient
from busware.retries import service_fields
from busware.server import protocol
from busware.server.protocol import (
    Agent,
    Assignment,
    Booking,
    ChangedPlace,
    ChangedService,
    Driver,
    Invoice,
    Invoicing,
    OpenRefund,
    OperatedTrip,
    OperatorPayment,
    Payment,
    PaymentOutcome,
    PaymentState,
    PromoCode,
    Quota,
    ServiceData,
    ServiceSummary,
    Settlement,
    StaffAccount,
    StaffRole,
    Tax,
    Vehicle,
)


class AsyncOperatorClient(AsyncWebhookClient):
    """A client with a method for each request of operators."""

    async def trips(
        self, date: date | None = None, *, legs: bool | None = None
    ) -> AsyncIterator[protocol.TripOfDay]:
        """The operator's trips on a travel date, in order of bus_id. date: by default today.

        legs: whether each trip has its legs.
        """
        request = protocol.OperatorTrips(date=date, legs=legs)
        async for page in self._pages(request, protocol.OperatedTrips):
            for trip in page.trips:
                yield trip

    async def manifest(self, bus_id: int, travel_date: date) -> protocol.TripManifest:
        """The passengers who board and alight at each stop of a trip."""
        return await self.call(
            protocol.Manifest(bus_id=bus_id, travel_date=travel_date), protocol.TripManifest
        )

    async def check_in(
        self,
        reference: str,
        *,
        tickets: list[int] | None = None,
        at: str | int | None = None,
        bus_id: int | None = None,
        travel_date: date | None = None,
        undo: bool | None = None,
        key: str | None = None,
    ) -> Booking:
        """Check in the passengers of a booking, or undo that.

        reference: may be the text of a ticket's QR code.
        """
        request = protocol.CheckIn(
            reference=reference,
            tickets=tickets,
            at=at,
            bus_id=bus_id,
            travel_date=travel_date,
            undo=undo,
            key=key,
        )
        return await self.call(request, Booking)

    async def no_shows(
        self,
        bus_id: int,
        travel_date: date,
        at: str | int,
        *,
        release: bool | None = None,
        key: str | None = None,
    ) -> protocol.NoShows:
        """Mark those who board at a stop and are not checked in. release: whether their seats sell again."""
        request = protocol.MarkNoShows(
            bus_id=bus_id, travel_date=travel_date, at=at, release=release, key=key
        )
        return await self.call(request, protocol.NoShows)

    async def sales(
        self,
        from_date: date,
        to_date: date,
        *,
        group: protocol.SalesGroup | None = None,
        by: protocol.SalesDates | None = None,
    ) -> protocol.SalesReport:
        """The sales of the operator's services, by service, date, segment or agent."""
        request = protocol.Sales(from_date=from_date, to_date=to_date, group=group, by=by)
        return await self.call(request, protocol.SalesReport)

    async def load(self, bus_id: int, travel_date: date) -> protocol.TripLoad:
        """The booked, held and free seats on each leg of a trip."""
        return await self.call(protocol.Load(bus_id=bus_id, travel_date=travel_date), protocol.TripLoad)

    async def occupancy(self, bus_id: int, travel_date: date) -> protocol.TripOccupancy:
        """The tickets that have each seat of a trip."""
        return await self.call(
            protocol.Occupancy(bus_id=bus_id, travel_date=travel_date), protocol.TripOccupancy
        )

    async def cancel_trip(
        self, bus_id: int, travel_date: date, reason: str, *, plan: bool = False, key: str | None = None
    ) -> protocol.CancelledTrip:
        """Cancel a trip. Every passenger whose journey has not ended gets a full refund.

        plan: return what would happen, and change nothing.
        """
        request = protocol.CancelTrip(
            bus_id=bus_id, travel_date=travel_date, reason=reason, plan=plan, key=key
        )
        return await self.call(request, protocol.CancelledTrip)

    async def trip_offers(self, bus_id: int, travel_date: date) -> list[protocol.Offer]:
        """All offers that were made to the bookings of a trip."""
        request = protocol.TripOffers(bus_id=bus_id, travel_date=travel_date)
        return (await self.call(request, protocol.OfferList)).offers

    async def delay_trip(
        self,
        bus_id: int,
        travel_date: date,
        minutes: int,
        *,
        at: str | int | None = None,
        reason: str | None = None,
        plan: bool = False,
        key: str | None = None,
    ) -> protocol.DelayedTrip:
        """Delay a trip from a stop on, and inform its passengers. minutes: the delay after the timetable.

        at: a place or the number of a stop; by default the first that the trip has not left. plan: return
        what would happen, and change nothing.
        """
        request = protocol.DelayTrip(
            bus_id=bus_id, travel_date=travel_date, minutes=minutes, at=at, reason=reason, plan=plan, key=key
        )
        return await self.call(request, protocol.DelayedTrip)

    async def skip_stop(
        self,
        bus_id: int,
        travel_date: date,
        at: str | int,
        *,
        reason: str | None = None,
        plan: bool = False,
        key: str | None = None,
    ) -> protocol.SkippedStop:
        """Skip a stop of a trip, and offer its passengers a refund. at: a place or a stop number.

        plan: return what would happen, and change nothing.
        """
        request = protocol.SkipStop(
            bus_id=bus_id, travel_date=travel_date, at=at, reason=reason, plan=plan, key=key
        )
        return await self.call(request, protocol.SkippedStop)

    async def serve_stop(
        self, bus_id: int, travel_date: date, at: str | int, *, key: str | None = None
    ) -> protocol.ServedStop:
        """Serve a stop again that a trip skips. Tickets stay as they are."""
        request = protocol.ServeStop(bus_id=bus_id, travel_date=travel_date, at=at, key=key)
        return await self.call(request, protocol.ServedStop)

    async def block_seats(
        self,
        bus_id: int,
        travel_date: date,
        seats: list[int],
        *,
        from_stop: int | None = None,
        to_stop: int | None = None,
        reason: str | None = None,
        key: str | None = None,
    ) -> list[protocol.BlockedSegment]:
        """Take seats of a trip out of sale, by default on the whole route; return what is blocked."""
        return (
            await self.call(
                protocol.BlockSeats(
                    bus_id=bus_id, travel_date=travel_date, seats=seats, from_stop=from_stop,
                    to_stop=to_stop, reason=reason, key=key,
                ),
                protocol.BlockedSeats,
            )
        ).blocked  # fmt: skip

    async def unblock_seats(
        self,
        bus_id: int,
        travel_date: date,
        seats: list[int],
        *,
        from_stop: int | None = None,
        to_stop: int | None = None,
        key: str | None = None,
    ) -> list[protocol.BlockedSegment]:
        """Put blocked seats of a trip on sale again; return what is still blocked."""
        return (
            await self.call(
                protocol.UnblockSeats(
                    bus_id=bus_id, travel_date=travel_date, seats=seats, from_stop=from_stop,
                    to_stop=to_stop, key=key,
                ),
                protocol.BlockedSeats,
            )
        ).blocked  # fmt: skip

    async def events(self, after: str | None = None, *, limit: int | None = None) -> protocol.EventList:
        """What happened to the bookings and trips of your services. after: `next` of the previous call.

        Store `next` together with what you have done with the events.
        """
        return await self.call(protocol.Events(after=after, limit=limit), protocol.EventList)

    async def promo_codes(self, operator: str | None = None) -> AsyncIterator[PromoCode]:
        """The operator's promo codes, by code, with their uses. operator: only an admin names it."""
        async for page in self._pages(protocol.PromoCodes(operator=operator), protocol.PromoCodeList):
            for promo_code in page.promo_codes:
                yield promo_code

    async def put_promo_code(
        self,
        code: str,
        *,
        operator: str | None = None,
        percent: str | None = None,
        amount: str | None = None,
        currency: str | None = None,
        services: list[int] | None = None,
        first_date: date | None = None,
        last_date: date | None = None,
        max_uses: int | None = None,
        max_uses_per_account: int | None = None,
    ) -> PromoCode:
        """Create a promo code, or replace what it gives: a percentage and an amount off each ticket.

        services: those on which it is valid; by default all of the operator. first_date, last_date: the first
        and the last day on which a sale may use it.
        currency: of the amount; by default that of most services of the operator.
        """
        return await self.call(protocol.PutPromoCode(
            code=code, operator=operator, percent=percent, amount=amount, currency=currency,
            services=services, first_date=first_date, last_date=last_date, max_uses=max_uses,
            max_uses_per_account=max_uses_per_account,
        ), PromoCode)  # fmt: skip

    async def open_sales(self, bus_id: int, from_date: date, to_date: date) -> int:
        """Put trips of a bus on sale; return how many were not on sale before."""
        return (
            await self.call(
                protocol.OpenSales(bus_id=bus_id, from_date=from_date, to_date=to_date), protocol.OpenedSales
            )
        ).opened

    async def services(self) -> AsyncIterator[ServiceSummary]:
        """The operator's services, by number."""
        async for page in self._pages(protocol.Services(), protocol.ServiceList):
            for service in page.services:
                yield service

    async def service(self, bus_id: int) -> ServiceData:
        """A service with all its fields. put_service with this value changes nothing."""
        return await self.call(protocol.GetService(bus_id=bus_id), ServiceData)

    async def add_service(
        self, service: ServiceData, *, plan: bool = False, key: str | None = None
    ) -> ChangedService:
        """Add a service under the next number. plan: return what would happen, and change nothing."""
        request = protocol.AddService(**service_fields(service), plan=plan, key=key)
        return await self.call(request, ChangedService)

    async def put_service(self, bus_id: int, service: ServiceData, *, plan: bool = False) -> ChangedService:
        """Add a service under a number, or edit it: what `service` does not have stays."""
        request = protocol.PutService(bus_id=bus_id, **service_fields(service), plan=plan)
        return await self.call(request, ChangedService)

    async def end_service(self, bus_id: int, last_date: date | None, *, plan: bool = False) -> ChangedService:
        """Give a service a last date; None removes it, and opens the later trips again."""
        request = protocol.EndService(bus_id=bus_id, last_date=last_date, plan=plan)
        return await self.call(request, ChangedService)

    async def succeed_service(
        self,
        bus_id: int,
        from_date: date,
        changes: ServiceData | None = None,
        *,
        plan: bool = False,
        key: str | None = None,
    ) -> ChangedService:
        """End a service, and continue it from a date on under the next number, with changes."""
        fields = service_fields(changes or ServiceData())
        request = protocol.SucceedService(bus_id=bus_id, from_date=from_date, **fields, plan=plan, key=key)
        return await self.call(request, ChangedService)

    async def open_trip(self, bus_id: int, travel_date: date) -> OperatedTrip:
        """Open an extra trip of a service, or a cancelled trip again."""
        return await self.call(protocol.OpenTrip(bus_id=bus_id, travel_date=travel_date), OperatedTrip)

    async def put_place(
        self,
        code: str,
        *,
        name: str | UnsetType = UNSET,
        aliases: list[str] | UnsetType = UNSET,
        part_of: str | UnsetType | None = UNSET,
        time_zone: str | UnsetType = UNSET,
    ) -> ChangedPlace:
        """Add a place. Only an admin changes one: what is not given stays."""
        return await self.call(protocol.PutPlace(
            code=code, name=name, aliases=aliases, part_of=part_of, time_zone=time_zone
        ), ChangedPlace)  # fmt: skip

    async def vehicles(self, operator: str | None = None) -> AsyncIterator[Vehicle]:
        """The operator's vehicles, in order of registration. operator: only an admin names it."""
        async for page in self._pages(protocol.Vehicles(operator=operator), protocol.VehicleList):
            for vehicle in page.vehicles:
                yield vehicle

    async def put_vehicle(
        self,
        registration: str,
        *,
        operator: str | None = None,
        layout: str | UnsetType = UNSET,
        name: str | UnsetType | None = UNSET,
        notes: str | UnsetType | None = UNSET,
        seat_classes: list[protocol.VehicleClass] | UnsetType = UNSET,
        women_seats: list[int] | UnsetType = UNSET,
        accessible_seats: list[int] | UnsetType = UNSET,
        in_service: bool | UnsetType = UNSET,
    ) -> Vehicle:
        """Add a vehicle, or edit it: what is not given stays. None removes a name or notes."""
        return await self.call(protocol.PutVehicle(
            registration=registration, operator=operator, layout=layout, name=name, notes=notes,
            seat_classes=seat_classes, women_seats=women_seats, accessible_seats=accessible_seats,
            in_service=in_service,
        ), Vehicle)  # fmt: skip

    async def drivers(self, operator: str | None = None) -> AsyncIterator[Driver]:
        """The operator's drivers, in order of their codes. operator: only an admin names it."""
        async for page in self._pages(protocol.Drivers(operator=operator), protocol.DriverList):
            for driver in page.drivers:
                yield driver

    async def put_driver(
        self,
        code: str,
        *,
        operator: str | None = None,
        name: str | UnsetType = UNSET,
        phone: str | UnsetType | None = UNSET,
        licence_no: str | UnsetType | None = UNSET,
        active: bool | UnsetType = UNSET,
    ) -> Driver:
        """Add a driver, or edit one: what is not given stays. None removes a phone or a licence number."""
        return await self.call(protocol.PutDriver(
            code=code, operator=operator, name=name, phone=phone, licence_no=licence_no, active=active
        ), Driver)  # fmt: skip

    async def assign(
        self,
        bus_id: int,
        travel_date: date,
        *,
        vehicle: str | UnsetType | None = UNSET,
        drivers: list[str] | UnsetType | None = UNSET,
        until: date | None = None,
        plan: bool = False,
    ) -> Assignment:
        """Assign a vehicle and up to two drivers to a trip; None removes, and what is not given stays.

        until: the last travel date, to assign them to all open trips of the service up to it. plan: only say
        what would be done.
        """
        return await self.call(protocol.Assign(
            bus_id=bus_id, travel_date=travel_date, vehicle=vehicle, drivers=drivers, until=until, plan=plan
        ), Assignment)  # fmt: skip

    async def exchange_vehicle(
        self,
        bus_id: int,
        travel_date: date,
        vehicle: str,
        *,
        plan: bool = False,
        version: str | None = None,
        reason: str | None = None,
        key: str | None = None,
    ) -> protocol.VehicleExchange:
        """Exchange the vehicle of a trip for any other vehicle, and seat all passengers again.

        plan: only say what would be done. version: that of a plan; if the plan has changed since, nothing is
        done.
        """
        return await self.call(protocol.ExchangeVehicle(
            bus_id=bus_id, travel_date=travel_date, vehicle=vehicle, plan=plan, version=version,
            reason=reason, key=key,
        ), protocol.VehicleExchange)  # fmt: skip

    async def invoices(
        self, from_date: date, to_date: date, *, operator: str | None = None
    ) -> AsyncIterator[Invoice]:
        """The operator's invoices and credit notes of a period, by date and number."""
        request = protocol.Invoices(from_date=from_date, to_date=to_date, operator=operator)
        async for page in self._pages(request, protocol.InvoiceList):
            for invoice in page.invoices:
                yield invoice

    async def accounts(
        self, from_date: date, to_date: date, *, operator: str | None = None
    ) -> protocol.AccountReport:
        """The operator's charges, refunds, taxes and fees of a period, by day and currency."""
        request = protocol.AccountsOfMoney(from_date=from_date, to_date=to_date, operator=operator)
        return await self.call(request, protocol.AccountReport)

    async def invoicing(self, operator: str | None = None) -> Invoicing:
        """What the operator has on its invoices: their prefix, the seller and the tax."""
        return await self.call(protocol.GetInvoicing(operator=operator), Invoicing)

    async def put_invoicing(
        self,
        *,
        operator: str | None = None,
        prefix: str | UnsetType = UNSET,
        year_begins: int | UnsetType = UNSET,
        seller: str | UnsetType | None = UNSET,
        tax: Tax | UnsetType | None = UNSET,
        tax_from: date | UnsetType = UNSET,
    ) -> Invoicing:
        """Begin to issue invoices, or change the tax: what is not given stays. None: no tax, no seller."""
        return await self.call(protocol.PutInvoicing(
            operator=operator, prefix=prefix, year_begins=year_begins, seller=seller, tax=tax,
            tax_from=tax_from,
        ), Invoicing)  # fmt: skip

    async def agents(self, operator: str | None = None) -> AsyncIterator[Agent]:
        """The operator's agents, in order of their usernames. operator: only an admin names it."""
        async for page in self._pages(protocol.Agents(operator=operator), protocol.AgentList):
            for agent in page.agents:
                yield agent

    async def put_agent(
        self,
        agent: str,
        *,
        operator: str | None = None,
        commission_percent: str | UnsetType = UNSET,
        currency: str | UnsetType = UNSET,
        credit_limit: str | UnsetType | None = UNSET,
        active: bool | UnsetType = UNSET,
        quotas: list[Quota] | UnsetType = UNSET,
    ) -> Agent:
        """Change the terms of an agent: what is not given stays. None removes the credit limit."""
        return await self.call(protocol.PutAgent(
            agent=agent, operator=operator, commission_percent=commission_percent, currency=currency,
            credit_limit=credit_limit, active=active, quotas=quotas,
        ), Agent)  # fmt: skip

    async def staff(self, operator: str | None = None) -> AsyncIterator[StaffAccount]:
        """The accounts of agents and operators. operator: only an admin names it, and gets all without it."""
        async for page in self._pages(protocol.Staff(operator=operator), protocol.StaffList):
            for account in page.staff:
                yield account

    async def put_staff(
        self,
        username: str,
        *,
        operator: str | None = None,
        role: StaffRole | None = None,
        active: bool | None = None,
        reset_password: bool = False,
    ) -> StaffAccount:
        """Add a staff account, or change it: what is not given stays. reset_password: it loses its password.

        While the account has no password, the reply has a token that sets one: see `reset_password`.
        """
        return await self.call(protocol.PutStaff(
            username=username, operator=operator, role=role, active=active, reset_password=reset_password
        ), StaffAccount)  # fmt: skip

    async def settlement(
        self, agent: str | None = None, settlement_no: int | None = None, *, operator: str | None = None
    ) -> Settlement:
        """A settlement of an agent; without a number, what it would be now. An agent need not name itself."""
        request = protocol.GetSettlement(agent=agent, settlement_no=settlement_no, operator=operator)
        return await self.call(request, Settlement)

    async def settle_agent(
        self, agent: str, settlement_no: int, handed_over: str, *, operator: str | None = None
    ) -> Settlement:
        """Settle the cash of an agent. settlement_no: that of the open settlement."""
        request = protocol.SettleAgent(
            agent=agent, settlement_no=settlement_no, handed_over=handed_over, operator=operator
        )
        return await self.call(request, Settlement)

    async def settle_payment(
        self,
        payment: str,
        amount: str,
        currency: str,
        *,
        receipt: str | None = None,
        fee: str | None = None,
        plan: bool = False,
        key: str | None = None,
    ) -> PaymentOutcome:
        """Say that a manual payment has arrived. payment: the reference on the transfer.

        receipt: what tells this receipt from others. fee: what your bank charged for it. plan: only say what
        that would do.
        """
        return await self.call(protocol.SettlePayment(
            payment=payment, amount=amount, currency=currency, receipt=receipt, fee=fee, plan=plan, key=key,
        ), PaymentOutcome)  # fmt: skip

    async def operator_payments(self, state: PaymentState | None = None) -> AsyncIterator[OperatorPayment]:
        """The payments of your services to a provider, the last ones first. state: only these."""
        request = protocol.OperatorPayments(state=state)
        async for page in self._pages(request, protocol.OperatorPaymentList):
            for payment in page.payments:
                yield payment

    async def refunds(self) -> AsyncIterator[OpenRefund]:
        """The refunds that you pay back by hand: of manual payments, and those that failed."""
        async for page in self._pages(protocol.Refunds(), protocol.RefundList):
            for refund in page.refunds:
                yield refund

    async def settle_refund(self, reference: str, refund_id: str, *, fee: str | None = None) -> Payment:
        """Say that you have paid a refund back. fee: what your bank charged for that. Returns its payment."""
        request = protocol.SettleRefund(reference=reference, refund_id=refund_id, fee=fee)
        return await self.call(request, Payment)

    async def notice(
        self, bus_id: int, travel_date: date, text: str, *, key: str | None = None
    ) -> protocol.SentNotice:
        """For operators: send a notice to all passengers of a trip. Returns how many it reaches."""
        request = protocol.Notice(bus_id=bus_id, travel_date=travel_date, text=text, key=key)
        return await self.call(request, protocol.SentNotice)
