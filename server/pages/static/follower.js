// Follows an event stream. A browser connects again by itself, but not after a refusal. The stream is closed
// while the page is hidden: a browser has few connections to a server.
const FIRST_WAIT_MS = 2000; // before the script connects again after the server has refused to
const LONGEST_WAIT_MS = 30000;

export class Follower {
  // receive: gets the data of each event with this name. tell: gets true when the connection is lost, and
  // false when it is back.
  constructor(address, name, receive, tell) {
    Object.assign(this, { address, name, receive, tell });
    this.wait = FIRST_WAIT_MS;
    this.away = false;
    document.addEventListener("visibilitychange", () => this.follow());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.follow());
    this.follow();
  }

  follow() {
    this.close();
    if (document.hidden) {
      return;
    }
    this.source = new EventSource(this.address);
    this.source.addEventListener(this.name, (event) => {
      this.wait = FIRST_WAIT_MS;
      if (this.away) {
        this.away = false;
        this.tell(false);
      }
      this.receive(event.data);
    });
    this.source.addEventListener("error", () => this.retry());
  }

  retry() {
    if (!this.away) {
      this.away = true;
      this.tell(true);
    }
    if (this.source.readyState === EventSource.CLOSED) {
      this.timer = setTimeout(() => this.follow(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
    }
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
  }
}
