// Loads the page of a booking again when the booking has changed: it is paid, promoted from the waitlist, delayed.
const shown = document.querySelector("[data-events]");

if (shown) {
  const events = new EventSource(shown.dataset.events);
  let first = null;
  events.addEventListener("booking", ({ data }) => {
    if (first !== null && data !== first) {
      events.close();
      location.reload();
    }
    first = data;
  });
}
