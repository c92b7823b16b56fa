// What others did is heard as it happens; a lost connection is said.
import { replay } from "./acts.js";

const SILENCE = 40_000; // the server gives a sign every fifteen seconds

export function connect({ changed, here, back }) {
  const line = document.getElementById("live");
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  let lost = null;
  let source = null;
  let last = Number(document.body.dataset.last ?? 0);
  let heardAt = Date.now();

  const away = () => {
    lost ??= new Date();
    line.classList.add("lost");
    line.textContent = `Connection lost at ${clock.format(lost)}; trying again`;
  };
  const there = () => {
    heardAt = Date.now();
    line.classList.remove("lost");
    line.textContent = "Live";
    if (lost) { lost = null; back(); replay(); }
  };
  const open = () => {
    source?.close();
    heardAt = Date.now();
    source = new EventSource(`/live?after=${last}`);
    source.addEventListener("open", there);
    source.addEventListener("beat", () => { heardAt = Date.now(); });
    source.addEventListener("cases", (event) => {
      heardAt = Date.now();
      const heard = JSON.parse(event.data);
      last = heard.last;
      changed(heard.cases);
    });
    source.addEventListener("here", (event) => { heardAt = Date.now(); here(JSON.parse(event.data)); });
    source.addEventListener("error", () => {
      away();
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 3000);
    });
  };

  open();
  // A line can be dead without a word: no sign for too long, or a network that says it is gone.
  setInterval(() => { if (Date.now() - heardAt > SILENCE) { away(); open(); } }, 5000);
  window.addEventListener("offline", () => { away(); source.close(); });
  window.addEventListener("online", open);
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
}
