"""What an agent's browser asks for while the agent works: an act every three seconds or so."""

import json
import os
import random
import re
import time
from itertools import cycle
from pathlib import Path

from locust import HttpUser, between, task

LOGINS = cycle(json.loads(Path(os.environ["LOGINS"]).read_text()))
WORDS = ("order", "refund", "app broken", '"nobody picks up"', "tomato", "late")
QUEUES = ("unowned", "mine", "due", "unsure", "waiting", "snoozed", "done", "all")


class Agent(HttpUser):
    """One of them, with a browser of their own."""

    wait_time = between(1.5, 4.5)  # nobody works in step with the others

    def on_start(self) -> None:
        """Sit down."""
        login = next(LOGINS)
        self.client.headers.update(
            {
                "Cookie": login["cookie"],
                "X-CSRF": login["csrf"],
                "Origin": self.host,
                "Sec-Fetch-Site": "same-origin",
            }
        )
        self.case = 0
        time.sleep(random.uniform(0, 3))  # nor does anybody sit down in step
        self.client.get("/queue", name="GET queue, the whole page")

    def act(self, path: str, name: str, **fields: str) -> dict:
        """Do something and see the list and the case again, as the page does."""
        headers = {"Accept": "application/json"}
        with self.client.post(
            path, data=fields, headers=headers, name=f"POST {name}", catch_response=True
        ) as answer:
            if answer.status_code == 409:  # somebody else was faster: told, and no failure
                answer.success()
            said = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
        self.see()
        return said

    def see(self, query: str = "") -> None:
        """The list, and the case beside it."""
        queue = random.choice(QUEUES)
        listed = self.client.get(
            f"/queue?queue={queue}{query}", headers={"X-Part": "list"}, name="GET list"
        )
        cases = re.findall(r'data-case="(\d+)"', listed.text)
        if cases:
            shown = self.case or int(random.choice(cases))
            self.client.get(f"/cases/{shown}", headers={"X-Part": "case"}, name="GET case")

    @task(4)
    def take_next(self) -> None:
        """Take the next one."""
        self.case = self.act("/cases/next", "take next").get("case") or 0

    @task(3)
    def write(self) -> None:
        """Keep a draft, as one types."""
        if self.case:
            self.act(f"/cases/{self.case}/draft", "draft", text="Dear customer, we are sorry.")

    @task(3)
    def note(self) -> None:
        """A note for colleagues."""
        if self.case:
            self.act(f"/cases/{self.case}/note", "note", text="Rang the shop; they know.")

    @task(2)
    def close(self) -> None:
        """Done with it."""
        if self.case:
            self.act(f"/cases/{self.case}/close", "close", outcome="answered elsewhere")
            self.case = 0

    @task(2)
    def narrow(self) -> None:
        """A list with filters."""
        self.see(random.choice(("&stars=2", "&language=de", "&reach=1000", "&age=4h")))

    @task(2)
    def search(self) -> None:
        """Search everything that was said."""
        words = random.choice(WORDS)
        self.client.get("/mentions", params={"words": words}, name="GET mentions, searched")

    @task(2)
    def reload(self) -> None:
        """The whole page anew, as people do who do not trust a page that renews itself."""
        self.client.get("/queue", name="GET queue, the whole page")

    @task(1)
    def look(self) -> None:
        """The other pages."""
        self.client.get("/mentions", name="GET mentions")
        self.client.get("/flags", name="GET flags")
        self.client.get("/status", name="GET sources")
