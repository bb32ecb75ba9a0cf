// One claim on the desk: its element, its lease, and how it looks in each state.
export class Card {
  constructor(element, { received = Date.now() } = {}) {
    this.element = element;
    this.id = element.dataset.claim;
    this.lookUrl = `/api/v1/claims/${this.id}/looks`;
    this.canvas = element.querySelector("canvas.clear");
    this.blurred = element.querySelector("img.blurred");
    this.stage = element.querySelector(".stage");
    this.leaseUntil = received + Number(element.dataset.lease) * 1000;
    this.shownAt = Infinity;
    this.panels = new Set(); // what of the side was in view
    const watch = new IntersectionObserver((seen) => seen.forEach((one) => one.isIntersecting && this.panels.add(one.target.dataset.panel)));
    for (const panel of element.querySelectorAll("[data-panel]")) watch.observe(panel);
    const picture = element.querySelector(".picture");
    picture.style.setProperty("--ratio", String(Number(picture.dataset.width) / Number(picture.dataset.height) || 1));
  }

  renew(seconds, until) {
    this.leaseUntil = Date.now() + seconds * 1000;
    this.element.dataset.until = until; // as the server says it: a farewell names it
  }

  // Appears; may be decided on once it has been on screen for a moment.
  show() {
    this.element.hidden = false;
    requestAnimationFrame(() => requestAnimationFrame((now) => (this.shownAt = now)));
  }

  hide() {
    this.element.hidden = true;
    this.shownAt = Infinity;
  }

  get paintedFor() {
    return performance.now() - this.shownAt;
  }

  get secondsLeft() {
    return Math.round((this.leaseUntil - Date.now()) / 1000);
  }

  get note() {
    return this.element.querySelector(".note").value.trim();
  }

  get rationale() {
    return this.element.querySelector(".rationale").value.trim();
  }

  // What was written on it before, for somebody to go on with.
  restore({ note = "", rationale = "" }) {
    this.element.querySelector(".note").value = note;
    this.element.querySelector(".rationale").value = rationale;
  }

  get choices() {
    return [...this.element.querySelectorAll(".cat[data-digit]")];
  }

  mark({ looking, clear, grey, trouble }) {
    const find = (selector) => this.element.querySelector(selector);
    if (looking !== undefined) {
      this.#button("show").setAttribute("aria-pressed", String(looking));
      find(".veil .hint").hidden = looking;
      find(".trouble").hidden = true;
    }
    if (clear !== undefined) {
      this.canvas.hidden = !clear;
      find(".veil").hidden = clear;
      this.element.dispatchEvent(new CustomEvent("clear", { bubbles: true }));
    }
    if (grey !== undefined) {
      this.canvas.classList.toggle("grey", grey);
      this.#button("grey").setAttribute("aria-pressed", String(grey));
    }
    if (trouble) {
      find(".trouble").hidden = false;
      find(".trouble").textContent = document.querySelector(".desk").dataset.trouble;
    }
  }

  #button(act) {
    return document.querySelector(`.looking [data-act=${act}]`);
  }

  tick() {
    const left = Math.max(0, this.secondsLeft);
    const lease = this.element.querySelector(".lease");
    lease.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    lease.classList.toggle("short", left < 30);
  }

  focus() {
    this.stage.focus({ preventScroll: true });
  }

  remove() {
    this.element.remove();
  }
}
