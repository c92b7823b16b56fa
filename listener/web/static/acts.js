// Acts go to the server one after another; without a connection they wait here in their order.
import { say, told } from "./toasts.js";

const STORE = "listener-waiting";
const TRIES = [1000, 2000, 4000, 8000, 15_000];
let settled = () => {};
let trying = 0;

export const csrf = () => document.querySelector("meta[name=csrf]").content;
export const onSettled = (call) => { settled = call; };

const waiting = () => JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
const keep = (acts) => sessionStorage.setItem(STORE, JSON.stringify(acts));

async function post(address, fields) {
  const body = new URLSearchParams(fields);
  const answer = await fetch(address, {
    method: "POST",
    body,
    headers: { Accept: "application/json", "X-CSRF": csrf() },
  });
  const heard = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
  if (answer.status === 401) { location.reload(); }
  if (answer.status >= 502 || answer.status === 503) throw new TypeError("away");
  return { status: answer.status, ...heard, ok: answer.ok && heard.ok !== false };
}

export async function send(address, body, { quiet = false } = {}) {
  const fields = [...body.entries()].filter(([, value]) => typeof value === "string");
  if (waiting().length && !quiet) return wait(address, fields);
  try {
    const answer = await post(address, fields);
    if (!quiet) tell(answer);
    return answer;
  } catch {
    if (quiet) return { ok: false };
    return wait(address, fields);
  }
}

function tell(answer) {
  if (answer.ok) {
    if (answer.said) told(answer);
  } else {
    say(answer.error ?? "This did not work; nothing was changed.", { stays: true });
  }
}

function wait(address, fields) {
  const acts = [...waiting(), { address, fields }];
  keep(acts);
  say(acts.length === 1 ? "No connection: this waits here and is done when it is back." : `No connection: ${acts.length} acts wait here.`);
  again();
  return { ok: false, waits: true };
}

function again() {
  if (trying) return;
  const round = async (turn) => {
    while (waiting().length) {
      const [first, ...rest] = waiting();
      try {
        const answer = await post(first.address, first.fields);
        keep(rest);
        tell(answer);
      } catch {
        trying = setTimeout(() => round(turn + 1), TRIES[Math.min(turn, TRIES.length - 1)]);
        return;
      }
    }
    trying = 0;
    settled();
  };
  trying = setTimeout(() => round(0), 500);
}
export const replay = () => { if (waiting().length) again(); };
replay();
