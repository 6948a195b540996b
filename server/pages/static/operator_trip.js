// Keeps the pages of a trip up to date: after each change of the trip, their live parts are loaded again.
// Without this script they are plain pages and forms.
import { Follower } from "./follower.js";

const head = document.querySelector("[data-events]");
const connection = document.querySelector("#connection");
let isLoading = false;
let isDue = false;

// Load the live parts again. If the trip changes meanwhile, load them once more.
async function reload() {
  isDue = true;
  if (isLoading) {
    return;
  }
  isLoading = true;
  while (isDue) {
    isDue = false;
    try {
      const response = await fetch(location.href);
      if (response.ok) {
        replace(await response.text(), "[data-live]");
      }
    } catch {
      // The event stream is lost, too: it says so, and the parts are loaded when it is back.
    }
  }
  isLoading = false;
}

// Replace the parts of the page that differ in another text of it, and keep the focus and what is scrolled.
function replace(text, selector) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement?.id;
  for (const part of document.querySelectorAll(selector)) {
    const now = fresh.getElementById(part.id);
    if (now && now.innerHTML !== part.innerHTML) {
      const { scrollLeft, scrollTop } = part;
      part.replaceChildren(...now.childNodes);
      part.scrollTo(scrollLeft, scrollTop);
    }
  }
  if (focused && document.activeElement?.id !== focused) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

// Send a form, and show what it has changed without loading the page. The server answers with the whole page.
async function send(form, button) {
  const body = new URLSearchParams(new FormData(form));
  body.append(button.name, button.value);
  try {
    const response = await fetch(form.action, { method: "POST", body });
    replace(await response.text(), "[data-live], [data-reply]");
    document.querySelector("#problem")?.focus();
  } catch {
    tell(true);
  }
}

function tell(isAway) {
  connection.textContent = isAway ? head.dataset.away : head.dataset.back;
  connection.hidden = false;
}

for (const form of document.querySelectorAll("[data-in-place]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, event.submitter);
  });
}
new Follower(head.dataset.events, "trip", reload, tell);
