// The desk: the list and the case beside each other, changed in place.
import { connect } from "./live.js";
import { listenForKeys } from "./keys.js";
import { send, onSettled } from "./acts.js";
import { tick } from "./times.js";
import { watchDrafts } from "./drafts.js";
import { say } from "./toasts.js";

const list = document.getElementById("list");
const pane = document.getElementById("case");
const ready = new Map(); // cases fetched ahead: number -> { html, at }
const FRESH = 20_000;
let chosen = Number(pane.dataset.case) || 0;
let lastMoved = Date.now();

const part = async (address, name) => {
  const answer = await fetch(address, { headers: { "X-Part": name, Accept: "text/html" } });
  if (answer.redirected && new URL(answer.url).pathname === "/login") location.assign(answer.url);
  if (!answer.ok && answer.status !== 404) throw new Error(String(answer.status));
  return answer.text();
};

const rows = () => [...list.querySelectorAll(".row")];
const rowOf = (number) => list.querySelector(`.row[data-case="${number}"]`);

// ---- the case ------------------------------------------------------------------------------

function mark(number) {
  for (const row of list.querySelectorAll(".row.chosen")) {
    row.classList.remove("chosen");
    row.querySelector(".row-words").removeAttribute("aria-current");
  }
  const row = rowOf(number);
  if (row) {
    row.classList.add("chosen");
    row.querySelector(".row-words").setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
  }
}

function put(html, number, { keep = false } = {}) {
  const kept = keep ? remember() : null;
  pane.innerHTML = html;
  pane.dataset.case = number;
  if (kept) restore(kept);
  else pane.scrollTop = 0;
  tick(pane);
  pane.dispatchEvent(new CustomEvent("shown", { bubbles: true, detail: { number, keep } }));
}

// What a person has begun to type, opened or scrolled to outlives a redraw of the same case.
function remember() {
  const active = document.activeElement;
  return {
    scroll: pane.scrollTop,
    open: [...pane.querySelectorAll("details[open][id]")].map((one) => one.id),
    typed: [...pane.querySelectorAll("textarea[id], input[type=text][id]")].map((one) => [one.id, one.value]),
    focus: pane.contains(active) && active.id ? [active.id, active.selectionStart, active.selectionEnd] : null,
  };
}

function restore(kept) {
  for (const id of kept.open) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, value] of kept.typed) {
    const box = document.getElementById(id);
    if (box && value) box.value = value;
  }
  if (kept.focus) {
    const [id, from, to] = kept.focus;
    const box = document.getElementById(id);
    box?.focus({ preventScroll: true });
    if (box?.setSelectionRange && from !== null && from !== undefined) {
      try { box.setSelectionRange(from, to); } catch { /* a box without a caret */ }
    }
  }
  pane.scrollTop = kept.scroll;
}

async function show(number, { push = true, focus = false } = {}) {
  if (!number) return;
  chosen = number;
  mark(number);
  document.body.classList.add("one");
  if (push) {
    const address = new URL(location);
    address.searchParams.set("case", number);
    history.replaceState(null, "", address);
  }
  const known = ready.get(number);
  if (known) put(known.html, number);
  else pane.setAttribute("aria-busy", "true");
  if (!known || Date.now() - known.at > FRESH) {
    try {
      const html = await part(`/cases/${number}`, "case");
      ready.set(number, { html, at: Date.now() });
      if (chosen === number) put(html, number, { keep: Boolean(known) });
    } catch {
      if (chosen === number && !known) say("This case cannot be fetched just now; it is tried again when the connection is back.");
    }
  }
  pane.removeAttribute("aria-busy");
  if (focus) pane.focus({ preventScroll: true });
  ahead();
}

async function refreshCase() {
  if (!chosen) return;
  const number = chosen;
  try {
    const html = await part(`/cases/${number}`, "case");
    ready.set(number, { html, at: Date.now() });
    if (chosen === number) put(html, number, { keep: true });
  } catch { /* said by the connection line */ }
}

// The next case is fetched while this one is read; once, however often we are asked to.
const coming = new Set();
async function ahead() {
  const all = rows();
  const here = all.findIndex((row) => Number(row.dataset.case) === chosen);
  for (const row of all.slice(here + 1, here + 3)) {
    const number = Number(row.dataset.case);
    if (ready.has(number) || coming.has(number)) continue;
    coming.add(number);
    try {
      ready.set(number, { html: await part(`/cases/${number}`, "case"), at: Date.now() });
    } catch {
      return;
    } finally {
      coming.delete(number);
    }
  }
  if (ready.size > 60) ready.delete(ready.keys().next().value);
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const here = all.findIndex((row) => Number(row.dataset.case) === chosen);
  const next = all[Math.max(0, Math.min(all.length - 1, here + by))];
  show(Number(next.dataset.case));
}

// ---- the list ------------------------------------------------------------------------------

let asked = 0;
async function refreshList() {
  if (document.body.classList.contains("alone")) return;
  const mine = ++asked;
  let html;
  try {
    html = await part(location.pathname + location.search, "list");
  } catch { return; }
  if (mine !== asked) return; // a later question was answered first
  const fresh = new DOMParser().parseFromString(html, "text/html");
  swapRows(fresh);
  swapCounts(fresh);
  tick(list);
  ahead();
}

// Rows are matched by their case, so that scroll, focus and ticks stay where they are.
function swapRows(fresh) {
  const now = list.querySelector(".rows");
  const then = fresh.querySelector(".rows");
  if (!now || !then) {
    const body = fresh.getElementById("list-body");
    if (body) document.getElementById("list-body").replaceWith(body);
    return;
  }
  const ticked = new Set([...now.querySelectorAll(".pick:checked")].map((box) => box.value));
  const focused = document.activeElement?.closest?.(".row")?.dataset.case;
  const scroll = now.scrollTop;
  for (const row of then.querySelectorAll(".row")) {
    const box = row.querySelector(".pick");
    if (box && ticked.has(box.value)) box.checked = true;
    if (Number(row.dataset.case) === chosen) row.classList.add("chosen");
  }
  now.replaceChildren(...then.children);
  now.scrollTop = scroll;
  if (focused) rowOf(focused)?.querySelector(".row-words")?.focus({ preventScroll: true });
  countPicked();
}

function swapCounts(fresh) {
  for (const one of fresh.querySelectorAll("[data-count]")) {
    for (const here of document.querySelectorAll(`[data-count="${one.dataset.count}"]`)) {
      if (here.textContent !== one.textContent) here.textContent = one.textContent;
    }
  }
  const heard = fresh.getElementById("health");
  if (heard) document.getElementById("health").innerHTML = heard.innerHTML;
}

let waiting = 0;
function refreshSoon() {
  if (waiting) return;
  const since = Date.now() - lastMoved;
  waiting = setTimeout(() => {
    waiting = 0;
    lastMoved = Date.now();
    if (!document.hidden) refreshList();
  }, since > 1500 ? 60 : 1500 - since);
}

// ---- many at once --------------------------------------------------------------------------

function countPicked() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const picked = list.querySelectorAll(".pick:checked").length;
  bar.hidden = picked === 0;
  bar.querySelector(".picked").textContent = picked === 1 ? "1 case" : `${picked} cases`;
}

// ---- what happens --------------------------------------------------------------------------

list.addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (!row || event.target.closest(".pick") || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  show(Number(row.dataset.case), { focus: true });
});
list.addEventListener("change", (event) => {
  if (event.target.matches(".pick")) countPicked();
  if (event.target.closest("form.filters") && event.target.matches("select")) event.target.form.requestSubmit();
});
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.dataset.plain !== undefined) return;
  event.preventDefault();
  const body = new FormData(form, event.submitter);
  await act(form.getAttribute("action"), body, event.submitter, form);
});

async function act(address, body, button, form) {
  const number = chosen;
  const row = rowOf(number);
  const goes = button?.dataset.goes !== undefined; // the row leaves this list
  const others = goes && row ? neighbours(row) : [];
  button?.setAttribute("aria-busy", "true");
  button?.closest("details")?.removeAttribute("open");
  if (goes) row?.classList.add("leaving");
  const wait = [];
  form?.dispatchEvent(new CustomEvent("sending", { bubbles: true, detail: { wait } }));
  await Promise.allSettled(wait);
  const answer = await send(address, body);
  button?.removeAttribute("aria-busy");
  if (!answer.ok) {
    row?.classList.remove("leaving");
    if (!answer.waits) { refreshCase(); refreshSoon(); }
    return;
  }
  form?.querySelectorAll("[data-clears]").forEach((box) => { box.value = ""; });
  form?.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: answer }));
  ready.delete(number);
  if (answer.case && answer.case !== number) {
    refreshList(); // beside it: the case is what is waited for
    await show(answer.case, { focus: true });
    return;
  }
  refreshSoon();
  const next = others.find(rowOf); // the list may be another by now
  if (next) await show(next);
  else await refreshCase();
}

// The cases below a row, the nearest first, then those above it.
function neighbours(row) {
  const all = rows();
  const here = all.indexOf(row);
  return [...all.slice(here + 1), ...all.slice(0, here).reverse()].map((one) => Number(one.dataset.case));
}

document.addEventListener("undo", async (event) => {
  const body = new FormData();
  const answer = await send(`/events/${event.detail.event}/undo`, body);
  if (answer.ok) {
    ready.clear();
    await refreshList();
    if (event.detail.case) await show(event.detail.case);
    else await refreshCase();
  }
});

onSettled(() => { ready.clear(); refreshList(); refreshCase(); });

connect({
  changed(cases) {
    for (const number of cases) ready.delete(number);
    refreshSoon();
    if (cases.includes(chosen)) refreshCase();
  },
  here(people) {
    for (const spot of document.querySelectorAll("[data-here]")) {
      const marks = people[spot.dataset.here] ?? [];
      spot.replaceChildren(...marks.map((one) => {
        const face = document.createElement("span");
        face.className = `face ${one.writing ? "writing" : "viewing"}`;
        face.textContent = one.initials;
        face.title = `${one.name} ${one.writing ? "is writing" : "is looking at it"}`;
        face.setAttribute("role", "img");
        face.setAttribute("aria-label", face.title);
        return face;
      }));
    }
  },
  back() { ready.clear(); refreshList(); refreshCase(); },
});

listenForKeys({
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  Escape: () => {
    const open = document.querySelector("details.menu[open]");
    if (open) { open.removeAttribute("open"); open.querySelector("summary").focus(); return; }
    if (document.activeElement?.matches("input, textarea, select")) { document.activeElement.blur(); pane.focus({ preventScroll: true }); return; }
    document.body.classList.remove("one");
  },
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
  if (event.target.closest("[data-back]") && !document.body.classList.contains("alone")) { event.preventDefault(); document.body.classList.remove("one"); }
  const pasted = event.target.closest("[data-copies]");
  if (pasted) copy(pasted);
});

async function copy(button) {
  const box = document.getElementById(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(box.value);
    say("Copied. Paste it there, then press “I posted it”.");
  } catch {
    box.focus();
    box.select();
    say("Your browser keeps the clipboard closed: the text is selected, copy it with Ctrl-C.");
  }
}

watchDrafts(pane, () => chosen);
tick(document);
setInterval(() => tick(document), 15_000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { refreshList(); refreshCase(); } });

// Who is at work here keeps the hold and is seen by the others.
let moved = Date.now();
for (const kind of ["keydown", "pointermove", "scroll"]) {
  document.addEventListener(kind, () => { moved = Date.now(); }, { passive: true, capture: true });
}
async function here() {
  if (!chosen || document.hidden || Date.now() - moved > 120_000) return;
  const body = new FormData();
  const box = document.getElementById("reply-text");
  if (box && (document.activeElement === box || box.value !== box.defaultValue)) body.set("writing", "yes");
  await send(`/cases/${chosen}/here`, body, { quiet: true });
}
setInterval(here, 15_000);
pane.addEventListener("shown", (event) => { if (!event.detail.keep) here(); });
pane.addEventListener("focusin", (event) => { if (event.target.id === "reply-text") here(); });
if (chosen) { mark(chosen); here(); ahead(); }
