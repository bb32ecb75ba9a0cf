// The desk: claims in, one key a decision, the next image at once.
import { Blocking } from "./blocking.js";
import { Deck } from "./deck.js";
import { farewell } from "./http.js";
import { listen } from "./keys.js";
import { Lease } from "./lease.js";
import { Notices } from "./notices.js";
import { Pictures } from "./pictures.js";
import { Reveal } from "./reveal.js";
import { Sender } from "./sender.js";

const LEAST_PAINTED = 150; // ms on screen before a decision counts: a key meant for the image before must not hit this one
const CHECK_AGAIN = 15_000;

const desk = document.querySelector(".desk");
const words = JSON.parse(document.getElementById("words").textContent);
const put = (text, fields) => text.replace(/\{(\w+)\}/g, (whole, name) => fields[name] ?? whole);
const part = (selector) => desk.querySelector(selector);

const pictures = new Pictures();
const reveal = new Reveal(pictures);
const notices = new Notices({ list: part(".notices"), said: part(".said") });
const deck = new Deck({ root: part(".cards"), url: desk.dataset.claimUrl, pictures });
const lease = new Lease({ deck, url: desk.dataset.heartbeatUrl, seconds: Number(desk.dataset.leaseSeconds), lost });
const sender = new Sender({ url: desk.dataset.decisionUrl, saved, failed });
const blocking = new Blocking({
  picker: document.getElementById("picker"),
  done: (labels) => decide("block", labels),
  asked: () => notices.say(words.ask),
});

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
      card.mark({ grey: reveal.grey });
      card.tick();
      card.show();
      if (!document.querySelector("dialog[open]")) card.focus();
    }
  }
  deck.decodeAhead();
  part(".done").hidden = Boolean(card) || !rested;
  part(".waiting").hidden = Boolean(card) || rested;
  part(".film").hidden = !card;
  draw();
}

function draw() {
  desk.dataset.saving = deck.sending.size;
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

// --- more work --------------------------------------------------------------------------------------------------------
let rested = false; // the queue was found empty
let offline = null;

async function more() {
  try {
    const waited = rested;
    await deck.refill();
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

let toldSignedOut = false;

function signedOut() {
  if (toldSignedOut) return;
  toldSignedOut = true;
  notices.tell(words.signedOut, { kind: "error", action: { words: words.signIn, act: () => location.assign(desk.dataset.signInUrl) } });
}

setInterval(() => {
  if (deck.low && lease.inUse && (rested || deck.current)) more();
}, CHECK_AGAIN);

// --- deciding ---------------------------------------------------------------------------------------------------------
function decide(verdict, labels = []) {
  const card = deck.current;
  if (!card || card.paintedFor < LEAST_PAINTED) return;
  const decision = { verdict, labels, note: card.note, seen: reveal.seen };
  if (verdict === "block" && blocking.copies) decision.bank = "category"; // its copies go the same way
  reveal.hide();
  blocking.end();
  deck.take();
  deck.sending.set(card.id, card);
  top = null;
  present();
  notices.say(said(verdict, labels) + (decision.bank ? ` ${words.copies}` : ""));
  sender.send(card, decision);
  if (deck.low) more();
}

function said(verdict, labels) {
  const names = labels.map((label) => `${words.categories[label.category] ?? label.category} S${label.severity}`);
  return [words.verdicts[verdict], names.join(", ")].filter(Boolean).join(" · ");
}

function saved(card) {
  deck.sending.delete(card.id);
  deck.drop(card);
  draw();
}

// Nothing was recorded: say what happened, and what becomes of the image.
function failed(card, decision, problem) {
  deck.sending.delete(card.id);
  const what = said(decision.verdict, decision.labels);
  if (problem.kind === "ended") {
    deck.drop(card);
    draw();
    notices.tell(put(words.ended, { what, detail: problem.detail }), { kind: "warning" });
    return;
  }
  deck.putBack(card);
  present();
  if (problem.kind === "signed-out") signedOut();
  else notices.tell(put(problem.kind === "offline" ? words.unsent : words.refused, { what, detail: problem.detail }), { kind: "error" });
}

function lost(cards) {
  const current = cards.includes(deck.current);
  if (current) reveal.hide();
  for (const card of cards) deck.drop(card);
  if (current) top = null;
  notices.tell(put(cards.length === 1 ? words.lostOne : words.lostMany, { n: cards.length }), { kind: "warning" });
  if (!deck.cards.length && !lease.inUse) away();
  else {
    present();
    if (deck.low) more();
  }
}

// Nobody is there: take nothing more until somebody says so.
function away() {
  rested = false;
  present();
  part(".waiting").hidden = true;
  part(".away").hidden = false;
}

function resume() {
  part(".away").hidden = true;
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
  back: () => blocking.end(),
  category: (button) => chosen(button),
  more: () => (blocking.active || blocking.begin(deck.current), blocking.more()),
  copies: () => blocking.active && blocking.toggleCopies(),
  grade: (button) => blocking.setGrade(button.dataset.grade),
  show: () => reveal.toggle(),
  grey: () => reveal.setGrey(!reveal.grey),
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
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  const link = event.target.closest("a[href]");
  if (link && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && link.target !== "_blank") leaving = true;
});
document.addEventListener("submit", () => (leaving = true));

const digits = Object.fromEntries(
  Array.from({ length: 10 }, (_, number) => [
    [`Digit${number}`, () => (blocking.active ? blocking.digit(number) : false)],
    [`Shift+Digit${number}`, () => (blocking.active ? blocking.digit(number, { mark: true }) : false)],
  ]).flat(),
);

listen({
  KeyA: acts.approve,
  KeyB: acts.block,
  KeyC: () => (blocking.active ? blocking.toggleCopies() : false),
  KeyE: acts.escalate,
  KeyS: acts.skip,
  KeyV: () => deck.current && acts.show(),
  KeyG: () => acts.grey(),
  KeyH: history,
  KeyN: calmly(() => deck.current.element.querySelector(".note").focus()),
  "?": acts.help,
  Space: () => deck.current && ((held = true), reveal.show()),
  Escape: () => (blocking.active ? blocking.end() : reveal.hide()),
  ArrowUp: () => (blocking.active ? blocking.shiftGrade(1) : false),
  ArrowDown: () => (blocking.active ? blocking.shiftGrade(-1) : false),
  Enter: () => (blocking.active ? blocking.confirm() : false),
  ...digits,
});

// Looking lasts as long as the key or the pointer is held, and never outlasts the reader's attention.
let held = false; // by Space
document.addEventListener("keyup", (event) => {
  if (event.code !== "Space" || !held) return;
  held = false;
  reveal.hide();
});
window.addEventListener("blur", () => reveal.hide());
document.addEventListener("visibilitychange", () => document.hidden && reveal.hide());
part(".cards").addEventListener("pointerdown", (event) => {
  const picture = event.button === 0 && event.target.closest(".picture");
  if (!picture || reveal.shown) return;
  picture.setPointerCapture(event.pointerId);
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) picture.addEventListener(end, () => reveal.hide(), { once: true });
  reveal.show();
});
part(".cards").addEventListener("contextmenu", (event) => event.target.closest(".picture") && event.preventDefault());

// --- coming and going -------------------------------------------------------------------------------------------------
// Leaving by a link gives everything back. Otherwise (a reload, a closed tab) what is on screen stays ours until its lease ends.
let leaving = false;
window.addEventListener("pagehide", () => {
  const rest = leaving ? deck.cards : deck.cards.slice(1);
  if (rest.length) farewell(desk.dataset.releaseUrl, { claim: rest.map((card) => card.id) });
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

more();
