// Replaces the parts of a page that differ in another text of it: data-live after a change of the trip,
// data-reply after a form that is sent without loading the page.

// Replace parts of the page, and keep the focus and what is scrolled.
export function replace(text, selector) {
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

// Send the forms with data-in-place without loading the page. The server answers with the whole page; if that is
// another page, such as after the end of the session, the browser sends the form itself. done: called after the
// answer is shown.
export function sendInPlace(done) {
  const connection = document.querySelector("#connection");
  // The second click of a double click may hit the button that the first one has brought, such as Undo.
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest("button")?.form?.dataset.inPlace === "") {
      event.preventDefault();
    }
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.dataset.inPlace !== "") {
      return;
    }
    event.preventDefault();
    const button = event.submitter;
    const body = new URLSearchParams(new FormData(form));
    if (button?.name) {
      body.append(button.name, button.value);
    }
    try {
      const response = await fetch(form.action, { method: "POST", body });
      const text = await response.text();
      if (text.includes("data-reply")) {
        replace(text, "[data-live], [data-reply]");
        connection.hidden = true;
        done();
      } else {
        form.dataset.inPlace = "off";
        form.requestSubmit(button);
      }
    } catch {
      connection.textContent = connection.dataset.away;
      connection.hidden = false;
    }
  });
}
