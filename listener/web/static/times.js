// Times in the viewer's own zone, and clocks that run.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const today = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const other = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export function span(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return "under 1 min";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} days`;
}

export function tick(place) {
  const now = Date.now();
  for (const one of place.querySelectorAll('time[datetime*="T"]')) {
    const then = new Date(one.getAttribute("datetime"));
    const same = then.toDateString() === new Date(now).toDateString();
    const shown = (same ? today : other).format(then);
    if (one.textContent !== shown) one.textContent = shown;
    one.title = exact.format(then);
  }
  for (const one of place.querySelectorAll(".clock[data-due]")) {
    const due = Date.parse(one.dataset.due);
    const since = Date.parse(one.dataset.since);
    const left = (due - now) / 1000;
    const used = (now - since) / Math.max(1, due - since);
    one.classList.toggle("over", left < 0);
    one.classList.toggle("most", left >= 0 && used >= 0.8);
    one.classList.toggle("half", left >= 0 && used >= 0.5 && used < 0.8);
    const said = left < 0 ? `${span(-left)} late` : `${span(left)} left`;
    if (one.textContent !== said) one.textContent = said;
    one.title = `Due ${exact.format(new Date(due))}`;
  }
}
