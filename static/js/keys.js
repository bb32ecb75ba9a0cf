// One key, one act. A key counts once (no auto-repeat), and never while somebody writes or a dialog is open.
const WRITING = "input, textarea, select, [contenteditable]";
const PRESSING = "button, a[href], summary, input, select, textarea";

// `find(name)` gives the function of a key ("A", "+", "1", "Shift+1", "Ctrl+K", "Space"), or nothing; a function that
// returns false lets the key pass.
export function listen(find) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(WRITING) && nameOf(event) !== "Ctrl+K") {
      if (event.code === "Escape") target.blur();
      return;
    }
    if (target.closest(PRESSING) && ["Space", "Enter"].includes(event.code)) return;
    const act = find(nameOf(event));
    if (!act) return;
    if (event.repeat && !event.code.startsWith("Arrow")) {
      if (event.code === "Space") event.preventDefault(); // a held Space must not scroll
      return;
    }
    if (act(event) !== false) event.preventDefault();
  });
}

// Letters and signs follow the reader's own layout, digits their place (Shift changes event.key there).
export function nameOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const sign = event.key.length === 1 && event.key !== " " ? event.key.toUpperCase() : "";
  const name = digit ?? (sign || (event.code || event.key).replace(/^Key/, ""));
  const shift = event.shiftKey && (digit || /^\p{L}$/u.test(name)) ? "Shift+" : ""; // a sign needs Shift on some keyboards
  return (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + shift + name;
}

// Which key does what: the house's table with this person's own keys in it.
export class Keymap {
  #acts = new Map();

  constructor(table) {
    this.replace(table);
  }

  replace(table) {
    this.table = table; // [{act, key, words, fixed}]
    this.#acts = new Map(table.map(({ act, key }) => [key, act]));
  }

  actOf(name) {
    return this.#acts.get(name);
  }

  // Every <kbd data-key="act"> in this part shows its key.
  label(part) {
    const keys = new Map(this.table.map(({ act, key }) => [act, key]));
    for (const kbd of part.querySelectorAll("kbd[data-key]")) {
      const key = keys.get(kbd.dataset.key) ?? "";
      kbd.textContent = key;
      kbd.hidden = !key;
    }
  }
}
