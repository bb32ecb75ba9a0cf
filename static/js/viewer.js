// Looking closely at the clear image: zoom, pan, one to one, turns and a loupe. Only what is revealed can be looked at, and
// the next image begins as it is.
const MOST = 8; // times the size that fits
const STEP = 1.25;
const PAN = 60; // px a key
const LENS = 220; // px across
const POWER = 2.5; // of the loupe, over what is on screen

const fresh = () => ({ zoom: 1, x: 0, y: 0, turn: 0 });

export class Viewer {
  #card = null;
  #at = fresh();
  #fingers = new Map(); // pointers that are down: {x, y}
  #spread = 0; // between two fingers
  #lens = null; // {x, y} on the picture, while the loupe is out
  #used = new Set();

  constructor({ tools }) {
    this.tools = tools;
    this.glass = Object.assign(document.createElement("canvas"), { className: "lens", ariaHidden: "true" });
    new ResizeObserver(() => this.open && this.#draw()).observe(document.querySelector(".desk"));
  }

  turnTo(card) {
    this.#at = fresh();
    this.#lens = null;
    this.#used.clear();
    this.#card = card;
    this.#fingers.clear();
    this.refresh();
  }

  // The image was revealed or hidden.
  refresh() {
    this.#draw();
  }

  // Whether there is anything to look at.
  get open() {
    return Boolean(this.#card && !this.#card.canvas.hidden);
  }

  get zoomed() {
    return this.open && (this.#at.zoom !== 1 || this.#lens !== null);
  }

  // For the record: by what means the image was looked at.
  get seen() {
    return { zoomed: this.#used.has("zoom"), loupe: this.#used.has("loupe") };
  }

  zoom(factor, around = null) {
    if (!this.open) return false;
    const { one } = this.#sizes();
    const before = this.#at.zoom;
    const after = Math.min(Math.max(before * factor, Math.min(1, one)), Math.max(MOST, one));
    const point = around ?? { x: 0, y: 0 };
    this.#at.x = point.x - ((point.x - this.#at.x) * after) / before;
    this.#at.y = point.y - ((point.y - this.#at.y) * after) / before;
    this.#at.zoom = after;
    return this.#moved("zoom");
  }

  in() {
    return this.zoom(STEP);
  }

  out() {
    return this.zoom(1 / STEP);
  }

  fit() {
    if (!this.open) return false;
    Object.assign(this.#at, { zoom: 1, x: 0, y: 0 });
    return this.#moved();
  }

  // One pixel of the image on one of the screen.
  actual() {
    if (!this.open) return false;
    this.#at.zoom = this.#sizes().one;
    return this.#moved("zoom");
  }

  turn() {
    if (!this.open) return false;
    this.#at.turn = (this.#at.turn + 1) % 4;
    Object.assign(this.#at, { x: 0, y: 0 });
    return this.#moved();
  }

  loupe() {
    if (!this.open) return false;
    this.#lens = this.#lens ? null : { x: 0, y: 0 };
    return this.#moved("loupe");
  }

  // By the arrow keys, what they move in view: the loupe, else the image.
  pan(right, down) {
    if (!this.zoomed) return false;
    if (this.#lens) {
      const { width, height } = this.#sizes();
      this.#lens = { x: clamp(this.#lens.x + (right * PAN) / 2, width / 2), y: clamp(this.#lens.y + (down * PAN) / 2, height / 2) };
    } else Object.assign(this.#at, { x: this.#at.x - right * PAN, y: this.#at.y - down * PAN });
    return this.#moved();
  }

  // Pointers on the picture.
  down(event) {
    this.#fingers.set(event.pointerId, event);
    this.#spread = 0;
  }

  up(event) {
    this.#fingers.delete(event.pointerId);
    this.#spread = 0;
  }

  move(event) {
    if (!this.open) return;
    const before = this.#fingers.get(event.pointerId);
    if (before) this.#fingers.set(event.pointerId, event);
    if (this.#fingers.size === 2) {
      const [one, other] = [...this.#fingers.values()];
      const spread = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      if (this.#spread) this.zoom(spread / this.#spread, this.#point({ clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 }));
      this.#spread = spread;
    } else if (this.#lens) {
      this.#lens = this.#point(event);
      this.#moved();
    } else if (before && this.#at.zoom !== 1) {
      Object.assign(this.#at, { x: this.#at.x + event.clientX - before.clientX, y: this.#at.y + event.clientY - before.clientY });
      this.#moved();
    }
  }

  wheel(event) {
    return this.zoom(Math.exp(-event.deltaY / (event.deltaMode ? 10 : 400)), this.#point(event));
  }

  #moved(means) {
    if (means) this.#used.add(means);
    this.#draw();
    return true;
  }

  // From the middle of the picture.
  #point({ clientX, clientY }) {
    const box = this.#card.element.querySelector(".picture").getBoundingClientRect();
    return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 };
  }

  // The stage's inner size, the factor that fits the image as it is turned, and the zoom at which a pixel is a pixel.
  #sizes() {
    const { canvas, stage } = this.#card;
    const style = getComputedStyle(stage);
    const width = stage.clientWidth - 2 * Number.parseFloat(style.paddingLeft);
    const height = stage.clientHeight - 2 * Number.parseFloat(style.paddingTop);
    const plain = Math.min(width / canvas.width, height / canvas.height);
    const sideways = this.#at.turn % 2 === 1;
    const fitted = sideways ? Math.min(width / canvas.height, height / canvas.width) : plain;
    return { width, height, plain, fitted, one: 1 / devicePixelRatio / fitted };
  }

  #draw() {
    const { open } = this;
    this.tools.hidden = !open;
    const picture = this.#card?.element.querySelector(".picture");
    picture?.classList.toggle("wide", open);
    this.glass.remove();
    if (!open) return;
    const { canvas } = this.#card;
    const { width, height, plain, fitted } = this.#sizes();
    const scale = fitted * this.#at.zoom;
    const [across, tall] = this.#at.turn % 2 ? [canvas.height, canvas.width] : [canvas.width, canvas.height];
    this.#at.x = clamp(this.#at.x, Math.max(0, across * scale - width) / 2);
    this.#at.y = clamp(this.#at.y, Math.max(0, tall * scale - height) / 2);
    canvas.style.transform = `translate(${this.#at.x}px, ${this.#at.y}px) rotate(${this.#at.turn * 90}deg) scale(${scale / plain})`;
    picture.classList.toggle("pannable", this.#at.zoom > 1);
    this.tools.querySelector("[data-act=loupe]").setAttribute("aria-pressed", String(this.#lens !== null));
    this.tools.querySelector("output").textContent = `${Math.round(scale * devicePixelRatio * 100)} %`;
    this.#drawLens(picture, scale);
  }

  #drawLens(picture, scale) {
    if (!this.#lens) return;
    const lens = this.glass;
    picture.append(lens);
    const { canvas } = this.#card;
    lens.width = lens.height = LENS * devicePixelRatio;
    lens.style.transform = `translate(${this.#lens.x}px, ${this.#lens.y}px)`;
    const context = lens.getContext("2d");
    // The same image as on screen, so many times larger, with what lies under the middle of the lens in the middle.
    context.translate(lens.width / 2, lens.height / 2);
    context.scale(POWER * devicePixelRatio, POWER * devicePixelRatio);
    context.translate(this.#at.x - this.#lens.x, this.#at.y - this.#lens.y);
    context.rotate((this.#at.turn * Math.PI) / 2);
    context.scale(scale, scale);
    context.filter = canvas.classList.contains("grey") ? "grayscale(1)" : "none";
    context.drawImage(canvas, -canvas.width / 2, -canvas.height / 2);
  }
}

const clamp = (value, most) => Math.min(Math.max(value, -most), most);
