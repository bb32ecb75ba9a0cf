// Decisions on their way: the desk has moved on already, so a failure must say what happened and what was kept.
import { post } from "./http.js";

const PAUSES = [1000, 3000, 8000];

export class Sender {
  pending = 0;

  constructor({ url, failed, saved }) {
    Object.assign(this, { url, failed, saved });
    window.addEventListener("beforeunload", (event) => this.pending && event.preventDefault());
  }

  // Retries what got no answer with the same key, so that no decision counts twice.
  async send(card, decision) {
    const headers = { "Idempotency-Key": `${card.id}:${decision.verdict}` };
    this.pending += 1;
    try {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await post(this.url.replace("CLAIM", card.id), decision, { headers, keepalive: true });
          this.saved(card, decision);
          return;
        } catch (problem) {
          if (problem.kind !== "offline" || attempt >= PAUSES.length) {
            this.failed(card, decision, problem);
            return;
          }
          await new Promise((resume) => setTimeout(resume, PAUSES[attempt]));
        }
      }
    } finally {
      this.pending -= 1;
    }
  }
}
