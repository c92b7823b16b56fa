// What somebody has begun to write is kept: here at once, and on the server a moment later.
import { send } from "./acts.js";

const PREFIX = "listener-draft-";

export function watchDrafts(pane, current) {
  let timer = 0;
  let saving = Promise.resolve();
  const box = () => pane.querySelector("#reply-text");

  const count = () => {
    const left = pane.querySelector("[data-limit]");
    if (!left || !box()) return;
    const text = box().value;
    const used = left.dataset.unit === "bytes" ? new TextEncoder().encode(text).length
      : left.dataset.unit === "graphemes" ? [...new Intl.Segmenter().segment(text)].length
      : [...text].length;
    const rest = Number(left.dataset.limit) - used;
    left.textContent = rest < 0 ? `${-rest} too long` : `${rest} left`;
    left.classList.toggle("over", rest < 0);
  };

  // Buttons that put words into the box; without scripts they could not, and are not there.
  const offer = () => {
    for (const one of pane.querySelectorAll("button[data-words][hidden]")) one.hidden = false;
  };
  const use = (words) => {
    const here = box();
    here.value = here.value ? `${here.value.trimEnd()}\n\n${words}` : words;
    here.focus();
    here.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const save = async () => {
    const number = current();
    const text = box()?.value;
    if (text === undefined) return;
    const body = new FormData();
    body.set("text", text);
    const answer = await send(`/cases/${number}/draft`, body, { quiet: true });
    const line = pane.querySelector("#draft-line");
    if (line) line.textContent = answer.ok ? (text ? "Draft kept" : "") : "Draft kept in this browser";
  };

  pane.addEventListener("input", (event) => {
    if (event.target.id !== "reply-text") return;
    localStorage.setItem(PREFIX + current(), event.target.value);
    count();
    clearTimeout(timer);
    timer = setTimeout(() => { saving = save(); }, 700);
  });
  pane.addEventListener("shown", (event) => {
    const here = box();
    const kept = localStorage.getItem(PREFIX + event.detail.number);
    if (here && kept && !here.value) here.value = kept;
    count();
    offer();
  });
  // A draft that is still on its way must not come back after the reply was sent.
  pane.addEventListener("sending", (event) => {
    if (!event.target.matches("[data-sends]")) return;
    clearTimeout(timer);
    event.detail.wait.push(saving);
  });
  pane.addEventListener("done", (event) => {
    if (!event.target.matches("[data-sends]")) return;
    localStorage.removeItem(PREFIX + current());
    if (box()) box().value = "";
  });
  pane.addEventListener("change", (event) => {
    if (event.target.id !== "wording" || !event.target.value) return;
    const words = event.target.selectedOptions[0].dataset.words;
    event.target.value = "";
    use(words);
  });
  pane.addEventListener("click", (event) => {
    const asked = event.target.closest("button[data-words]");
    if (asked) use(asked.dataset.words);
  });
  count();
  offer();
}
