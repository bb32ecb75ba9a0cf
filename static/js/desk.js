// The desk: claims in, one key a decision, the next image at once.
import { Blocking } from "./blocking.js";
import { Comfort } from "./comfort.js";
import { Composer } from "./composer.js";
import { Deck } from "./deck.js";
import { farewell, post } from "./http.js";
import { Keymap, listen } from "./keys.js";
import { Lease } from "./lease.js";
import { Looks } from "./looks.js";
import { Notices } from "./notices.js";
import { Outbox } from "./outbox.js";
import { KeyChanger, Palette } from "./palette.js";
import { Pictures } from "./pictures.js";
import { Reveal } from "./reveal.js";
import { Undo } from "./undo.js";
import { Viewer } from "./viewer.js";
import { Windows } from "./windows.js";
import { put, said, words } from "./words.js";

const LEAST_PAINTED = 150; // ms on screen before a decision counts: a key meant for the image before must not hit this one
const CHECK_AGAIN = 15_000;

const desk = document.querySelector(".desk");
const part = (selector) => desk.querySelector(selector);

const keymap = new Keymap(JSON.parse(document.getElementById("acts").textContent));
const pictures = new Pictures();
const reveal = new Reveal({ pictures, looks: new Looks({ heard: (share) => comfort.heard(share) }), refused: notShown });
const viewer = new Viewer({ tools: part(".viewing") });
const notices = new Notices({ list: part(".notices"), said: part(".said") });
const deck = new Deck({ root: part(".cards"), url: desk.dataset.claimUrl, pictures, decided: () => [...outbox.claims, ...deck.sent.keys()], added: (card) => keymap.label(card) });
const lease = new Lease({ deck, url: desk.dataset.heartbeatUrl, seconds: Number(desk.dataset.leaseSeconds), lost });
const outbox = new Outbox({ person: desk.dataset.person, url: desk.dataset.decisionUrl, saved, refused, waits: signedOut, elsewhere: decidedElsewhere, changed: link });
const undo = new Undo({ line: part(".undo"), url: desk.dataset.undoUrl, undone, late });
const windows = new Windows({ name: `loupe.desk.${desk.dataset.person}.${desk.dataset.queue}`, yielded: () => leave("elsewhere") });
const comfort = new Comfort({
  desk,
  reveal,
  words,
  tell: (text, action) => notices.tell(text, { action }),
  inUse: () => lease.inUse && Boolean(deck.current),
  rest: () => part(".done a").click(), // by a link, so that what is in hand goes back
});
const blocking = new Blocking({
  picker: document.getElementById("picker"),
  done: (labels) => decide("block", labels),
  asked: () => notices.say(words.ask),
});
const composer = new Composer({ root: part(".cards"), url: desk.dataset.colleaguesUrl });
const palette = new Palette({ dialog: document.getElementById("palette"), keymap, run: (act) => acts[act]() });
new KeyChanger({ dialog: document.getElementById("help"), keymap, url: desk.dataset.keysUrl });

// --- showing ----------------------------------------------------------------------------------------------------------
let top = null; // the card on screen

function present() {
  const card = deck.current;
  if (card !== top) {
    blocking.end();
    top?.hide();
    top = card;
    if (card) {
      reveal.turnTo(card);
      viewer.turnTo(card);
      card.mark({ grey: reveal.grey });
      card.tick();
      card.show();
      if (!document.querySelector("dialog[open]")) card.focus();
    }
  }
  deck.decodeAhead();
  const resting = absent ?? (deck.stopped ? "enough" : rested ? "done" : "waiting");
  part(".enough p").textContent = deck.stopped;
  for (const rest of desk.querySelectorAll(".rest")) rest.hidden = Boolean(card) || !rest.classList.contains(resting);
  part(".film").hidden = !card;
  draw();
}

function draw() {
  const frames = deck.cards.slice(0, 6).map((card, place) => {
    const frame = new Image();
    frame.src = card.blurred.src;
    frame.alt = "";
    frame.classList.toggle("now", place === 0);
    return frame;
  });
  part(".frames").replaceChildren(...frames);
  const ready = put(words.ready, { n: deck.cards.length });
  part(".film .status").textContent = deck.backlog ? `${ready} · ${deck.backlog.textContent.trim()}` : ready;
}

// Whether what was decided has arrived, for the eye and, when it changes, for the ear.
let told = "";

function link({ size, offline }) {
  desk.dataset.saving = size;
  const state = offline ? "offline" : size ? "sending" : "saved";
  const chip = document.querySelector(".link");
  chip.dataset.state = state;
  chip.querySelector("span").textContent = put(offline && size ? words.link.kept : words.link[state], { n: size });
  if ((state === "offline") !== (told === "offline")) notices.say(offline ? words.link.offline : words.link.back);
  told = state;
}

// --- more work --------------------------------------------------------------------------------------------------------
let rested = false; // the queue was found empty
let absent = null; // why nothing is taken: "away" or "elsewhere"
let offline = null;

async function more() {
  if (absent) return;
  try {
    const waited = rested;
    await deck.refill();
    if (absent) return;
    offline = offline?.() ?? null;
    rested = deck.cards.length === 0;
    present();
    if (waited && deck.current) notices.say(words.fresh);
    part(".done .held").hidden = Number(deck.backlog?.dataset.open ?? 0) === 0;
  } catch (problem) {
    troubled(problem);
  }
}

function troubled(problem) {
  if (problem.kind === "signed-out") return signedOut();
  offline ??= notices.tell(words.offline, { kind: "warning", action: { words: words.again, act: () => ((offline = null), more()) } });
  return undefined;
}

// Why a look was not granted, where there is more to say than "try again"; whether it was said.
function notShown(problem) {
  if (problem.code === "exposure-budget") notices.tell(problem.detail);
  else if (problem.kind === "signed-out") signedOut();
  else return false;
  return true;
}

let toldSignedOut = false;

function signedOut() {
  if (toldSignedOut) return;
  toldSignedOut = true;
  notices.tell(words.signedOut, { kind: "error", action: { words: words.signIn, act: () => location.assign(desk.dataset.signInUrl) } });
}

setInterval(() => {
  if ((deck.low || offline) && lease.inUse && (rested || offline || deck.current)) more();
}, CHECK_AGAIN);
window.addEventListener("online", () => more());

// --- deciding ---------------------------------------------------------------------------------------------------------
function decide(verdict, labels = []) {
  const card = ready();
  if (!card) return;
  const decision = { verdict, labels, rationale: card.rationale, note: card.note, seen: seen(card) };
  if (verdict === "block" && blocking.copies) decision.bank = "category"; // its copies go the same way
  leaves(card);
  notices.say(said(verdict, labels) + (decision.bank ? ` ${words.copies}` : ""));
  if (Number(desk.dataset.undoSeconds)) undo.made(card.id, decision);
  outbox.add(card.id, decision);
  if (deck.low) more();
}

// The image on screen, when it may be decided on: a key meant for the one before must not hit it, nor is anything cut that was written.
function ready() {
  const card = deck.current;
  if (!card || card.paintedFor < LEAST_PAINTED) return null;
  const flaw = composer.flaw(card);
  if (flaw) notices.tell(flaw, { kind: "error" });
  return flaw ? null : card;
}

// The card goes, and the next one is before the reader at once.
function leaves(card) {
  reveal.hide();
  blocking.end();
  deck.take();
  deck.sent.set(card.id, card);
  top = null;
  present();
}

// Hands the request on undecided: to another queue, or to one more person.
async function handOn(how, what, fields = {}) {
  const card = ready();
  if (!card) return;
  leaves(card);
  notices.say(what);
  try {
    await post(desk.dataset.claimsUrl.replace("CLAIM", card.id) + how, { ...fields, note: card.note });
    forget(card.id);
    if (deck.low) more();
  } catch (problem) {
    if (problem.kind === "ended") {
      forget(card.id);
      notices.tell(put(words.ended, { what }), { kind: "warning" });
      return;
    }
    deck.sent.delete(card.id);
    deck.putBack(card);
    present();
    if (problem.kind === "signed-out") signedOut();
    else notices.tell(put(problem.kind === "offline" ? words.unsent : words.refused, { what, detail: problem.detail }), { kind: "error" });
  }
}

// What the reviewer could see; whether the case was blind the server knows itself.
function seen(card) {
  const looked = reveal.seen;
  return { ...looked, ...viewer.seen, variant: looked.revealed ? "working" : "blurred", grey: reveal.grey, panels: [...card.panels] };
}

function saved(entry, answer) {
  forget(entry.claim);
  undo.saved(entry.claim, answer);
  if (offline) more();
}

// The card of a claim that is over, if this window has one.
function forget(claim) {
  const card = deck.sent.get(claim) ?? deck.cards.find((one) => one.id === claim);
  deck.sent.delete(claim);
  if (card) deck.drop(card);
  draw();
  return card;
}

// Nothing was recorded: say what happened, what was kept, and what becomes of the image.
function refused({ claim, decision }, problem) {
  const what = said(decision.verdict, decision.labels);
  const written = [decision.rationale, decision.note].filter(Boolean).join(" · ");
  const kept = written ? ` ${put(words.kept, { text: written })}` : "";
  const card = deck.sent.get(claim);
  undo.drop(claim);
  if (problem.kind === "ended") {
    forget(claim);
    const line = problem.code === "key-reused" ? words.twice : words.ended;
    notices.tell(put(line, { what, detail: problem.detail }) + kept, { kind: "warning" });
  } else if (card) {
    deck.sent.delete(claim);
    deck.putBack(card);
    present();
    notices.tell(put(words.refused, { what, detail: problem.detail }), { kind: "error" });
  } else notices.tell(put(words.refusedLater, { what, detail: problem.detail }) + kept, { kind: "error" });
}

// Another window of the same person decided on it.
function decidedElsewhere({ claim, decision }) {
  if (!deck.cards.some((card) => card.id === claim)) return;
  const current = deck.current.id === claim;
  if (current) reveal.hide();
  forget(claim);
  if (current) top = null;
  notices.tell(put(words.otherWindow, { what: said(decision.verdict, decision.labels) }));
  present();
  if (deck.low) more();
}

// Taken back: the image is on screen again, with what was written about it.
async function undone({ decision }, claim) {
  const what = said(decision.verdict, decision.labels) || words.yours;
  if (!claim) return notices.tell(put(words.undoneGone, { what }));
  await more();
  if (!deck.bring(claim)) await more(); // the first of the two may have been asked before it was ours again
  if (deck.bring(claim)) deck.current.restore(decision);
  present();
  notices.say(put(words.undone, { what }));
  return undefined;
}

function late({ decision, id }, problem) {
  const what = said(decision.verdict, decision.labels);
  if (problem.kind === "offline") notices.tell(put(words.undoUnsent, { what }), { kind: "warning" });
  else notices.tell(put(words.undoLate, { what, detail: problem.detail }), { kind: "warning", action: { words: words.reopen, act: () => reopen(id) } });
}

// Somebody else is asked about an image that is settled.
async function reopen(id) {
  try {
    notices.tell((await (await post(desk.dataset.reopenUrl.replace("00000000-0000-0000-0000-000000000000", id), {})).json()).detail);
  } catch (problem) {
    notices.tell(problem.detail || words.noAnswer, { kind: "warning" });
  }
}

async function takeBack(id) {
  try {
    const { claim_id: claim } = await (await post(desk.dataset.undoUrl.replace("DECISION", id), {})).json();
    document.getElementById("history").close();
    await undone({ decision: {} }, claim);
  } catch (problem) {
    notices.tell(problem.detail || words.noAnswer, { kind: "warning" });
  }
}

function lost(cards) {
  const current = cards.includes(deck.current);
  if (current) reveal.hide();
  for (const card of cards) deck.drop(card);
  if (current) top = null;
  notices.tell(put(cards.length === 1 ? words.lostOne : words.lostMany, { n: cards.length }), { kind: "warning" });
  if (!deck.cards.length && !lease.inUse) leave("away");
  else {
    present();
    if (deck.low) more();
  }
}

// Nobody is there, or works in another window: nothing more is taken until somebody says so here.
function leave(why) {
  if (deck.current) reveal.hide();
  deck.clear();
  rested = false;
  absent = why;
  present();
}

function resume() {
  absent = null;
  windows.take();
  present();
  more();
}

// --- keys and buttons -------------------------------------------------------------------------------------------------
const open = (id) => document.getElementById(id).showModal();
const history = () => {
  open("history");
  htmx.trigger("#past", "look");
};
const calmly = (act) => () => (blocking.active || !deck.current ? false : act());

const acts = {
  approve: calmly(() => decide("approve")),
  escalate: calmly(() => deck.current.element.querySelector("[data-act=escalate]") && decide("escalate")),
  skip: calmly(() => decide("skip")),
  block: calmly(() => blocking.begin(deck.current)),
  undo: () => undo.press(),
  back: () => blocking.end(),
  category: (button) => chosen(button),
  more: () => (blocking.active || blocking.begin(deck.current), blocking.more()),
  copies: () => (blocking.active ? blocking.toggleCopies() : false),
  grade: (button) => blocking.setGrade(button.dataset.grade),
  "zoom-in": () => viewer.in(),
  "zoom-out": () => viewer.out(),
  fit: () => viewer.fit(),
  actual: () => viewer.actual(),
  turn: () => viewer.turn(),
  loupe: () => viewer.loupe(),
  look: () => deck.current && ((held = true), reveal.show()),
  show: () => deck.current && !comfort.mustHold && reveal.toggle(),
  grey: () => reveal.setGrey(comfort.keepsGrey || !reveal.grey),
  opinion: calmly(() => handOn("/second-opinion", words.opinion)),
  send: calmly(() => open("send")),
  rationale: calmly(() => deck.current.element.querySelector(".rationale").focus()),
  palette: () => palette.open(),
  note: calmly(() => deck.current.element.querySelector(".note").focus()),
  help: () => open("help"),
  history,
  resume,
};

function chosen(button) {
  if (!deck.current || deck.current.paintedFor < LEAST_PAINTED) return;
  if (!blocking.active) blocking.begin(deck.current);
  blocking.choose(button);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button && button.closest(".desk, .top")) acts[button.dataset.act]?.(button);
  if (event.target.closest("dialog [data-close], dialog [data-queue]")) event.target.closest("dialog").close();
  const { queue, reopen: again, undo: back } = event.target.closest("dialog button")?.dataset ?? {};
  if (queue) handOn("/send", put(words.sent, { queue: event.target.closest("button").textContent.trim() }), { queue });
  if (again) document.getElementById("history").close(), reopen(again);
  if (back) takeBack(back);
  const anchor = event.target.closest("a[href]");
  if (anchor && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && anchor.target !== "_blank") leaving = true;
});
document.addEventListener("submit", () => (leaving = true));

// Keys that nobody can move: they go with the place or the moment, not with the act.
const digits = Array.from({ length: 10 }, (_, number) => [
  [`${number}`, () => (blocking.active ? blocking.digit(number) : false)],
  [`Shift+${number}`, () => (blocking.active ? blocking.digit(number, { mark: true }) : false)],
]).flat();
const fixed = {
  Escape: () => (blocking.active ? blocking.end() : reveal.hide()),
  ArrowUp: () => (blocking.active ? blocking.shiftGrade(1) : viewer.pan(0, -1)),
  ArrowDown: () => (blocking.active ? blocking.shiftGrade(-1) : viewer.pan(0, 1)),
  ArrowLeft: () => viewer.pan(-1, 0),
  ArrowRight: () => viewer.pan(1, 0),
  Enter: () => (blocking.active ? blocking.confirm() : false),
  "Ctrl+Z": acts.undo,
  ...Object.fromEntries(digits),
};

listen((name) => fixed[name] ?? acts[keymap.actOf(name)]);
keymap.label(document);

// Looking lasts as long as the key or the pointer is held, and never outlasts the reader's attention.
let held = false; // by Space
document.addEventListener("keyup", (event) => {
  if (event.code !== "Space" || !held) return;
  held = false;
  reveal.hide();
});
window.addEventListener("blur", () => reveal.hide());
document.addEventListener("visibilitychange", () => document.hidden && reveal.hide());
const onPicture = (kind, act, options) => part(".cards").addEventListener(kind, (event) => event.target.closest(".picture") && act(event), options);

onPicture("pointerdown", (event) => {
  if (event.button !== 0) return;
  const picture = event.target.closest(".picture");
  picture.setPointerCapture(event.pointerId);
  viewer.down(event);
  comfort.press(picture, event);
});
onPicture("pointerup", (event) => comfort.lift(event));
onPicture("pointerover", (event) => comfort.point(true, event));
onPicture("pointerout", (event) => event.relatedTarget?.closest?.(".picture") || comfort.point(false, event));
part(".cards").addEventListener("clear", () => viewer.refresh());
onPicture("pointermove", (event) => viewer.move(event));
for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) onPicture(end, (event) => viewer.up(event));
onPicture("wheel", (event) => viewer.wheel(event) && event.preventDefault(), { passive: false });
part(".cards").addEventListener("contextmenu", (event) => event.target.closest(".picture") && event.preventDefault());

// --- coming and going -------------------------------------------------------------------------------------------------
// Leaving by a link gives everything back. Otherwise (a reload, a closed tab) what is on screen stays ours until its lease ends.
let leaving = false;
window.addEventListener("pagehide", () => {
  const rest = leaving ? deck.cards : deck.cards.slice(1);
  if (rest.length) farewell(desk.dataset.releaseUrl, rest.map((card) => card.element));
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

windows.take();
outbox.resume();
more();
