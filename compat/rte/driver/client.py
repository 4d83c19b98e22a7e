"""One client program: commands to it, what it says, and the proxy between it and Cordboard."""

import asyncio
import json
import time

from cutter import Cutter
from faults import Failed

LINE_BYTES_MAX = 1 << 24
ANSWER_S_MAX = 30.0
END_S_MAX = 10.0


class Client:
    """A client as the scenarios drive it. `messages` are (when it came, value) since the connection was made or made anew."""

    def __init__(self, name, channel, cutter, wishes):
        self.name, self._channel, self.cutter, self._wishes = name, channel, cutter, wishes
        self.facts, self.messages = [], []
        self.place = 0  # how many facts there were when the phase began
        self.window = None  # since when it is compared with the stream
        self._changed = asyncio.Condition()
        self._number = 0
        channel.listen(self._fact)

    async def _fact(self, fact):
        async with self._changed:
            if fact["said"] == "message":
                self.messages.append((time.monotonic(), fact["value"]))
            else:
                self.facts.append(fact)
            self._changed.notify_all()

    @property
    def again(self):
        return self._wishes.get("again", "no")

    @property
    def cut_gently(self):
        """signalrcore reconnects only where the other side ended its socket, not where it was reset."""
        return self._wishes.get("cut") == "gently"

    @property
    def may_ask_again(self):
        """Some HTTP clients ask again by themselves where a poll broke, so that polling goes on over a cut."""
        return self._wishes.get("cut") == "asks again"

    async def open(self, account, **wishes):
        place = len(self.facts)
        await self.command(do="open", api=self.cutter.url, **account_of(account), **{**self._wishes, **wishes})
        fact = await self.wait(("open", "failed"), after=place)
        if fact["said"] == "failed":
            raise Failed(f"it cannot connect: {fact['error']}")

    async def invoke(self, method, *arguments):
        """The result, or the fault of an invocation that was answered by an error."""
        self._number += 1
        number, place = self._number, len(self.facts)
        await self.command(do="invoke", number=number, method=method, arguments=list(arguments))
        fact = await self.until(lambda: self._answer(number, place), ANSWER_S_MAX, f"an answer to {method}")
        if fact["said"] == "error":
            raise Failed(f"{method} was answered by the error {fact['error']!r}")
        return fact.get("value")

    def _answer(self, number, place):
        return next((fact for fact in self.facts[place:] if fact.get("number") == number), None) or self._failed(place)

    def _failed(self, place):
        for fact in self.facts[place:]:
            if fact["said"] == "failed":
                raise Failed(f"it says {fact['error']!r}")

    async def wait(self, names, seconds=ANSWER_S_MAX, after=0):
        """The first fact of these names behind the place `after`."""
        found = lambda: next((fact for fact in self.facts[after:] if fact["said"] in names), None)
        return await self.until(found, seconds, " or ".join(names))

    async def until(self, found, seconds, what):
        """Waits until `found` gives something, and gives it."""
        async with self._changed:
            try:
                async with asyncio.timeout(seconds):
                    while not (thing := found()):
                        if self._channel.ended:
                            raise Failed(f"the client program ended: {self._channel.ended}")
                        await self._changed.wait()
                    return thing
            except TimeoutError:
                tail = [fact for fact in self.facts if fact["said"] not in ("result", "error")][-5:]
                raise Failed(f"no {what} within {seconds:g} s; {len(self.messages)} messages came, it said last {tail}") from None

    async def command(self, **command):
        await self._channel.send(command)

    async def use(self, account):
        """For tokens of later connections."""
        await self.command(do="account", **account_of(account))

    async def stop(self):
        place = len(self.facts)
        await self.command(do="stop")
        await self.wait(("closed",), END_S_MAX, place)


def account_of(account):
    return {"user": account["user"], "secret": account["secret"]}


class Process:
    """A client program of one client."""

    def __init__(self, command, log, environment):
        self._command, self._log, self._environment = command, log, environment
        self._process = self._take = self._reader = self.ended = None

    async def start(self):
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=self._log, env=self._environment, limit=LINE_BYTES_MAX
        )
        self._reader = asyncio.create_task(self._read())

    def listen(self, take):
        self._take = take

    async def _read(self):
        try:
            while line := await self._process.stdout.readline():
                await self._said(json.loads(line))
            self.ended = f"exit {await self._process.wait()}"
        except ValueError as error:
            self.ended = f"it says {line[:200]!r}: {error}"
        if self._take:
            await self._take({"said": "ended"})

    async def _said(self, fact):
        await self._take(fact)

    async def send(self, command):
        self._process.stdin.write((json.dumps(command) + "\n").encode())
        await self._process.stdin.drain()

    async def close(self):
        if self._process is None or self._process.returncode is not None:
            return
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_S_MAX)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(self._reader, return_exceptions=True)


class Browser(Process):
    """One Chromium; its pages are the channels of clients."""

    def __init__(self, command, log, environment):
        super().__init__(command, log, environment)
        self._pages, self._ready = {}, asyncio.Event()

    async def start(self):
        await super().start()
        self.listen(self._nobody)
        await asyncio.wait_for(self._ready.wait(), ANSWER_S_MAX)

    async def _nobody(self, fact):
        for page in self._pages.values():
            await page.take(fact)

    async def _said(self, fact):
        if "page" in fact:
            await self._pages[fact["page"]].take(fact["fact"])
        else:
            self._ready.set()

    def page(self, name):
        return self._pages.setdefault(name, Page(self, name))


class Page:
    def __init__(self, browser, name):
        self._browser, self._name, self.take = browser, name, None

    def listen(self, take):
        self.take = take

    @property
    def ended(self):
        return self._browser.ended

    async def send(self, command):
        await self._browser.send({"page": self._name, "command": command})

    async def close(self):
        pass


async def with_cutter(port):
    cutter = Cutter(port)
    await cutter.start()
    return cutter
