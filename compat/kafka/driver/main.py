#!/usr/bin/env python3
"""Plays other people's Kafka clients against Cordboard's listener, and against a real Apache Kafka that Cordboard publishes
to, and holds both against the same assertions.

usage: main.py CORDBOARD CACHE [--only TEXT]...     CORDBOARD: the binary under test; CACHE: where tools.sh put what the
                                                    clients need; --only: scenes whose line holds the text
"""

import argparse
import concurrent.futures
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

import access
import groups
import hostile
import topics
import troubles
from faults import Failed
from house import House

TOGETHER = 3  # scenes at the same time


class Report:
    """A line a broker, client and scene."""

    def __init__(self, only):
        self.passed, self.failures, self._only, self._lock = 0, [], only, threading.Lock()

    def is_wanted(self, *words):
        return not self._only or any(text in ": ".join(words) for text in self._only)

    def play(self, broker, client, title, scene):
        began, line = time.monotonic(), f"{broker}: {client}: {title}"
        try:
            text = scene()
        except Exception as fault:  # one scene's fault is not another's
            text = str(fault) if isinstance(fault, Failed) else "".join(traceback.format_exception(fault))
            with self._lock:
                self.failures.append(line)
                print(f"FAILED {line}: {text}", flush=True)
            return
        with self._lock:
            self.passed += 1
            print(f"ok     {line}: {text} ({time.monotonic() - began:.1f} s)", flush=True)


def play(binary, cache, work, report):
    house = House(binary, cache, work)
    try:
        phase("life", house.live)
        phase("topics and groups", lambda: together(report, [*topics.scenes(house), *groups.scenes(house)]))
    finally:
        house.close()
    site = access.Site(house, binary)
    try:
        phase("two tenants", site.open)
        phase("access", lambda: together(report, access.scenes(site)))
        phase("what is new", lambda: together(report, access.scenes_new(site)))
        phase("hostile", lambda: together(report, hostile.scenes(site), 1))
        before = {tenant: site.read(tenant) for tenant in access.TENANTS}
        site.rename()
        phase("named by tenant", lambda: together(report, access.scenes_renamed(site, before), 1))
    finally:
        site.close()
    trouble = troubles.Trouble(binary, cache, work / "troubles")
    try:
        phase("what may befall", trouble.open)
        phase("troubles", lambda: together(report, trouble.scenes(), 1))
    finally:
        trouble.close()


def together(report, scenes, count=TOGETHER):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        done = [pool.submit(report.play, *scene) for scene in scenes if report.is_wanted(*scene[:3])]
        concurrent.futures.wait(done)


def phase(title, what):
    began = time.monotonic()
    what()
    print(f"       {title}: {time.monotonic() - began:.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cordboard", type=pathlib.Path)
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("--only", action="append", default=[])
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clears away as Ctrl-C does
    began, report = time.monotonic(), Report(arguments.only)
    work = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-compat-kafka-"))
    try:
        play(arguments.cordboard, arguments.cache, work, report)
    except Failed as fault:
        report.play("all", "all", "the house", lambda: fail(fault))
    except KeyboardInterrupt:
        report.play("all", "all", "the house", lambda: fail(Failed("somebody stopped it")))
    for line in report.failures:
        print(f"failed: {line}")
    print(f"kafka: {report.passed} passed, {len(report.failures)} failed, in {time.monotonic() - began:.0f} s")
    if report.failures:
        print(f"what was written is in {work}")
        return 1
    shutil.rmtree(work)
    return 0


def fail(fault):
    raise fault


if __name__ == "__main__":
    sys.exit(main())
