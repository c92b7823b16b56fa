// Every act is one plain key: whatever carries data-key is pressed, opened or focused by it.
const typing = (target) => target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
// What stands in a closed menu is there too: its key needs no menu.
const seen = (one) => (one.closest("details.menu") ?? one).checkVisibility() || one.closest("dialog[open]");

function find(key) {
  const menu = document.querySelector("details.menu[open]");
  const places = menu ? [menu, document] : [document];
  for (const place of places) {
    const found = [...place.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((one) => seen(one) && !one.disabled);
    if (found) return found;
  }
  return null;
}

function press(one) {
  if (one.matches("input:not([type=checkbox]), textarea, select")) {
    one.focus();
    one.scrollIntoView({ block: "nearest" });
  } else if (one.matches("summary")) {
    const menu = one.parentElement;
    menu.toggleAttribute("open");
    if (menu.open) (menu.querySelector("[autofocus], input:not([type=hidden]), select, button") ?? one).focus();
  } else {
    one.click();
  }
}

export function listenForKeys(more) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
      event.preventDefault();
      const go = event.target.form.querySelector("button.go");
      event.target.form.requestSubmit(go ?? undefined);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target) && event.key !== "Escape") return;
    if (document.querySelector("dialog[open]") && event.key !== "Escape") return;
    if (event.key === "?") { event.preventDefault(); help(); return; }
    const one = event.key.length === 1 ? find(event.key) : null;
    if (one) { event.preventDefault(); press(one); return; }
    if (more[event.key]) {
      if (event.key.startsWith("Arrow") && event.target.closest("details.menu")) return;
      if (event.key !== "Escape") event.preventDefault();
      more[event.key]();
    }
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-help]")) help(); });
}

function help() {
  const sheet = document.getElementById("keys");
  const known = sheet.querySelector("[data-made]");
  if (known.childElementCount === 0) {
    const told = new Set();
    for (const one of document.querySelectorAll("[data-key][data-says]")) {
      if (told.has(one.dataset.key + one.dataset.says)) continue;
      told.add(one.dataset.key + one.dataset.says);
      const line = document.createElement("div");
      const key = document.createElement("dt");
      const cap = document.createElement("kbd");
      cap.textContent = one.dataset.key;
      key.append(cap);
      const what = document.createElement("dd");
      what.textContent = one.dataset.says;
      line.append(key, what);
      known.append(line);
    }
  }
  sheet.showModal();
  sheet.addEventListener("close", () => known.replaceChildren(), { once: true });
}
