// Keeps the pages of a trip up to date: after each change of the trip, their live parts are loaded again.
// Without this script they are plain pages and forms.
import { Follower } from "./follower.js";
import { replace, sendInPlace } from "./live_parts.js";

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

sendInPlace(() => document.querySelector("#problem")?.focus());
new Follower(document.querySelector("[data-events]").dataset.events, "trip", reload, (isAway) => {
  connection.textContent = isAway ? connection.dataset.away : connection.dataset.back;
  connection.hidden = false;
});
