// Looking at the clear image, for as long as somebody holds a key or the pointer, or until they toggle it off.
// Counts what was truly on screen: from the frame that paints it to the moment it is hidden.
export class Reveal {
  #card;
  #pictures;
  #since = 0;
  #wanted = false;
  #seconds = 0;
  #seen = false;
  grey = false;

  constructor(pictures) {
    this.#pictures = pictures;
  }

  // Begin with another card; what was seen of the one before is no longer counted.
  turnTo(card) {
    this.hide();
    this.#card = card;
    this.#seconds = 0;
    this.#seen = false;
  }

  get shown() {
    return this.#wanted;
  }

  // What the contract's `seen` holds.
  get seen() {
    const now = this.#since ? (performance.now() - this.#since) / 1000 : 0;
    return { revealed: this.#seen, seconds: Math.round((this.#seconds + now) * 10) / 10 };
  }

  async show() {
    const card = this.#card;
    if (!card || this.#wanted) return;
    this.#wanted = true;
    card.mark({ looking: true });
    try {
      const pixels = await this.#pictures.decode(card);
      if (this.#wanted && card === this.#card) this.#paint(card, pixels);
    } catch {
      if (card === this.#card) {
        card.mark({ looking: false, trouble: true });
        this.#wanted = false;
      }
    }
  }

  #paint(card, pixels) {
    const canvas = card.canvas;
    canvas.width = pixels.width;
    canvas.height = pixels.height;
    canvas.getContext("2d").drawImage(pixels, 0, 0);
    card.mark({ clear: true, grey: this.grey });
    this.#seen = true;
    this.#since = performance.now();
  }

  hide() {
    if (this.#since) this.#seconds += (performance.now() - this.#since) / 1000;
    this.#since = 0;
    this.#wanted = false;
    if (!this.#card) return;
    this.#card.canvas.width = this.#card.canvas.width; // wipes the pixels
    this.#card.mark({ looking: false, clear: false });
  }

  toggle() {
    return this.#wanted ? this.hide() : this.show();
  }

  setGrey(grey) {
    this.grey = grey;
    this.#card?.mark({ grey });
  }
}
