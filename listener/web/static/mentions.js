// The page of mentions by keys: j and k move, m says of the one in focus that it was missed.
import { tick } from "./times.js";

const typing = (target) => target.closest("input, textarea, select");
const all = [...document.querySelectorAll("article[tabindex]")];

function move(by) {
  const at = all.findIndex((one) => one.contains(document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "m") document.activeElement?.closest("article")?.querySelector("form.missed button")?.click();
  else if (event.key === "/") document.querySelector("input[type=search]").focus();
  else return;
  event.preventDefault();
});
tick(document);
