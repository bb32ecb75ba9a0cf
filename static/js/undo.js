// Taking a decision back while the house has not acted on it. The line counts down what the server gave.
import { post } from "./http.js";

export class Undo {
  #made = []; // {claim, decision, id, until}, the latest last; `id` and `until` once it is saved

  // `undone(entry, claim)`: it is taken back, `claim` is the new lease or null; `late(entry, problem)`: it was not.
  constructor({ line, url, undone, late }) {
    Object.assign(this, { line, url, undone, late });
    setInterval(() => this.draw(), 500);
  }

  made(claim, decision) {
    this.#made.push({ claim, decision, until: Infinity });
    this.draw();
  }

  // The server's span, from before the decision was sent: never longer than it truly is.
  saved(claim, { id, decided_at: decided, undo_until: until, sent }) {
    const entry = this.#made.find((one) => one.claim === claim);
    if (!entry) return;
    Object.assign(entry, { id, until: sent + (Date.parse(until) - Date.parse(decided)) });
    if (entry.wanted) this.#take(entry);
    this.draw();
  }

  drop(claim) {
    this.#made = this.#made.filter((one) => one.claim !== claim);
    this.draw();
  }

  get #latest() {
    this.#made = this.#made.filter((one) => one.until > Date.now());
    return this.#made.findLast((one) => !one.wanted);
  }

  // False when there is nothing to take back.
  press() {
    const entry = this.#latest;
    if (!entry) return false;
    entry.wanted = true;
    if (entry.id) this.#take(entry);
    this.draw();
    return true;
  }

  async #take(entry) {
    try {
      const { claim_id: claim } = await (await post(this.url.replace("DECISION", entry.id), {})).json();
      this.drop(entry.claim);
      this.undone(entry, claim);
    } catch (problem) {
      if (problem.kind === "offline") entry.wanted = false; // may be pressed again
      else this.drop(entry.claim);
      this.late(entry, problem);
    }
  }

  draw() {
    const entry = this.#latest;
    const left = entry && Number.isFinite(entry.until) ? Math.ceil((entry.until - Date.now()) / 1000) : null;
    this.line.hidden = !entry || left === 0;
    this.line.querySelector(".left").textContent = left ? `${left} s` : "";
  }
}
