// Working images held in memory: bytes for every card in hand, decoded pixels for the current and the next one.
// Nothing of it is painted here; reveal.js does that when somebody asks to look.
export class Pictures {
  #bytes = new Map();
  #pixels = new Map();

  // Starts fetching; the promise in the map settles to a Blob or to an Error (never rejects unheard).
  fetch(card) {
    if (this.#bytes.has(card.id)) return;
    const bytes = fetch(card.workingUrl, { credentials: "same-origin" })
      .then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(String(answer.status)))))
      .catch((error) => (this.#bytes.delete(card.id), error));
    this.#bytes.set(card.id, bytes);
  }

  // Resolves to an ImageBitmap; rejects when the image cannot be had. A later call tries again.
  decode(card) {
    if (!this.#pixels.has(card.id)) {
      this.fetch(card);
      const pixels = this.#bytes.get(card.id).then((blob) => (blob instanceof Error ? Promise.reject(blob) : createImageBitmap(blob)));
      pixels.catch(() => this.#pixels.delete(card.id));
      this.#pixels.set(card.id, pixels);
    }
    return this.#pixels.get(card.id);
  }

  forget(card) {
    this.#pixels.get(card.id)?.then((pixels) => pixels.close(), () => {});
    this.#pixels.delete(card.id);
    this.#bytes.delete(card.id);
  }
}
