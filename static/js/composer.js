// Writing beside the image: a reason begun with a clause of the guideline, a note in which "@" completes a colleague's name.
import { put, words } from "./words.js";

const LONGEST = 10_000; // characters, as the house takes them
const CALLING = /(?:^|\s)@([\p{L}\p{N}_.+-]*)$/u;
const OFFERED = 6;

export class Composer {
  #names = null;

  constructor({ root, url }) {
    this.url = url;
    this.clauses = JSON.parse(document.getElementById("clauses").textContent);
    root.addEventListener("focusin", (event) => event.target.matches(".templates") && this.#fill(event.target));
    root.addEventListener("change", (event) => event.target.matches(".templates") && this.#insert(event.target));
    root.addEventListener("input", (event) => event.target.matches(".note") && this.#offer(event.target));
    root.addEventListener("keydown", (event) => event.target.matches(".note") && this.#choose(event));
    root.addEventListener("click", (event) => event.target.matches(".names button") && this.#take(event.target));
    root.addEventListener("focusout", (event) => event.target.matches(".note") && setTimeout(() => this.#listOf(event.target).contains(document.activeElement) || this.#close(event.target), 100));
  }

  // Why this cannot be sent as it is; "" when it can. Nothing that was written is cut.
  flaw(card) {
    const long = [...card.element.querySelectorAll(".note, .rationale")].find((field) => field.value.length > LONGEST);
    for (const field of card.element.querySelectorAll(".note, .rationale")) field.toggleAttribute("aria-invalid", field === long);
    if (!long) return "";
    long.setAttribute("aria-invalid", "true");
    long.focus();
    return put(words.tooLong, { n: long.value.length.toLocaleString(), most: LONGEST.toLocaleString() });
  }

  #fill(select) {
    if (select.options.length > 1) return;
    for (const { dataset } of select.closest("article").querySelectorAll(".cat[data-code]")) {
      const group = Object.assign(document.createElement("optgroup"), { label: words.categories[dataset.code] });
      group.append(...(this.clauses[dataset.code] ?? []).map((text) => new Option(text)));
      if (group.children.length) select.append(group);
    }
  }

  #insert(select) {
    const field = select.closest("section").querySelector(".rationale");
    if (select.value) field.value = [field.value.trim(), select.value].filter(Boolean).join("\n");
    select.value = "";
    field.focus();
  }

  async #offer(field) {
    const begun = CALLING.exec(field.value.slice(0, field.selectionStart))?.[1].toLowerCase();
    if (begun === undefined) return this.#close(field);
    this.#names ??= fetch(this.url).then((answer) => answer.json()).then(({ names }) => names).catch(() => ((this.#names = null), []));
    const found = (await this.#names).filter((name) => name.toLowerCase().startsWith(begun)).slice(0, OFFERED);
    const list = this.#listOf(field);
    list.replaceChildren(...found.map((name) => Object.assign(document.createElement("button"), { type: "button", textContent: `@${name}` })));
    list.hidden = !found.length;
    return undefined;
  }

  #choose(event) {
    const list = this.#listOf(event.target);
    if (list.hidden || !["Enter", "Tab", "ArrowDown", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") this.#close(event.target);
    else if (event.key === "ArrowDown") list.firstChild.focus();
    else this.#take(list.firstChild);
  }

  #take(button) {
    const field = button.closest("section").querySelector(".note");
    const before = field.value.slice(0, field.selectionStart).replace(/@[\p{L}\p{N}_.+-]*$/u, `${button.textContent} `);
    field.value = before + field.value.slice(field.selectionStart);
    field.setSelectionRange(before.length, before.length);
    this.#close(field);
    field.focus();
  }

  #listOf(field) {
    return field.closest("section").querySelector(".names");
  }

  #close(field) {
    this.#listOf(field).hidden = true;
  }
}
