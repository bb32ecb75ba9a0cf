// What every page needs: the theme switch, the account menu, local times.
import { localise } from "./times.js";

const root = document.documentElement;
const theme = document.getElementById("theme");

theme?.addEventListener("click", () => {
  const light = root.dataset.theme !== "light";
  root.dataset.theme = light ? "light" : "dark";
  theme.setAttribute("aria-label", light ? theme.dataset.dark : theme.dataset.light);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `loupe_theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.me[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.me[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

for (const strip of document.querySelectorAll(".top nav, .seg")) {
  const now = strip.querySelector("[aria-current]");
  if (now) strip.scrollLeft = now.offsetLeft - strip.offsetLeft - 40; // where the strip is wider than a small window
}

localise(document);
document.addEventListener("htmx:load", (event) => localise(event.target));

// Parts that ask the server how work gets on are swapped whole. What somebody opened in them stays open, and a screen
// reader hears of them only when their words have changed.
const words = () => document.querySelector("[data-told]")?.dataset.told ?? "";
let last = words();
let opened = [];
document.addEventListener("htmx:beforeSwap", () => {
  opened = [...document.querySelectorAll("details[id][open]")].map((one) => one.id);
});
document.addEventListener("htmx:load", () => {
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  const told = document.getElementById("told");
  if (told && words() !== last) told.textContent = last = words();
});
