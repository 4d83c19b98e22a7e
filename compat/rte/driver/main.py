#!/usr/bin/env python3
"""Plays other people's SignalR clients against the hub of Cordboard and judges what they are told.

usage: main.py CORDBOARD CACHE [--only TEXT]...     CORDBOARD: the binary under test; CACHE: where run.sh put what the
                                                    clients need; --only: clients and scenes whose name holds the text
"""

import argparse
import asyncio
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

import phases
import scenes
from client import Browser, Client, Process, with_cutter
from cordboard import Cordboard, free_port
from faults import Failed
from judge import Catalogue
from variants import VARIANTS, Programs

SEED = 7
SPEED = 12


class Report:
    """A line a client and scenario."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def ok(self, name, scene, text):
        self.passed += 1
        print(f"ok     {name}: {scene}: {text}", flush=True)

    def fail(self, name, scene, fault):
        self.failed += 1
        text = str(fault) if isinstance(fault, Failed) else "".join(traceback.format_exception(fault))
        print(f"FAILED {name}: {scene}: {text}", flush=True)


class Run:
    def __init__(self, binary, cache, only, work):
        self._binary, self._only, self.work = binary, only, work
        self.programs, self.report = Programs(cache), Report()
        self.log = (work / "clients.log").open("ab")
        self._page_port = free_port()
        self._browser, self._clients, self._joined, self._processes = None, [], [], []
        self.house = None

    async def play(self):
        origin = f"http://127.0.0.1:{self._page_port}"
        cordboard = Cordboard(self._binary, self.work, SEED, SPEED, origin)
        stream = None
        try:
            catalogue = await Catalogue.read(self._binary)
            await cordboard.start()
            stream = cordboard.follow()
            self.house = phases.House(cordboard, catalogue, stream)
            self.house.stands.set()
            await self.house.look_around()
            await asyncio.gather(*[self._make(*variant) for variant in VARIANTS if self._is_wanted(variant[0])])
            await self._go_through()
            await self._play_scenes()
            if stream.fault:
                raise stream.fault
        finally:
            if stream:
                await stream.close()
            for client in self._joined:
                await client.cutter.close()
            await asyncio.gather(*[process.close() for process in self._processes], return_exceptions=True)
            await cordboard.stop()

    def _is_wanted(self, name):
        return not self._only or any(text in name for text in self._only)

    async def _make(self, name, program, wishes):
        cutter = await with_cutter(self.house.cordboard.port)
        if program == "chromium":
            channel = (await self.browser()).page(name)
        else:
            channel = await self.process(program)
        self._clients.append(self.join(Client(name, channel, cutter, wishes)))

    def join(self, client):
        """It is cleared away at the end."""
        self._joined.append(client)
        return client

    async def process(self, program, *arguments):
        process = Process(self.programs.command(program, *arguments), self.log, self.programs.environment())
        self._processes.append(process)
        await process.start()
        return process

    async def browser(self):
        if self._browser is None:
            self._browser = asyncio.create_task(self._start_browser())
        return await self._browser

    async def _start_browser(self):
        command = self.programs.command("chromium", self._page_port)
        browser = Browser(command, self.log, self.programs.environment())
        self._processes.append(browser)
        await browser.start()
        return browser

    async def _go_through(self):
        await self._phase("subscribes", phases.meets)
        await self._phase("a call", phases.follows)
        await self._phase("cut", phases.is_cut)
        await self._phase("server killed", phases.outlives, self._kill)
        await self._phase("server restarted", phases.outlives, self._restart)
        await self._phase("leaves", phases.leaves)

    async def _phase(self, title, phase, meanwhile=None):
        """All clients at once; who fails is out."""
        began = time.monotonic()
        for client in self._clients:
            client.place = len(client.facts)
        tasks = [asyncio.create_task(self._one(title, phase, client)) for client in self._clients]
        if meanwhile and self._clients:
            await meanwhile()
        good = await asyncio.gather(*tasks)
        self._clients = [client for client, is_good in zip(self._clients, good) if is_good]
        print(f"       {title}: {time.monotonic() - began:.1f} s", flush=True)

    async def _one(self, title, phase, client):
        try:
            self.report.ok(client.name, title, await phase(self.house, client))
            return True
        except Exception as fault:  # one client's fault is not another's
            self.report.fail(client.name, title, fault)
            await client.cutter.close()
            return False

    async def _kill(self):
        self.house.stands.clear()
        await self.house.cordboard.kill()
        await self._begin_again()

    async def _restart(self):
        self.house.stands.clear()
        await self.house.cordboard.stop()
        await self._begin_again()

    async def _begin_again(self):
        """The demonstration makes its accounts anew at every start."""
        await self.house.cordboard.start()
        for client in self._clients:
            await client.use(self.house.account)
        self.house.stands.set()

    async def _play_scenes(self):
        wanted = [(name, scene) for name, scene in scenes.SCENES if self._is_wanted(name)]
        await asyncio.gather(*[self._scene(name, scene) for name, scene in wanted])

    async def _scene(self, name, scene):
        title = scene.__name__.replace("_", " ")
        try:
            self.report.ok(name, title, await scene(self))
        except Exception as fault:  # one scene's fault is not another's
            self.report.fail(name, title, fault)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cordboard", type=pathlib.Path)
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("--only", action="append", default=[])
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clears away as Ctrl-C does
    began = time.monotonic()
    work = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-rte-"))
    run = Run(arguments.cordboard, arguments.cache, arguments.only, work)
    try:
        asyncio.run(run.play())
    except Failed as fault:
        run.report.fail("all", "the house", fault)
    except KeyboardInterrupt:
        run.report.fail("all", "the house", Failed("somebody stopped it"))
    report = run.report
    print(f"rte: {report.passed} passed, {report.failed} failed, in {time.monotonic() - began:.0f} s")
    if report.failed:
        print(f"what was written is in {work}")
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
