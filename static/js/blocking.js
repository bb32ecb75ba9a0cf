// Choosing what to block as: digits for the likely categories, Shift+digit to mark several, arrows for the severity, 0 for all.
const GRADES = ["", "1", "2", "3", "4"];

export class Blocking {
  #card = null;

  constructor({ picker, done, asked }) {
    Object.assign(this, { picker, done, asked });
    this.search = picker.querySelector("input");
    this.search.addEventListener("input", () => this.#filter());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") picker.querySelector("button.first")?.click();
      if (event.key === "ArrowDown") picker.querySelector("[data-code]:not([hidden])")?.focus();
    });
    picker.addEventListener("click", (event) => {
      const button = event.target.closest("[data-code]");
      if (!button) return;
      picker.close();
      this.choose(button);
    });
  }

  get active() {
    return this.#card !== null;
  }

  begin(card) {
    this.#card = card;
    card.element.classList.add("blocking");
    this.asked();
  }

  end() {
    if (!this.#card) return;
    this.#card.element.classList.remove("blocking");
    for (const button of this.#card.choices) button.removeAttribute("aria-pressed");
    this.#setGrade("");
    this.#copiesButton?.setAttribute("aria-pressed", "false");
    this.#card = null;
  }

  // Whether its copies are to be known as well; a person without the right to that has no such button.
  get copies() {
    return this.#copiesButton?.getAttribute("aria-pressed") === "true";
  }

  toggleCopies() {
    this.#copiesButton?.setAttribute("aria-pressed", String(!this.copies));
  }

  get #copiesButton() {
    return this.#card?.element.querySelector("[data-act=copies]");
  }

  // The category on this digit: decides at once with all that is marked, or, with Shift, only marks.
  digit(number, { mark = false } = {}) {
    if (number === 0) return this.more();
    const button = this.#card.choices.find((one) => Number(one.dataset.digit) === number);
    if (!button) return undefined;
    return mark ? this.#toggle(button) : this.choose(button);
  }

  choose(button) {
    const chosen = new Map(this.#marked.map((one) => [one.dataset.code, this.#label(one)]));
    chosen.set(button.dataset.code, this.#label(button, this.#grade));
    this.done([...chosen.values()]);
  }

  // Block as everything marked so far; false when nothing is.
  confirm() {
    const labels = this.#marked.map((one) => this.#label(one));
    return labels.length ? this.done(labels) : false;
  }

  more() {
    this.search.value = "";
    this.#filter();
    this.picker.showModal();
    this.search.focus();
  }

  shiftGrade(step) {
    const place = Math.min(GRADES.length - 1, Math.max(0, GRADES.indexOf(this.#grade) + step));
    this.#setGrade(GRADES[place]);
  }

  setGrade(grade) {
    this.#setGrade(grade);
  }

  get #marked() {
    return this.#card.choices.filter((one) => one.getAttribute("aria-pressed") === "true");
  }

  get #grade() {
    return this.#card.element.querySelector(".grade [aria-pressed=true]").dataset.grade;
  }

  #label(button, grade = button.dataset.grade) {
    return { category: button.dataset.code, severity: Number(grade || button.dataset.severity) };
  }

  #toggle(button) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    button.dataset.grade = on ? this.#grade : "";
  }

  #setGrade(grade) {
    for (const button of this.#card.element.querySelectorAll(".grade [data-grade]")) button.setAttribute("aria-pressed", String(button.dataset.grade === grade));
  }

  #filter() {
    const words = this.search.value.trim().toLowerCase();
    let first = true;
    for (const button of this.picker.querySelectorAll("[data-code]")) {
      button.hidden = !button.textContent.toLowerCase().includes(words);
      button.classList.toggle("first", Boolean(words) && first && !button.hidden);
      if (!button.hidden) first = false;
    }
  }
}
