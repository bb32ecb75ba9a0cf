// Many small images: mark the bad ones, one key for all. Each decision has its own claim; all go in one call.
import { farewell, post } from "./http.js";
import { listen } from "./keys.js";
import { Looks } from "./looks.js";
import { put, words } from "./words.js";

const grid = document.getElementById("grid");
const list = grid.querySelector(".tiles-of");
list.style.setProperty("--thumb", `${grid.dataset.thumb}px`);
const as = document.getElementById("as");
const done = document.getElementById("done");
const looks = new Looks();
const tiles = () => [...list.querySelectorAll(".tile")];
const face = (tile) => tile.querySelector(".face");
const severities = Object.fromEntries([...as.options].filter((one) => one.value).map((one) => [one.value, Number(one.dataset.severity)]));
const names = Object.fromEntries([...as.options].map((one) => [one.value, one.textContent]));
const BEATS_A_LEASE = 5;
const A_BEAT = 20; // claims in one heartbeat
let used = Date.now();
let sending = null; // what is on its way, or could not be sent: the same key goes with it again

function tell(text, kind = "") {
  const line = Object.assign(document.createElement("p"), { className: `notice ${kind}`, textContent: text });
  grid.querySelector(".notices").replaceChildren(line);
}

// --- tiles ------------------------------------------------------------------------------------------------------------
async function fetchTiles() {
  const body = new FormData();
  body.set("size", grid.dataset.size);
  try {
    list.innerHTML = await (await post(grid.dataset.claimUrl, body)).text();
  } catch (problem) {
    tell(problem.detail || words.offline, "warning");
    return;
  }
  const stopped = list.querySelector(".stopped");
  if (stopped) tell(stopped.textContent, "warning");
  stopped?.remove();
  grid.querySelector(".none").hidden = tiles().length > 0;
  if (tiles().length) focus(0);
  draw();
}

function focus(place) {
  const all = tiles();
  if (!all.length) return;
  const to = all[Math.max(0, Math.min(all.length - 1, place))];
  for (const tile of all) face(tile).tabIndex = tile === to ? 0 : -1;
  face(to).focus();
}

const current = () => document.activeElement?.closest?.(".tile") ?? null;
const step = (by) => () => (tiles().length ? focus(tiles().indexOf(current()) + by) : false);

function across() {
  const [first] = tiles();
  return first ? tiles().filter((tile) => tile.offsetTop === first.offsetTop).length : 1;
}

const category = (tile) => as.value || tile.dataset.category || "OTHER";
const follows = (tile) => tile.dataset.follows && !tile.querySelector(".own").checked && !tile.dataset.bad;

function mark(tile) {
  if (!tile) return;
  if (tile.dataset.bad) delete tile.dataset.bad;
  else tile.dataset.bad = category(tile);
  face(tile).setAttribute("aria-pressed", String(Boolean(tile.dataset.bad)));
  face(tile).querySelector(".bad b").textContent = tile.dataset.bad ? names[tile.dataset.bad] : "";
  draw();
}

function draw() {
  const bad = tiles().filter((tile) => tile.dataset.bad).length;
  grid.querySelector(".marked").textContent = bad ? put(words.marked, { n: bad }) : "";
  done.disabled = !tiles().length;
}

// --- looking ----------------------------------------------------------------------------------------------------------
let look = null;

async function show(tile) {
  if (!tile || look) return;
  const mine = (look = { tile, since: 0, id: null });
  try {
    const { id, blob } = await looks.begin({ lookUrl: `/api/v1/claims/${tile.dataset.claim}/looks` });
    const pixels = await createImageBitmap(blob);
    mine.id = id;
    if (look !== mine) return pixels.close(); // let go meanwhile
    const canvas = face(tile).querySelector("canvas");
    Object.assign(canvas, { width: pixels.width, height: pixels.height, hidden: false });
    canvas.getContext("2d").drawImage(pixels, 0, 0);
    pixels.close();
    mine.since = performance.now();
    looks.follow(id, () => (performance.now() - mine.since) / 1000);
    tile.dataset.revealed = "true";
  } catch (problem) {
    if (look === mine) look = null;
    tell(put(words.look, { why: problem.detail || words.offline }), "warning");
  }
  return undefined;
}

function hide() {
  if (!look) return;
  const { tile, since, id } = look;
  look = null;
  const canvas = face(tile).querySelector("canvas");
  canvas.hidden = true;
  canvas.width = canvas.width; // wipes the pixels
  if (!since) return;
  const seconds = (performance.now() - since) / 1000;
  tile.dataset.seconds = String(Number(tile.dataset.seconds ?? 0) + seconds);
  looks.end(id, seconds);
}

// --- deciding ---------------------------------------------------------------------------------------------------------
function order(tile) {
  const seconds = Math.round(Number(tile.dataset.seconds ?? 0) * 10) / 10;
  const seen = { revealed: tile.dataset.revealed === "true", seconds, tile: Math.round(face(tile).clientWidth) };
  const item = { claim_id: tile.dataset.claim, seen };
  if (follows(tile)) return { ...item, follows: tile.dataset.follows };
  const bad = tile.dataset.bad;
  return bad ? { ...item, verdict: "block", labels: [{ category: bad, severity: severities[bad] }] } : { ...item, verdict: "approve" };
}

async function send() {
  if (!tiles().length || done.disabled) return;
  hide();
  sending ??= { key: crypto.randomUUID(), decisions: tiles().map(order) };
  done.disabled = true;
  try {
    const headers = { "Idempotency-Key": sending.key };
    const { results } = await (await post("/api/v1/claims/decisions", { decisions: sending.decisions }, { headers })).json();
    sending = null;
    report(results);
    await fetchTiles();
  } catch (problem) {
    if (problem.kind !== "offline") sending = null;
    tell(problem.detail || words.offline, "error");
    done.disabled = false;
  }
}

function report(results) {
  const count = (verdict) => results.filter((one) => one.decision?.verdict === verdict).length;
  const spot = results.filter((one) => one.spot_check).length;
  const failed = results.filter((one) => one.problem);
  const said = [put(words.done, { good: count("approve"), bad: count("block") })];
  if (spot) said.push(put(words.spot, { n: spot }));
  if (failed.length) said.push(put(words.failed, { n: failed.length, why: failed[0].problem }));
  tell(said.join(" "), failed.length ? "warning" : "success");
}

// --- leases -----------------------------------------------------------------------------------------------------------
async function beat() {
  if (document.hidden || !tiles().length || Date.now() - used > Number(grid.dataset.lease) * 1000) return;
  const held = {};
  const asked = tiles();
  try {
    for (let at = 0; at < asked.length; at += A_BEAT) {
      const body = new FormData();
      for (const tile of asked.slice(at, at + A_BEAT)) body.append("claim", tile.dataset.claim);
      Object.assign(held, (await (await post(grid.dataset.heartbeatUrl, body)).json()).until);
    }
  } catch {
    return; // the next beat tries again
  }
  for (const tile of asked) tile.dataset.until = held[tile.dataset.claim] ?? tile.dataset.until;
  const lost = asked.filter((tile) => !(tile.dataset.claim in held) && tile.isConnected);
  if (!lost.length || sending) return;
  for (const tile of lost) tile.remove();
  for (const tile of tiles()) if (lost.some((one) => one.dataset.claim === tile.dataset.follows)) delete tile.dataset.follows;
  tell(put(words.lost, { n: lost.length }), "warning");
  draw();
}
setInterval(beat, (Number(grid.dataset.lease) * 1000) / BEATS_A_LEASE);

// --- keys, pointer ----------------------------------------------------------------------------------------------------
// Space and Enter press a button elsewhere; here they look and send.
document.addEventListener(
  "keydown",
  (event) => {
    used = Date.now();
    if (!event.target.closest?.(".face") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.code === "Space") {
      event.preventDefault();
      if (!event.repeat) show(current());
    } else if (event.code === "Enter") {
      event.preventDefault();
      if (!event.repeat) send();
    }
  },
  { capture: true },
);
document.addEventListener("keyup", (event) => event.code === "Space" && hide());
const acts = {
  ArrowRight: step(1),
  ArrowLeft: step(-1),
  ArrowDown: () => step(across())(),
  ArrowUp: () => step(-across())(),
  X: () => (current() ? mark(current()) : false),
};
listen((name) => acts[name]);
list.addEventListener("click", (event) => event.target.closest(".mark") && mark(event.target.closest(".tile")));
list.addEventListener("pointerdown", (event) => {
  const tile = event.button === 0 && event.target.closest(".face")?.closest(".tile");
  if (!tile) return;
  used = Date.now();
  focus(tiles().indexOf(tile));
  show(tile);
});
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, hide);
list.addEventListener("contextmenu", (event) => event.target.closest(".face") && event.preventDefault());
window.addEventListener("blur", hide);
document.addEventListener("visibilitychange", () => document.hidden && hide());
done.addEventListener("click", send);
window.addEventListener("pagehide", () => {
  const held = tiles();
  for (let at = 0; at < held.length && !sending; at += A_BEAT) farewell(grid.dataset.releaseUrl, held.slice(at, at + A_BEAT));
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

fetchTiles();
