// Decisions on their way. Each lies in the browser's storage until the server has answered, and is sent with the same key
// however often it takes: a lost link, a reload or a second window neither loses nor doubles one.
import { post } from "./http.js";

const PAUSES = [1000, 2000, 5000, 10_000, 15_000]; // ms before the next try
const PATIENCE = 20_000; // ms for an answer
const KEEPALIVE = 8_000; // characters; the browser lets little outlive its page
const OLD = 86_400_000; // ms after which what a sign-in does not help is given up, and told

export class Outbox {
  #entries = new Map(); // by claim; storage mirrors it
  #sending = new Set();
  #offline = false;

  // `saved(entry, answer)` and `refused(entry, problem)` end an entry; `waits(problem)` says why one does not go;
  // `elsewhere(entry)`: another window of this person decided; `changed(outbox)`: to be shown.
  constructor({ person, url, saved, refused, waits, elsewhere, changed }) {
    Object.assign(this, { url, saved, refused, waits, changed, prefix: `loupe.outbox.${person}.` });
    window.addEventListener("online", () => this.flush());
    window.addEventListener("offline", () => this.#mark(true));
    window.addEventListener("storage", (event) => {
      if (event.key?.startsWith(this.prefix) && event.newValue) elsewhere(JSON.parse(event.newValue));
    });
    window.addEventListener("beforeunload", (event) => this.#offline && this.size && event.preventDefault());
  }

  get size() {
    return this.#entries.size;
  }

  get offline() {
    return this.#offline;
  }

  get claims() {
    return [...this.#entries.keys()];
  }

  // What an earlier page could not send.
  resume() {
    for (const name of Object.keys(localStorage).filter((one) => one.startsWith(this.prefix))) {
      const entry = JSON.parse(localStorage.getItem(name));
      this.#entries.set(entry.claim, entry);
    }
    this.flush();
  }

  add(claim, decision) {
    const entry = { claim, decision, key: `${claim}:${decision.verdict}`, at: Date.now() };
    this.#entries.set(claim, entry);
    try {
      localStorage.setItem(this.prefix + claim, JSON.stringify(entry));
    } catch {
      // Storage is full or forbidden: it is sent all the same, and only a reload could lose it.
    }
    this.#send(entry);
  }

  flush() {
    for (const entry of this.#entries.values()) this.#send(entry);
    this.changed(this);
  }

  async #send(entry, attempt = 0) {
    if (this.#sending.has(entry.claim)) return;
    this.#sending.add(entry.claim);
    clearTimeout(entry.timer);
    this.changed(this);
    const body = JSON.stringify(entry.decision);
    const sent = Date.now();
    try {
      const answer = await post(this.url.replace("CLAIM", entry.claim), entry.decision, {
        headers: { "Idempotency-Key": entry.key },
        keepalive: body.length < KEEPALIVE,
        signal: AbortSignal.timeout(PATIENCE),
      });
      const made = await answer.json();
      this.#forget(entry);
      this.saved(entry, { ...made, sent });
      this.#mark(false);
    } catch (problem) {
      this.#sending.delete(entry.claim);
      this.#failed(entry, problem, attempt);
    }
  }

  #failed(entry, problem, attempt) {
    const kind = problem.kind ?? "offline"; // an answer that broke off counts as none
    if (kind === "offline") {
      const pause = PAUSES[Math.min(attempt, PAUSES.length - 1)];
      entry.timer = setTimeout(() => this.#send(entry, attempt + 1), pause);
      this.#mark(true);
    } else if (kind === "signed-out" && Date.now() - entry.at < OLD) {
      this.waits(problem);
      this.#mark(false);
    } else {
      this.#forget(entry);
      this.refused(entry, problem);
      this.#mark(false);
    }
  }

  #forget(entry) {
    this.#sending.delete(entry.claim);
    this.#entries.delete(entry.claim);
    localStorage.removeItem(this.prefix + entry.claim);
  }

  // The link came back or went: what waits is tried at once when it came.
  #mark(offline) {
    const back = this.#offline && !offline;
    this.#offline = offline;
    if (back) this.flush();
    else this.changed(this);
  }
}
