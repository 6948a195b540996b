"""Accounts: sign in, register, sign out, a new password."""

from starlette.responses import Response

from busware.server import protocol
from busware.server.booking.permissions import OPERATORS
from busware.server.pages.visits import Page, Table, Visit, is_local
from busware.server.protocol import Refusal, Session


def show_sign_in(visit: Visit) -> Response:
    """The form to sign in."""
    return visit.render("sign_in.html", to=_to(visit))


def sign_in(visit: Visit) -> Response:
    """Sign in, and return to the page from which the traveller came."""
    return _signed_in(visit, _login(visit))


def _login(visit: Visit) -> Session:
    """A session of the account in the form. Raises Refusal."""
    session: Session = visit.request(
        protocol.Login, username=visit.value("username"), password=visit.value("password")
    )
    return session


def show_register(visit: Visit) -> Response:
    """The form for a new account."""
    return visit.render("register.html", to=_to(visit))


def register(visit: Visit) -> Response:
    """Create an account, and sign in. Sent again, such as by a double click, the form signs in."""
    email = visit.value("email")
    try:
        session: Session = visit.request(
            protocol.Register,
            username=visit.value("username"),
            password=visit.value("password"),
            phone=visit.value("phone"),
            email=email,
            language=visit.language.code if email else "",
        )
    except Refusal as refusal:
        if refusal.reason != "username_taken":
            raise
        try:
            session = _login(visit)
        except Refusal:
            raise refusal from None
    to = _to(visit)
    return _signed_in(visit, session, f"{to}{'&' if '?' in to else '?'}done=registered")


def _signed_in(visit: Visit, session: Session, to: str = "") -> Response:
    """Keep the session, and send the browser to a page; to the one to return to if none is given."""
    visit.cookies.set("session", session.token)
    return visit.see(to or _to(visit))


def _to(visit: Visit) -> str:
    """The page to return to."""
    to = visit.value("to", "/bookings")
    return to if is_local(to) else "/bookings"


def show_account(visit: Visit) -> Response:
    """The account: its e-mail address, and how to sign out."""
    if visit.caller.account is None:
        return visit.see("/sign-in", {"to": "/account"})
    return visit.render("account.html", account=visit.caller.account)


def set_email(visit: Visit) -> Response:
    """Set the e-mail address of the account."""
    email = visit.value("email")
    visit.request(
        protocol.SetEmail,
        password=visit.value("password"),
        email=email,
        language=visit.language.code if email else "",
    )
    return visit.see("/account", {"done": "email"})


def sign_out(visit: Visit) -> Response:
    """Sign out here, or everywhere. The bookings that were opened in this browser are forgotten, too."""
    try:
        if visit.caller.account is not None:
            visit.request(protocol.Logout, everywhere=visit.value("everywhere") == "on")
    except Refusal as refusal:
        if refusal.reason not in ("session_ended", "not_signed_in"):
            raise
    for name in ("session", "bookings", "form"):
        visit.cookies.set(name, None)
    return visit.see("/")


def show_forgotten(visit: Visit) -> Response:
    """The form that requests a mail for a new password."""
    return visit.render("forgotten.html", sent=visit.value("sent") == "yes")


def request_reset(visit: Visit) -> Response:
    """Request an e-mail for a new password. The page does not say whether one is sent."""
    visit.request(protocol.RequestReset, account=visit.value("account"))
    return visit.see("/forgotten", {"sent": "yes"})


def show_new_password(visit: Visit) -> Response:
    """The form for a new password, with the token of the mail."""
    return visit.render("new_password.html")


def set_password(visit: Visit) -> Response:
    """Set a new password, and sign in."""
    session: Session = visit.request(
        protocol.ResetPassword,
        reset_token=visit.value("reset_token"),
        password=visit.value("password"),
    )
    return _signed_in(visit, session, "/operator" if session.role in OPERATORS else "")


PAGES: Table = {
    "/sign-in": Page(show_sign_in, sign_in, "login"),
    "/register": Page(show_register, register, "registration"),
    "/account": Page(show_account, set_email, "login"),
    "/sign-out": Page(show_account, sign_out),
    "/forgotten": Page(show_forgotten, request_reset),
    "/new-password": Page(show_new_password, set_password, "registration"),
}
