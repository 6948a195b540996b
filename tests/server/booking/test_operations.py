"""What the server stores of the texts of a request."""

from tests.conftest import Database, LineClient
from tests.support.schema_api import ASHA, TRIP


def test_texts_are_stored_in_their_visible_form(client_socket: LineClient, database: Database) -> None:
    names = ["Asha\u202e", "\u2067Malmo\u0308\u2028", "\u200b", "അവന്‍"]
    passengers = [{"name": name} for name in names]
    booked = client_socket.call("book", **TRIP, phone=ASHA, count=4, passengers=passengers)
    assert database.query("SELECT name FROM passengers ORDER BY ticket_no") == ["Asha", "Malmö", None, "അവന്‍"]
    assert client_socket.call("say", text="Where is\u202e my bus?\u2028") == {}
    assert database.query("SELECT body FROM messages") == ["Where is my bus?"]
    assert client_socket.call("say", text="\u200b\u3164")["data"]["field"] == "text"
    shown = client_socket.call(
        "booking", reference=f"\u2066{booked['reference']}\u2069", phone=f"{ASHA}\u200e"
    )
    assert shown["reference"] == booked["reference"]
