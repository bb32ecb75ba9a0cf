// Looking at the clear image, for as long as somebody holds a key or the pointer, or until they toggle it off.
// Each look is on record before the image comes. Counts what was truly on screen: from the frame that paints it to the
// moment it is hidden.
export class Reveal {
  #card;
  #pictures;
  #looks;
  #look = null; // on screen now
  #asked = 0;
  #since = 0;
  #wanted = false;
  #seconds = 0;
  #seen = false;
  #end = 0;
  grey = false;
  reblur = 0; // s after which it is hidden again; 0: not by itself

  // `refused(problem)` is told why an image was not shown.
  constructor({ pictures, looks, refused }) {
    this.#pictures = pictures;
    this.#looks = looks;
    this.refused = refused;
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
    const asked = ++this.#asked;
    const current = () => this.#wanted && card === this.#card && asked === this.#asked;
    try {
      const { id, blob } = await this.#looks.begin(card);
      if (!current()) return; // let go meanwhile: never on screen, and the least that a look counts is on record
      const pixels = await this.#pictures.keep(card, blob);
      if (current()) this.#paint(card, pixels, id);
    } catch (problem) {
      if (!current()) return;
      this.#wanted = false;
      const told = this.refused(problem);
      card.mark({ looking: false, trouble: !told });
    }
  }

  #paint(card, pixels, look) {
    const canvas = card.canvas;
    canvas.width = pixels.width;
    canvas.height = pixels.height;
    canvas.getContext("2d").drawImage(pixels, 0, 0);
    card.mark({ clear: true, grey: this.grey });
    this.#seen = true;
    const since = (this.#since = performance.now());
    this.#look = look;
    if (this.reblur) this.#end = setTimeout(() => this.hide(), this.reblur * 1000);
    this.#looks.follow(look, () => (performance.now() - since) / 1000);
  }

  hide() {
    clearTimeout(this.#end);
    if (this.#since) {
      const seconds = (performance.now() - this.#since) / 1000;
      this.#seconds += seconds;
      this.#looks.end(this.#look, seconds);
    }
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
