// Keeps the pages of a trip and of a day up to date: after each change of their trips, their live parts are loaded
// again.
// Without this script they are plain pages and forms.
import { Follower } from "./follower.js";
import { replace, sendInPlace } from "./live_parts.js";

const { events, event, page = location.href } = document.querySelector("[data-events]").dataset;
const connection = document.querySelector("#connection");
let isLoading = false;
let isDue = false;

// Load the live parts again. If a trip changes meanwhile, load them once more.
async function reload() {
  isDue = true;
  if (isLoading) {
    return;
  }
  isLoading = true;
  while (isDue) {
    isDue = false;
    try {
      const response = await fetch(page);
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
new Follower(events, event, reload, (isAway) => {
  connection.textContent = isAway ? connection.dataset.away : connection.dataset.back;
  connection.hidden = false;
});
