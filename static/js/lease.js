// Keeps what is in hand ours while somebody works: a heartbeat while the page is visible and in use, none when it is not.
import { post } from "./http.js";

const BEATS_A_LEASE = 5;

export class Lease {
  #last = Date.now(); // last sign of a person
  #beat = 0;

  // `lost` is called with the cards whose lease is over.
  constructor({ deck, url, seconds, lost }) {
    Object.assign(this, { deck, url, lost, span: seconds * 1000 });
    for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) document.addEventListener(kind, () => this.touch(), { passive: true });
    document.addEventListener("visibilitychange", () => document.hidden || this.tick());
    setInterval(() => this.tick(), 1000);
  }

  touch() {
    this.#last = Date.now();
  }

  get inUse() {
    return !document.hidden && Date.now() - this.#last < this.span;
  }

  tick() {
    for (const card of this.deck.cards) card.tick();
    const over = this.deck.cards.filter((card) => card.secondsLeft <= 0);
    if (over.length) this.lost(over);
    if (this.inUse && this.deck.cards.length && Date.now() - this.#beat > this.span / BEATS_A_LEASE) this.beat();
  }

  async beat() {
    this.#beat = Date.now();
    const asked = [...this.deck.cards];
    const body = new FormData();
    for (const card of asked) body.append("claim", card.id);
    try {
      const { seconds, until } = await (await post(this.url, body)).json();
      for (const card of asked.filter((one) => one.id in seconds)) card.renew(seconds[card.id], until[card.id]);
      const gone = asked.filter((card) => !(card.id in seconds) && this.deck.cards.includes(card));
      if (gone.length) this.lost(gone);
    } catch {
      // No answer: the countdown goes on, the next beat tries again, and the clock tells when it is over.
    }
  }
}
