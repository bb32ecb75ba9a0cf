// The cards in hand, the first one on top. Fetches more before they run out.
import { Card } from "./card.js";
import { post } from "./http.js";

const REFILL_AT = 3;

export class Deck {
  #fetching = null;
  cards = [];
  sending = new Map(); // decided, not yet confirmed

  constructor({ root, url, pictures }) {
    this.root = root;
    this.url = url;
    this.pictures = pictures;
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
    for (const id of [...this.cards.map((card) => card.id), ...this.sending.keys()]) body.append("have", id);
    const answer = await post(this.url, body);
    const part = document.createRange().createContextualFragment(await answer.text());
    const fresh = [...part.querySelectorAll("article.claim")].map((element) => new Card(element));
    this.backlog = part.querySelector("#backlog");
    for (const card of fresh) {
      this.root.append(card.element);
      this.cards.push(card);
      this.pictures.fetch(card);
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

  decodeAhead() {
    for (const card of this.cards.slice(0, 2)) this.pictures.decode(card).catch(() => {});
  }
}
