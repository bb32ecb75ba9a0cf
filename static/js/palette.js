// Every act by name (Ctrl+K), and the keys a person may change.
import { post } from "./http.js";
import { nameOf } from "./keys.js";

export class Palette {
  constructor({ dialog, keymap, run }) {
    Object.assign(this, { dialog, keymap, run });
    this.search = dialog.querySelector("input");
    this.list = dialog.querySelector(".found");
    this.search.addEventListener("input", () => this.#show());
    dialog.addEventListener("click", (event) => this.#take(event.target.closest("[data-run]")));
    dialog.addEventListener("keydown", (event) => this.#move(event));
  }

  open() {
    this.search.value = "";
    this.#show();
    this.dialog.showModal();
    this.search.focus();
  }

  #show() {
    const words = this.search.value.trim().toLowerCase();
    const rows = this.keymap.table.filter((one) => one.act !== "palette" && one.act !== "look" && `${one.words} ${one.key}`.toLowerCase().includes(words));
    this.list.replaceChildren(
      ...rows.map(({ act, key, words: said }) => {
        const button = Object.assign(document.createElement("button"), { type: "button" });
        button.dataset.run = act;
        button.append(Object.assign(document.createElement("span"), { textContent: said }), Object.assign(document.createElement("kbd"), { textContent: key }));
        return button;
      }),
    );
    this.dialog.querySelector(".none").hidden = rows.length > 0;
  }

  #move(event) {
    const buttons = [...this.list.children];
    const at = buttons.indexOf(document.activeElement);
    if (event.key === "Enter" && at < 0) {
      event.preventDefault();
      this.#take(buttons[0]);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      (buttons[at + (event.key === "ArrowDown" ? 1 : -1)] ?? this.search).focus();
    }
  }

  #take(button) {
    if (!button) return;
    this.dialog.close();
    this.run(button.dataset.run);
  }
}

export class KeyChanger {
  #waiting = null; // the button whose act wants a key

  constructor({ dialog, keymap, url }) {
    Object.assign(this, { dialog, keymap, url });
    this.told = dialog.querySelector(".told");
    dialog.addEventListener("click", (event) => {
      const button = event.target.closest("[data-change]");
      if (button) this.#wait(button);
      if (event.target.closest("[data-reset]")) this.#ask({});
    });
    dialog.addEventListener("keydown", (event) => this.#hear(event), { capture: true });
    dialog.addEventListener("close", () => this.#wait(null));
  }

  #wait(button) {
    this.#waiting?.removeAttribute("aria-pressed");
    this.#waiting = button;
    this.told.textContent = button ? this.told.dataset.press : "";
    button?.setAttribute("aria-pressed", "true");
  }

  #hear(event) {
    if (!this.#waiting || ["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const act = this.#waiting.dataset.change;
    this.#wait(null);
    if (event.key !== "Escape") this.#ask({ act, key: nameOf(event) });
  }

  async #ask(fields) {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    try {
      const { acts } = await (await post(this.url, body)).json();
      this.keymap.replace(acts);
      this.keymap.label(document);
      this.told.textContent = this.told.dataset.done;
    } catch (problem) {
      this.told.textContent = problem.detail || this.told.dataset.failed;
    }
  }
}
