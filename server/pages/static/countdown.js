// Counts down the time of a hold, and says it aloud near the end. When it is over, the page of the booking
// is loaded.
// The server says how many seconds are left, so it does not matter whether the clock of the device is right.
const RELOAD_MS = 1000; // after the end: the clocks of the server and of its database may differ a little
const MOST_SECONDS_APART = 60; // if they differ by more, the page keeps the time at which the hold ends
const shown = document.querySelector(".countdown");
const announcements = document.querySelector("#announcements");
const texts = { 120: "two", 60: "one", 30: "half" };

if (shown && Number(shown.dataset.seconds) > -MOST_SECONDS_APART) {
  const end = Date.now() + 1000 * Number(shown.dataset.seconds);
  let before = Infinity;
  const time = document.createElement("time");
  time.setAttribute("role", "timer");
  shown.replaceChildren(shown.dataset.label, " ", time);

  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    shown.classList.toggle("near", seconds <= 60);
    for (const limit of [30, 60, 120]) {
      if (before > limit && seconds <= limit && before !== Infinity) {
        announcements.textContent = announcements.dataset[texts[limit]];
        break;
      }
    }
    before = seconds;
    if (seconds > 0) {
      setTimeout(tick, 250);
    } else {
      setTimeout(() => location.replace(shown.dataset.page), RELOAD_MS);
    }
  };
  tick();
}
