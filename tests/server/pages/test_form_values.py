"""Any values of the fields of any form: no internal error, and no text of a field as markup."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.page_visitor import Form, Visitor

MARKUP = "<svg onload=x>"
EXAMPLES = 15  # of each form
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", MARKUP, "-1", "0", "1", "9" * 40, "1e9", "2026-12-05", "on", "a@b", "98450 12345", "٣"]
    ),
)


def forms_of(visitor: Visitor) -> list[Form]:
    """Each form that writes, with its token and its key."""
    form = visitor.choose(3).form("/passengers")
    reference = visitor.book(4, 5).reference
    held = visitor.hold(6)
    changes = ("seat", "alight", "transfer", "contact", "messages", "cancel")
    pages = [visitor.get(f"/bookings/{reference}/{change}") for change in changes]
    pages.append(visitor.get(f"/bookings/{reference}/exchange?bus_id=1&travel_date=2026-12-06"))
    pages += [visitor.get(path) for path in ("/bookings", "/bookings/find", "/forgotten")]
    found = [form, *held.forms, *(one for page in pages for one in page.forms)]
    return [one for one in found if one.method == "post"]


def send_any_values(visitor: Visitor, form: Form) -> None:
    """Send a form with values that are changed at random."""
    names = sorted(form.names() - {"token"})

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(st.sampled_from(names), st.lists(TEXTS, max_size=3), min_size=1))
    def send(values: dict[str, list[str]]) -> None:
        page = visitor.send(form, **values)
        assert page.status < 500, (form.action, values)
        assert MARKUP not in page.html

    send()


def test_any_values_of_a_form_are_no_internal_error(visitor: Visitor) -> None:
    for form in forms_of(visitor):
        if form.names() > {"token"}:
            send_any_values(visitor, form)
