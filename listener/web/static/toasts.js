// Short sentences about what just happened, with a way back.
const shelf = document.getElementById("toasts");

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

// The server speaks of moments in UTC; here they are the viewer's.
function inOwnZone(sentence) {
  return sentence.replace(/\b(\d{2}):(\d{2}) UTC\b/g, (_, hours, minutes) => {
    const moment = new Date();
    moment.setUTCHours(Number(hours), Number(minutes), 0, 0);
    return clock.format(moment);
  });
}

function toast(sentence, seconds) {
  const one = document.createElement("div");
  one.className = "toast";
  const words = document.createElement("span");
  words.textContent = inOwnZone(sentence);
  one.append(words);
  shelf.replaceChildren(...[...shelf.children].slice(-2), one);
  if (seconds) setTimeout(() => one.remove(), seconds * 1000);
  return one;
}

export function say(sentence, { stays = false } = {}) {
  const one = toast(sentence, stays ? 0 : 6);
  if (!stays) return;
  const away = document.createElement("button");
  away.type = "button";
  away.textContent = "Close";
  away.addEventListener("click", () => one.remove());
  one.append(away);
}

export function told(answer) {
  const one = toast(answer.said, answer.undo ? 30 : 5);
  if (!answer.undo) return;
  for (const old of shelf.querySelectorAll("[data-key=u]")) old.remove();
  const back = document.createElement("button");
  back.type = "button";
  back.dataset.key = "u";
  back.textContent = "Undo";
  back.addEventListener("click", () => {
    one.remove();
    document.dispatchEvent(new CustomEvent("undo", { detail: { event: answer.undo, case: answer.about } }));
  });
  one.append(back);
}
