// One key, one act. A key counts once (no auto-repeat), alone (no modifier), and never while somebody writes or a dialog is open.
const WRITING = "input, textarea, select, [contenteditable]";
const PRESSING = "button, a[href], summary, input, select, textarea";

// `acts` maps event.code ("KeyA", "Digit1", "Space", "Shift+Digit1") to a function; it returns false to let the key pass.
export function listen(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(WRITING)) {
      if (event.code === "Escape") target.blur();
      return;
    }
    if (target.closest(PRESSING) && ["Space", "Enter"].includes(event.code)) return;
    const act = acts[name(event)];
    if (!act) return;
    if (event.repeat) {
      if (event.code === "Space") event.preventDefault(); // a held Space must not scroll
      return;
    }
    if (act(event) !== false) event.preventDefault();
  });
}

function name(event) {
  if (event.key === "?") return "?";
  const code = event.code.replace("Numpad", "Digit");
  // Letters follow the reader's own layout, digits their place (Shift changes event.key there).
  const letter = /^[a-z]$/i.test(event.key) ? `Key${event.key.toUpperCase()}` : code;
  return event.shiftKey ? `Shift+${letter}` : letter;
}
