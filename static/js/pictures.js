// Clear images that somebody asked to see, decoded, for as long as their card is in hand. Nothing of it is fetched ahead, and
// nothing is painted here; reveal.js does that.
export class Pictures {
  #pixels = new Map();

  // Resolves to an ImageBitmap.
  async keep(card, blob) {
    const pixels = await createImageBitmap(blob);
    this.#pixels.get(card.id)?.close();
    this.#pixels.set(card.id, pixels);
    return pixels;
  }

  forget(card) {
    this.#pixels.get(card.id)?.close();
    this.#pixels.delete(card.id);
  }
}
