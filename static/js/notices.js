// What the desk tells its reader: a calm line that stays until it is read, and short words for screen readers.
export class Notices {
  constructor({ list, said }) {
    this.list = list;
    this.said = said;
  }

  // Words of what was just done.
  say(words) {
    this.said.textContent = words;
  }

  // A line that stays; `action` is {words, act}. Kinds: "", "warning", "error". Returns a function that takes it away.
  tell(words, { kind = "", action = null, close } = {}) {
    const item = document.createElement("div");
    item.className = `notice ${kind}`;
    item.setAttribute("role", kind === "error" ? "alert" : "status");
    const text = document.createElement("p");
    text.textContent = words;
    item.append(text);
    const button = (label, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", className: "btn small", textContent: label });
      made.addEventListener("click", () => (item.remove(), act()));
      item.append(made);
    };
    if (action) button(action.words, action.act);
    button(close ?? this.list.dataset.close, () => {});
    this.list.append(item);
    return () => item.remove();
  }
}
