// What others did is heard as it happens; a lost connection is said.
import { replay } from "./acts.js";

export function connect({ changed, here, back }) {
  const line = document.getElementById("live");
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  let lost = null;
  let source = null;
  let last = Number(document.body.dataset.last ?? 0);

  const open = () => {
    source = new EventSource(`/live?after=${last}`);
    source.addEventListener("open", () => {
      line.classList.remove("lost");
      line.textContent = "Live";
      if (lost) { lost = null; back(); replay(); }
    });
    source.addEventListener("cases", (event) => {
      const heard = JSON.parse(event.data);
      last = heard.last;
      changed(heard.cases);
    });
    source.addEventListener("here", (event) => here(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      lost ??= new Date();
      line.classList.add("lost");
      line.textContent = `Connection lost at ${clock.format(lost)}; trying again`;
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 3000);
    });
  };
  open();
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
}
