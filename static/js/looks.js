// Asking to see a clear image, and telling the house for how long it was in view. No clear image is here before somebody asks.
import { post } from "./http.js";

const BEAT = 5000; // ms between words about a look that lasts
const LOOKS = "/api/v1/looks";

export class Looks {
  #pending = new Map(); // look → seconds the house has not heard of yet
  #beat = null;

  // `heard(share)` is told how much of the shift's budget is used, whenever the house says so.
  constructor({ heard = () => {} } = {}) {
    this.heard = heard;
  }

  // Resolves to {id, blob} once it is on record. Rejects with Refused.
  begin(card) {
    return this.#ask(card.lookUrl, {});
  }

  // The same outside the desk, for `{submission}`.
  ask(what) {
    return this.#ask(LOOKS, what);
  }

  async #ask(url, body) {
    const answer = await post(url, body);
    return { id: answer.headers.get("Look-Id"), blob: await answer.blob() };
  }

  // `seconds()` gives the time in view so far.
  follow(id, seconds) {
    this.#beat = setInterval(() => this.#tell(id, seconds()), BEAT);
  }

  // The last word; it outlives the page.
  end(id, seconds) {
    clearInterval(this.#beat);
    this.#tell(id, seconds, { keepalive: true });
  }

  // What does not arrive now goes with the next one.
  #tell(id, seconds, options = {}) {
    this.#pending.set(id, Math.max(this.#pending.get(id) ?? 0, Math.round(seconds * 10) / 10));
    for (const [look, most] of this.#pending) {
      post(`${LOOKS}/${look}`, { seconds: most }, options).then(
        async (answer) => {
          if (this.#pending.get(look) === most) this.#pending.delete(look);
          this.heard((await answer.json()).budget_share);
        },
        (problem) => problem.kind !== "offline" && this.#pending.delete(look),
      );
    }
  }
}
