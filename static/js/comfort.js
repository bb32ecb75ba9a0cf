// How this reader wants images shown, and when to say that it is much: as the settings in #comfort have it.
const STILL = 6; // px a press may move and still be one
const TICK = 10_000;

export class Comfort {
  #pressed = null;
  #worked = 0; // ms in use since the last break
  #warned = false;

  // `tell(words, action)` shows a line; `inUse()` says whether somebody is there; `rest()` leaves the desk.
  constructor({ desk, reveal, words, tell, inUse, rest }) {
    const given = JSON.parse(document.getElementById("comfort").textContent);
    Object.assign(this, { reveal, words, tell, given, way: given.comfort.reveal });
    const { blur, grey, muted, reblur, breaks } = given.comfort;
    desk.style.setProperty("--more-blur", `${blur}px`);
    desk.classList.toggle("muted", muted);
    reveal.grey = grey;
    reveal.reblur = reblur;
    if (breaks) {
      setInterval(() => {
        if (inUse()) this.#worked += TICK;
        if (this.#worked < breaks * 60_000) return;
        this.#worked = 0;
        tell(words.pause.replace("{n}", breaks), { words: words.rest, act: rest });
      }, TICK);
    }
    this.heard(given.share);
  }

  // A floor of the organisation's that no key goes below.
  get keepsGrey() {
    return this.given.comfort.grey && this.given.floors.includes("grey");
  }

  get mustHold() {
    return this.way === "hold" && this.given.floors.includes("reveal");
  }

  // How much of the shift's budget is used.
  heard(share) {
    if (this.#warned || share < this.given.warn || share >= 1) return;
    this.#warned = true;
    this.tell(this.words.much.replace("{share}", Math.floor(100 * share)));
  }

  // A press on the picture. Held, it shows until it is let go; else the next press that does not drag hides again.
  press(picture, event) {
    if (this.way === "hold") {
      if (this.reveal.shown) return; // shown for good, or by the first finger of two
      for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) picture.addEventListener(end, () => this.reveal.hide(), { once: true });
      this.reveal.show();
      return;
    }
    this.#pressed = { x: event.clientX, y: event.clientY, shown: this.reveal.shown && this.way === "click" };
    this.reveal.show();
  }

  lift(event) {
    const from = this.#pressed;
    this.#pressed = null;
    if (from?.shown && Math.hypot(event.clientX - from.x, event.clientY - from.y) < STILL) this.reveal.hide();
  }

  // A pointer that can hover is on the picture, or left it.
  point(on, event) {
    if (this.way !== "hover" || event.pointerType === "touch") return;
    if (on) this.reveal.show();
    else this.reveal.hide();
  }
}
