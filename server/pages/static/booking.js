// Follows a booking. When it has changed (it is paid, promoted from the waitlist, delayed; a message has come),
// its page is loaded. A page with a list of messages gets the new list, so that what is typed below it stays.
const shown = document.querySelector("[data-events]");

async function renew(list) {
  const response = await fetch(location.pathname);
  const fresh = response.ok && new DOMParser().parseFromString(await response.text(), "text/html");
  list.replaceChildren(...(fresh ? fresh.querySelector("[data-live]").childNodes : list.childNodes));
}

if (shown) {
  const events = new EventSource(shown.dataset.events);
  const list = document.querySelector("[data-live]");
  let first = null;
  // What a sent form changes must not lead away from the page to which the form leads.
  document.addEventListener("submit", () => events.close());
  events.addEventListener("booking", ({ data }) => {
    if (first !== null && data !== first) {
      if (list) {
        renew(list);
      } else {
        events.close();
        location.replace(shown.dataset.page);
      }
    }
    first = data;
  });
}
