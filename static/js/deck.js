// The cards in hand, the first one on top. Fetches more before they run out.
import { Card } from "./card.js";
import { post } from "./http.js";

const REFILL_AT = 3;

export class Deck {
  #fetching = null;
  cards = [];
  stopped = "";
  sent = new Map(); // decided in this window, not yet confirmed: card by claim

  // `decided()` gives the claims that are decided already, here or before a reload, whatever the server knows of that.
  constructor({ root, url, pictures, decided, added }) {
    Object.assign(this, { root, url, pictures, decided, added });
  }

  get current() {
    return this.cards[0] ?? null;
  }

  get low() {
    return this.cards.length < REFILL_AT;
  }

  // Adds claimed cards; resolves to how many came. Rejects with Refused. One request at a time.
  refill() {
    this.#fetching ??= this.#claim().finally(() => (this.#fetching = null));
    return this.#fetching;
  }

  async #claim() {
    const body = new FormData();
    for (const id of [...this.cards.map((card) => card.id), ...this.decided()]) body.append("have", id);
    const answer = await post(this.url, body);
    const part = document.createRange().createContextualFragment(await answer.text());
    const fresh = [...part.querySelectorAll("article.claim")].map((element) => new Card(element));
    this.stopped = part.querySelector("#stopped")?.textContent ?? ""; // why nothing more is handed out
    this.backlog = part.querySelector("#backlog");
    for (const card of fresh) {
      this.added(card.element);
      this.root.append(card.element);
      this.cards.push(card);
    }
    return fresh.length;
  }

  // The current card leaves the hand and the next is shown at once.
  take() {
    const card = this.cards.shift();
    card.hide();
    return card;
  }

  // Comes next: never in place of what somebody is looking at.
  putBack(card) {
    this.cards.splice(1, 0, card);
  }

  drop(card) {
    this.cards = this.cards.filter((other) => other !== card);
    this.pictures.forget(card);
    card.remove();
  }

  // To the top, before what was there; false when it is not in hand.
  bring(id) {
    const card = this.cards.find((one) => one.id === id);
    if (!card) return false;
    this.cards = [card, ...this.cards.filter((one) => one !== card)];
    return true;
  }

  // Nothing is in this window's hands any more.
  clear() {
    for (const card of [...this.cards]) this.drop(card);
  }

  // The next one paints at once: blurred, for the clear image leaves the house only when somebody asks to look.
  decodeAhead() {
    for (const card of this.cards.slice(0, 2)) card.blurred.decode().catch(() => {});
  }
}
