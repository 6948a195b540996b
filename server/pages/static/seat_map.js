// The seat map: the total of the chosen seats, the arrow keys, and what other travellers take meanwhile.
// Without this script the map is a plain form.
import { Follower } from "./follower.js";

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

class SeatMap {
  constructor(fieldset) {
    this.fieldset = fieldset;
    this.texts = JSON.parse(fieldset.dataset.texts);
    this.limit = Number(fieldset.dataset.limit);
    this.inputs = [...fieldset.querySelectorAll("input[name=seat]")];
    this.byNumber = new Map(this.inputs.map((input) => [Number(input.value), input]));
    this.notice = fieldset.querySelector("[data-notice]");
    this.news = fieldset.querySelector("[data-news]");
    this.sum = document.querySelector("[data-chosen]");
    this.money = new Intl.NumberFormat(`${document.documentElement.lang}-IN`, {
      style: "currency",
      currency: fieldset.dataset.currency,
      trailingZeroDisplay: "stripIfInteger",
    });
    fieldset.addEventListener("change", (event) => this.choose(event.target));
    fieldset.addEventListener("keydown", (event) => this.press(event));
    fieldset.addEventListener("focusin", (event) => this.rove(event.target));
    this.decks = [...fieldset.querySelectorAll(".deck")].map((deck) => [...deck.querySelectorAll("input")]);
    this.setStops();
    this.showSum();
  }

  // Choosing ----------------------------------------------------------------------------------

  chosen() {
    return this.inputs.filter((input) => input.checked);
  }

  free() {
    return this.inputs.filter((input) => !input.disabled);
  }

  choose(input) {
    const tooMany = this.chosen().length > this.limit;
    if (tooMany) {
      input.checked = false;
    }
    this.say(tooMany ? this.fieldset.dataset.limitText : "");
    this.showSum();
  }

  showSum() {
    if (!this.sum) {
      return;
    }
    const chosen = this.chosen();
    const fare = (input) => Number(input.dataset.fare ?? this.fieldset.dataset.fare);
    const total = chosen.reduce((sum, input) => sum + fare(input), 0);
    const seats = chosen.map((input) => input.value).join(", ");
    this.sum.hidden = false;
    this.sum.querySelector("[data-seats]").textContent = chosen.length
      ? fill(this.texts.chosen, { seats })
      : this.texts.none;
    this.sum.querySelector("[data-total]").textContent = chosen.length ? this.money.format(total) : "";
  }

  // A text that everybody sees, and that is announced.
  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
    this.news.textContent = text;
  }

  // Keys --------------------------------------------------------------------------------------

  // One seat of each deck is a stop of the Tab key; the arrow keys move from seat to seat.
  rove(stop) {
    for (const input of this.decks.find((deck) => deck.includes(stop)) ?? []) {
      input.tabIndex = input === stop ? 0 : -1;
    }
  }

  setStops() {
    const isFree = (input) => !input.disabled;
    for (const deck of this.decks) {
      this.rove(deck.find((input) => isFree(input) && input.tabIndex === 0) ?? deck.find(isFree));
    }
  }

  press(event) {
    const arrow = ARROWS[event.key];
    if (arrow && this.inputs.includes(event.target)) {
      event.preventDefault();
      this.next(event.target, arrow)?.focus();
    }
  }

  // The nearest free seat in a direction, on the same row or column if possible.
  next(from, [down, right]) {
    return this.least((x, y) => {
      const along = y * down + x * right;
      const aside = Math.abs(y * right) + Math.abs(x * down);
      return along > 1 && aside <= 2 * along ? along + 4 * aside : Infinity;
    }, from);
  }

  // The nearest free seat. A seat beside is nearer than one in front.
  nearest(from) {
    return this.least((x, y) => Math.abs(x) + 2 * Math.abs(y), from);
  }

  // The free seat with the least value of a function of its distance in pixels, right and down, from a seat.
  least(valueOf, from) {
    const at = middle(from);
    const value = (input) => valueOf(middle(input).x - at.x, middle(input).y - at.y);
    const others = this.free().filter((input) => input !== from && value(input) < Infinity);
    return others.reduce((best, input) => (best && value(best) <= value(input) ? best : input), undefined);
  }

  // Changes -----------------------------------------------------------------------------------

  // Show the seats of a reply of the API.
  update(seats) {
    const taken = [];
    const freed = [];
    const lost = [];
    for (const { seat_no: number, state } of seats) {
      const input = this.byNumber.get(number);
      const box = input?.nextElementSibling;
      const before = box?.dataset.state;
      const isBlocked = before === "blocked" && state === "taken"; // other callers see blocked seats as taken
      if (!input || before === state || before === "yours" || isBlocked) {
        continue;
      }
      if (state === "free" || before === "free") {
        (state === "free" ? freed : input.checked ? lost : taken).push(input);
      }
      box.dataset.state = state;
      input.setAttribute("aria-label", renamed(input, this.texts[before], this.texts[state]));
    }
    const focused = document.activeElement;
    for (const input of [...lost, ...taken]) {
      input.checked = false;
      input.disabled = true;
    }
    for (const input of freed) {
      input.disabled = false;
    }
    this.setStops();
    if (focused?.disabled) {
      this.nearest(focused)?.focus(); // a disabled seat cannot have the focus
    }
    this.tell(lost, taken, freed);
    this.showSum();
  }

  tell(lost, taken, freed) {
    const counts = { free: this.free().length, all: this.inputs.length };
    this.fieldset.querySelector("[data-free-count]").textContent = fill(this.texts.free_count, counts);
    const tell = (text, inputs) => (inputs.length ? [fill(this.texts[text], { seats: names(inputs) })] : []);
    const others = [...tell("taken_now", taken), ...tell("free_again", freed)].join(" ");
    if (lost.length) {
      this.say(...tell("lost", lost));
    } else if (others) {
      this.news.textContent = others;
    }
  }
}

function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

// The first words of the names, such as "Seat 7, Seat 8".
function names(inputs) {
  return inputs.map((input) => input.getAttribute("aria-label").split(",")[0]).join(", ");
}

// The name of a seat with another state at its end.
function renamed(input, before, after) {
  const name = input.getAttribute("aria-label");
  return name.slice(0, name.length - before.length) + after;
}

function middle(input) {
  const { left, right, top, bottom } = input.getBoundingClientRect();
  return { x: (left + right) / 2, y: (top + bottom) / 2 };
}

for (const fieldset of document.querySelectorAll(".seat-map")) {
  const map = new SeatMap(fieldset);
  new Follower(
    fieldset.dataset.events,
    "seats",
    (data) => map.update(JSON.parse(data).seats),
    (isAway) => map.say(isAway ? map.texts.away : map.texts.back),
  );
}
