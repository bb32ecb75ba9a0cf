// A clear image outside the desk: any page that includes review/glance.html. Each look is on record before the image comes; it
// ends with a second press, when the page loses the reader's attention, or after the reader's own time.
import { Looks } from "./looks.js";

const looks = new Looks();
let shown = null; // { part, look, since, timer }

function hide() {
  if (!shown) return;
  const { part, look, since, timer } = shown;
  shown = null;
  clearTimeout(timer);
  const canvas = part.querySelector("canvas");
  canvas.width = 0; // wipes the pixels
  canvas.hidden = true;
  part.querySelector("img").hidden = false;
  part.querySelector("[data-glance]").setAttribute("aria-pressed", "false");
  looks.end(look, (performance.now() - since) / 1000);
}

async function show(part) {
  hide();
  const trouble = part.querySelector(".trouble");
  trouble.hidden = true;
  try {
    const { id, blob } = await looks.ask({ submission: part.dataset.submission });
    const pixels = await createImageBitmap(blob);
    const canvas = part.querySelector("canvas");
    Object.assign(canvas, { width: pixels.width, height: pixels.height, hidden: false });
    canvas.getContext("2d").drawImage(pixels, 0, 0);
    pixels.close();
    part.querySelector("img").hidden = true;
    part.querySelector("[data-glance]").setAttribute("aria-pressed", "true");
    const since = performance.now();
    const reblur = Number(part.dataset.reblur);
    shown = { part, look: id, since, timer: reblur ? setTimeout(hide, reblur * 1000) : 0 };
    looks.follow(id, () => (performance.now() - since) / 1000);
  } catch (problem) {
    trouble.textContent = problem.detail || trouble.dataset.words;
    trouble.hidden = false;
  }
}

document.addEventListener("click", (event) => {
  const part = event.target.closest("[data-glance]")?.closest(".look");
  if (part) shown?.part === part ? hide() : show(part);
});
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
document.addEventListener("visibilitychange", () => document.hidden && hide());
for (const kind of ["blur", "pagehide"]) window.addEventListener(kind, hide);
