// Cuts moved on a histogram. Each category's counts come once (moderation/simulation/sketch.py); after that a move costs no
// call. One category's figures are exact; several moved at once are added up, and off by at most the images that more than
// one of them touches.
const form = document.getElementById("bands");
const find = (id) => document.getElementById(id);
const chart = form.querySelector(".scores");
const bars = chart.querySelector(".bars");
const [ok, warn, stop] = chart.querySelectorAll(":scope > rect");
const lines = Object.fromEntries([...chart.querySelectorAll("[data-cut]")].map((line) => [line.dataset.cut, line]));
const sliders = { approve: find("cut-approve"), block: find("cut-block") };
const automatic = find("automatic");
const slack = find("slack");
const images = Number(chart.dataset.images);
const seconds = Number.parseFloat(chart.dataset.seconds);
const WIDTH = 1000;
const HEIGHT = 220;
const BARS = 50;
const locale = document.documentElement.lang;
const whole = new Intl.NumberFormat(locale);
const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const signed = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "always" });
const ACTIONS = ["approve", "review", "block"];

const bands = new Map();
for (const button of form.querySelectorAll("[data-category]")) {
  const { category, approve, block, fields, url, peopleOnly, name } = button.dataset;
  const [first, last, may] = fields.split(" ").map((field) => form.elements[field]);
  const cuts = { approve: Number(approve), block: block === "" ? null : Number(block) };
  bands.set(category, { button, name, url, peopleOnly: Boolean(peopleOnly), fields: { approve: first, block: last, may }, came: { ...cuts }, cuts, counts: null });
}
let shown = bands.get(form.querySelector("[data-category][aria-current]").dataset.category);

// Running sums over the bins, so that a move adds up nothing.
function summed(counts) {
  const sums = {};
  for (const rest of ACTIONS) {
    let total = 0;
    sums[rest] = [0, ...counts.table[rest].map((n) => (total += n))];
  }
  return { ...counts, sums };
}

const edge = (counts, cut) => Math.round(cut * counts.bins);
const before = (counts, rest, bin) => counts.sums[rest][Math.min(bin, counts.bins + 1)];
const all = (counts, rest) => before(counts, rest, counts.bins + 1);

function totals(counts, { approve, block }) {
  const first = edge(counts, approve);
  const last = block === null ? counts.bins + 1 : edge(counts, block);
  const blocked = counts.fixed.block + counts.silent.block + all(counts, "block") + ["approve", "review"].reduce((sum, rest) => sum + all(counts, rest) - before(counts, rest, last), 0);
  const approved = counts.fixed.approve + counts.silent.approve + before(counts, "approve", Math.min(first, last));
  return { approve: approved, review: counts.images - approved - blocked, block: blocked };
}

// How many images lie elsewhere in this category's own bands than they did.
function touched({ counts, came, cuts }) {
  const zones = (bin, { approve, block }) => (block !== null && bin >= edge(counts, block) ? 2 : Number(bin >= edge(counts, approve)));
  const ends = [came, cuts].flatMap(({ approve, block }) => [approve, block ?? 2]).map((cut) => Math.min(edge(counts, cut), counts.bins + 1));
  const stops = [...new Set([0, ...ends, counts.bins + 1])].sort((one, other) => one - other);
  let found = 0;
  for (let index = 1; index < stops.length; index += 1) {
    const from = stops[index - 1];
    if (zones(from, came) === zones(from, cuts)) continue;
    for (const rest of ACTIONS) found += before(counts, rest, stops[index]) - before(counts, rest, from);
  }
  return found;
}

const isMoved = ({ came, cuts }) => came.approve !== cuts.approve || came.block !== cuts.block;

function figures() {
  const base = totals(shown.counts, shown.came);
  const now = { ...base };
  const moved = [...bands.values()].filter((band) => band.counts && isMoved(band));
  for (const band of moved) {
    const [old, then] = [totals(band.counts, band.came), totals(band.counts, band.cuts)];
    for (const action of ACTIONS) now[action] += then[action] - old[action];
  }
  const each = moved.map(touched);
  return { base, now, off: moved.length > 1 ? each.reduce((sum, n) => sum + n, 0) - Math.max(...each) : 0 };
}

function tell() {
  const { base, now, off } = figures();
  for (const action of ACTIONS) {
    form.querySelector(`[data-figure="${action}"]`).textContent = `${tenths.format((100 * now[action]) / images)} %`;
    const points = signed.format((100 * (now[action] - base[action])) / images);
    form.querySelector(`[data-change="${action}"]`).textContent = `${whole.format(now[action])} · ${slack.dataset.points.replace("{points}", points)}`;
  }
  if (seconds) {
    form.querySelector('[data-figure="hours"]').textContent = tenths.format((now.review * seconds) / 3600);
    form.querySelector('[data-change="hours"]').textContent = signed.format(((now.review - base.review) * seconds) / 3600);
  }
  slack.textContent = off ? slack.dataset.off.replace("{n}", whole.format(off)) : slack.dataset.exact;
  for (const band of bands.values()) band.button.classList.toggle("moved", isMoved(band));
}

function draw() {
  const { approve, block } = shown.cuts;
  const last = block ?? 1;
  const first = Math.min(approve, last);
  for (const [rect, from, to] of [[ok, 0, first], [warn, first, last], [stop, last, 1]]) {
    rect.setAttribute("x", from * WIDTH);
    rect.setAttribute("width", (to - from) * WIDTH);
  }
  for (const [name, cut] of [["approve", approve], ["block", block]]) {
    lines[name].toggleAttribute("hidden", cut === null);
    for (const end of ["x1", "x2"]) lines[name].setAttribute(end, (cut ?? 1) * WIDTH);
    sliders[name].disabled = cut === null;
    sliders[name].value = cut ?? 1;
    const said = cut === null ? find("at-block").dataset.none : cut.toFixed(3);
    sliders[name].setAttribute("aria-valuetext", said);
    find(`at-${name}`).textContent = said;
  }
  automatic.checked = block !== null;
  automatic.disabled = shown.peopleOnly;
}

function histogram() {
  const { counts } = shown;
  const step = counts.bins / BARS;
  const found = Array.from({ length: BARS }, (_each, index) => {
    const end = index === BARS - 1 ? counts.bins + 1 : (index + 1) * step;
    return ACTIONS.reduce((sum, rest) => sum + before(counts, rest, end) - before(counts, rest, index * step), 0);
  });
  const tallest = Math.sqrt(Math.max(...found, 1));
  bars.replaceChildren(
    ...found.map((n, index) => {
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const height = (Math.sqrt(n) / tallest) * (HEIGHT - 10);
      for (const [name, value] of Object.entries({ x: (index * WIDTH) / BARS + 1, y: HEIGHT - height, width: WIDTH / BARS - 2, height })) bar.setAttribute(name, value);
      return bar;
    }),
  );
  find("scores-table").replaceChildren(
    ...found.map((n, index) => {
      const row = document.createElement("tr");
      for (const text of [(index / BARS).toFixed(2), whole.format(n)]) {
        const cell = row.insertCell();
        cell.className = "num";
        cell.textContent = text;
      }
      return row;
    }),
  );
}

function move(name, value) {
  const cut = Math.round(Math.min(Math.max(value, 0), 1) * 1000) / 1000;
  const { cuts, fields } = shown;
  cuts[name] = cut;
  if (cuts.block !== null && cuts.block < cuts.approve) cuts[name === "approve" ? "block" : "approve"] = cut;
  fields.approve.value = cuts.approve;
  if (cuts.block !== null) fields.block.value = cuts.block;
  draw();
  tell();
}

async function show(band) {
  if (!band.counts) {
    const answer = await fetch(band.url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) {
      slack.textContent = slack.dataset.lost;
      return;
    }
    band.counts = summed(await answer.json());
  }
  shown.button.removeAttribute("aria-current");
  shown = band;
  shown.button.setAttribute("aria-current", "true");
  const nav = shown.button.parentElement; // a strip on a phone: what is shown stands in its middle
  nav.scrollLeft = shown.button.offsetLeft - nav.offsetLeft - (nav.clientWidth - shown.button.offsetWidth) / 2;
  find("band-name").textContent = band.name;
  find("scores-csv").href = `${band.url}?format=csv`;
  histogram();
  draw();
  tell();
}

for (const band of bands.values()) band.button.addEventListener("click", () => show(band));
for (const [name, slider] of Object.entries(sliders)) {
  slider.addEventListener("input", () => move(name, slider.valueAsNumber));
  // Told once it rests: a reader that speaks every step says nothing.
  slider.addEventListener("change", () => {
    find("said").textContent = [...form.querySelectorAll("#figures > div")].map((part) => `${part.children[0].textContent} ${part.children[1].textContent}`).join(", ");
  });
}
automatic.addEventListener("change", () => {
  shown.cuts.block = automatic.checked ? Math.max(shown.cuts.approve, Number(shown.fields.block.value) || 1) : null;
  shown.fields.may.value = automatic.checked ? "True" : "False";
  if (automatic.checked) move("block", shown.cuts.block);
  draw();
  tell();
});

let dragged = "";
const at = (event) => (event.clientX - chart.getBoundingClientRect().left) / chart.getBoundingClientRect().width;
chart.addEventListener("pointerdown", (event) => {
  if (!shown.counts) return;
  const { approve, block } = shown.cuts;
  dragged = block !== null && Math.abs(at(event) - block) < Math.abs(at(event) - approve) ? "block" : "approve";
  chart.setPointerCapture(event.pointerId);
  move(dragged, at(event));
});
chart.addEventListener("pointermove", (event) => dragged && move(dragged, at(event)));
for (const end of ["pointerup", "pointercancel"]) chart.addEventListener(end, () => (dragged = ""));

show(shown);
