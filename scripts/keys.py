"""Presses an agent's keys in a real browser on a filled database, and says how soon each is seen.

Counted from the moment the browser hears the key until the frame after the change is drawn.
"""

import asyncio
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.async_api import Page, async_playwright, expect

from listener.config import read
from scripts.load import service, signed_in
from tests.browser.looking import CHROMIUM, FLAGS
from tests.given import free_port

TIMES = 20
BOUND = 100.0  # milliseconds
# What is pressed, what is looked at, and what it is called.
KEYS = (
    ("j", "#case", "the next case is there"),
    ("k", "#case", "the one before is there"),
    ("g", "#case", "the next case is taken, and is there"),
    ("x", "#case", "not negative: closed, the next is there"),
)
# The number of the shown case, and whether it is one's own: what a key here changes.
WATCH = """
([key, place]) => new Promise((resolve) => {
  const pane = document.querySelector(place);
  let pressed = 0;
  const seen = new MutationObserver(() => {
    if (!pressed) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - pressed)));
  });
  seen.observe(pane, { childList: true });
  addEventListener("keydown", () => { pressed ||= performance.now(); }, { capture: true, once: true });
  setTimeout(() => resolve(null), 10000);
})
"""


async def pressed(page: Page, key: str, place: str) -> float | None:
    """Press a key; the milliseconds until the change was seen, None when none came."""
    watching = asyncio.create_task(page.evaluate(WATCH, [key, place]))
    await asyncio.sleep(0.1)
    await page.keyboard.press(key)
    took: float | None = await watching
    await asyncio.sleep(0.7)  # as a person reads on; the next one is fetched meanwhile
    return took


async def work(url: str, secret: str) -> bool:
    """Press all keys; whether all were soon enough."""
    good = True
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(viewport={"width": 1366, "height": 768})
        await context.add_cookies([{"name": "listener", "value": secret, "url": url}])
        page = await context.new_page()
        sys.stdout.write(f"{'key':4}{'p50 ms':>8}{'p95 ms':>8}  until\n")
        for key, place, what in KEYS:
            await page.goto(f"{url}/queue?queue=unowned")
            await expect(page.locator("#live")).to_have_text("Live")
            await pressed(page, "j", "#case")  # the first one is chosen
            took = [await pressed(page, key, place) for _ in range(TIMES)]
            seen = sorted(one for one in took if one is not None)
            if len(seen) < TIMES:
                good = False
                sys.stdout.write(f"{key:4}{TIMES - len(seen):>8} of {TIMES} changed nothing\n")
                continue
            p95 = seen[int(TIMES * 0.95) - 1]
            good = good and p95 < BOUND
            slow = "  too slow" if p95 >= BOUND else ""
            sys.stdout.write(f"{key:4}{statistics.median(seen):8.0f}{p95:8.0f}  {what}{slow}\n")
        await browser.close()
    return good


def main() -> int:
    """Measure; 1 when a key was seen too late."""
    if CHROMIUM is None:
        sys.exit("There is no Chromium here: install it, or name it in CHROMIUM.")
    [login, *_] = asyncio.run(signed_in(read(os.environ).database))
    with service(free_port()) as url:
        good = asyncio.run(work(url, login["cookie"].partition("=")[2]))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
