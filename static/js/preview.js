// What the settings in the form do, on the drawn picture beside it, as they are changed.
const DERIVATIVE = 12; // px: about as blurred as what the house sends before a look

const form = document.querySelector("form.settings");
const preview = document.querySelector(".preview");

function draw() {
  const value = (name) => form.elements[name];
  const set = (name, worth) => preview.style.setProperty(name, worth);
  set("--blur", `${DERIVATIVE + (Number(value("blur").value) || 0) / 2}px`);
  set("--grey", value("grey").checked ? 1 : 0);
  set("--colour", value("muted").checked ? 0.35 : 1);
  set("--thumb", `${Number(value("thumbnail").value) || 192}px`);
}

form.addEventListener("input", draw);
draw();
