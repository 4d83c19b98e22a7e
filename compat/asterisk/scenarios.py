#!/usr/bin/env python3
"""Plays calls on a real Asterisk with SIPp telephones and judges what Cordboard says about them.

usage: scenarios.py CORDBOARD [PLAY...]     CORDBOARD: the binary under test; without PLAY all are played
"""

import pathlib
import shutil
import signal
import sys
import tempfile
import time

import requests
from pbx import Asterisk, PlayFailed, Sipp
from subject import (
    Cordboard,
    Watch,
    expect_begin_and_end_once,
    expect_one_thread,
    expect_order,
    expect_same_story,
    expect_values,
)

FREEZE_S = 60.0
NOTICE_S_MAX = 30.0  # a silent switch must be told as not ready within this time: heartbeat plus its patience
PLAYS = []


def play(function):
    PLAYS.append(function)
    return function


class House:
    """The switch, the engine and a reader of its stream, as every play finds them."""

    def __init__(self, binary, work):
        self._binary, self._work = binary, work
        self.asterisk = Asterisk(work)
        self.ami = self.cordboard = self.reader = None
        self._place = self._ami_place = 0
        self._reference = 0

    def open(self):
        self.asterisk.start()
        self.ami = self.asterisk.driver()
        self.cordboard = Cordboard(self._binary, self._work, self.asterisk)
        self.cordboard.start()
        self.reader = self.cordboard.follow()

    def begin(self):
        """Forgets what other plays left behind."""
        Sipp.drop_all()
        self.reader.quiet(0.5)
        self._place, self._ami_place = self.reader.place(), self.ami.now()

    def print_lag(self, dn, name, seen):
        """How long after Asterisk's own event, as a second client of it heard it, `name` on `dn` was in the stream."""
        at, _ = self.ami.wait(seen, 1.0, "what led to " + name, self._ami_place)
        print(f"      {name} {1000 * (self.event(name, dn).at - at):.1f} ms after Asterisk said so")

    def told(self):
        """What the stream said since the play began, complete."""
        self.reader.quiet()
        return self.reader.since(self._place)

    def event(self, name, dn, seconds=10.0, **values):
        return self.reader.wait(name, dn, seconds, self._place, **values)

    def ask(self, request, dn, **parameters):
        """Asks Cordboard for something; gives what was answered: `error` is none where it was done."""
        self._reference += 1
        return self.cordboard.ask(request=request, ThisDN=dn, ReferenceID=self._reference, **parameters)

    def talking(self, dn):
        """Waits until the engine says that `dn` talks."""
        return self.event("EventEstablished", dn)

    def follow_again(self, position):
        self.reader.close()
        self.reader = self.cordboard.follow(position)
        self._place = 0

    def told_before_end(self):
        """What was told until the stream broke, as far as whole events came, and the position to go on from."""
        self.reader.quiet()
        return self.reader.resume(self._place)

    def log_in(self, dn, name):
        """Makes the telephone a member of the queue support, if an earlier play has not."""
        try:
            self.ami.action("QueueAdd", Queue="support", Interface=f"PJSIP/{dn}", MemberName=name)
        except PlayFailed as refused:
            if "Already there" not in str(refused):
                raise

    def reconnect_ami(self):
        self.ami.close()
        self.ami = self.asterisk.driver()

    def close(self):
        Sipp.drop_all()
        for part, end in ((self.reader, "close"), (self.ami, "close"), (self.cordboard, "kill"), (self.asterisk, "stop")):
            if part is not None:
                getattr(part, end)()


# --- calls ----------------------------------------------------------------------------------------------------------


@play
def inbound_direct(h):
    """A customer calls 1001 directly, is answered, and hangs up."""
    phone = h.asterisk.telephone("1001", "answer", RING_MS=1000)
    caller = h.asterisk.caller("caller", TO="+4721500101", STAY_MS=2000)
    caller.done(), phone.done()
    told = h.told()
    expect_order(told, {"1001": ["EventRinging", "EventEstablished", "EventReleased"]})
    for name in ("EventRinging", "EventEstablished", "EventReleased"):
        expect_values(told, name, "1001", ANI="+4790000001", DNIS="+4721500101", CallType="Inbound")
    expect_one_thread(told)
    expect_begin_and_end_once(told)

    def of_1001(event, **wanted):
        return event.get("DestChannel", event.get("Channel", "")).startswith("PJSIP/1001-") and wanted.items() <= event.items()

    h.print_lag("1001", "EventRinging", lambda e: of_1001(e, Event="Newstate", ChannelStateDesc="Ringing"))
    h.print_lag("1001", "EventEstablished", lambda e: of_1001(e, Event="DialEnd", DialStatus="ANSWER"))
    h.print_lag("1001", "EventReleased", lambda e: of_1001(e, Event="Hangup"))


@play
def inbound_queue(h):
    """A customer calls the queue, 1002 takes the call, hangs up and has five seconds of after-call work."""
    h.log_in("1002", "Bjorn Dahl")
    login = h.event("EventAgentLogin", "1002")
    phone = h.asterisk.telephone("1002", "answer_hangup", RING_MS=1000, TALK_MS=2000)
    caller = h.asterisk.caller("caller_stays", TO="+4721500200")
    phone.done(), caller.done()
    work = h.event("EventAgentNotReady", "1002")
    ready = h.reader.wait("EventAgentReady", "1002", 10.0, h.reader.messages.index(work))
    if not 4.0 <= ready.at - work.at <= 7.0:
        raise PlayFailed(f"after-call work lasted {ready.at - work.at:.1f} s, wrapuptime is 5 s")
    if work.AgentWorkMode != "AfterCallWork":
        raise PlayFailed(f"not ready after the call with AgentWorkMode {work.AgentWorkMode!r}")
    told = h.told()
    expect_order(
        told,
        {"support": ["EventQueued", "EventDiverted"], "1002": ["EventRinging", "EventEstablished", "EventReleased"]},
    )
    expect_values(told, "EventRinging", "1002", ANI="+4790000001", DNIS="+4721500200", ThisQueue="support")
    expect_one_thread(told)
    expect_begin_and_end_once(told)
    if login.AgentID != work.AgentID or not login.AgentID:
        raise PlayFailed(f"logged in as {login.AgentID!r}, worked as {work.AgentID!r}")


@play
def queue_abandoned(h):
    """The only member is paused; the customer waits two seconds and gives up."""
    h.log_in("1002", "Bjorn Dahl")
    h.ami.action("QueuePause", Interface="PJSIP/1002", Paused="true", Reason="lunch")
    h.event("EventAgentNotReady", "1002")
    h.asterisk.caller("caller", TO="+4721500200", STAY_MS=2000).done()
    told = h.told()
    h.ami.action("QueuePause", Interface="PJSIP/1002", Paused="false")
    h.event("EventAgentReady", "1002")
    expect_order(told, {"support": ["EventQueued", "EventAbandoned"], "1002": []})
    expect_one_thread(told)
    expect_begin_and_end_once(told)


@play
def blind_transfer(h):
    """1001 answers and passes the customer on to 1003 without asking."""
    first = h.asterisk.telephone("1001", "answer", RING_MS=500)
    second = h.asterisk.telephone("1003", "answer", RING_MS=500)
    caller = h.asterisk.caller("caller", TO="+4721500101", STAY_MS=5000)
    h.talking("1001")
    h.ami.action("BlindTransfer", Channel=h.ami.channel_of("1001"), Context="internal", Exten="1003")
    caller.done(), first.done(), second.done()
    told = h.told()
    whole = ["EventRinging", "EventEstablished", "EventReleased"]
    expect_order(told, {"1001": whole, "1003": whole})
    expect_values(told, "EventRinging", "1003", ANI="+4790000001", ThirdPartyDN="1001")
    expect_one_thread(told)
    expect_begin_and_end_once(told)


@play
def attended_transfer(h):
    """1001 asks 1003 first and then hands over."""
    first = h.asterisk.telephone("1001", "answer", RING_MS=500)
    second = h.asterisk.telephone("1003", "answer", RING_MS=500)
    caller = h.asterisk.caller("caller", TO="+4721500101", STAY_MS=8000)
    h.talking("1001")
    channel = h.ami.channel_of("1001")
    h.ami.action("Atxfer", Channel=channel, Context="internal", Exten="1003")
    h.talking("1003")
    h.ami.action("Hangup", Channel=channel)
    caller.done(), first.done(), second.done()
    told = h.told()
    expect_order(
        told,
        {
            "1001": [
                "EventRinging",
                "EventEstablished",
                "EventHeld",
                "EventDialing",
                "?EventNetworkReached",
                "EventEstablished",
                "EventReleased",
                "EventReleased",
            ],
            "1003": ["EventRinging", "EventEstablished", "EventPartyChanged", "EventReleased"],
        },
    )
    expect_values(told, "EventPartyChanged", "1003", ThirdPartyDN="1001", CallState="Transferred", OtherDN="+4790000001")
    expect_one_thread(told)
    expect_begin_and_end_once(told)


@play
def busy(h):
    """1001 refuses with 486, the customer hears it."""
    phone = h.asterisk.telephone("1001", "busy")
    caller = h.asterisk.caller("caller_refused", TO="+4721500101", CODE=486)
    caller.done(), phone.done()
    told = h.told()
    expect_begin_and_end_once(told)
    if any(m.id == "EventEstablished" for m in told):
        raise PlayFailed(f"nobody answered, told {told}")


@play
def no_answer(h):
    """1001 rings until the switch gives up after eight seconds."""
    phone = h.asterisk.telephone("1001", "ring")
    caller = h.asterisk.caller("caller_refused", TO="+4721500101", CODE=480)
    caller.done(), phone.done()
    told = h.told()
    expect_order(told, {"1001": ["EventRinging", ("EventReleased", "EventAbandoned", "EventDiverted")]})
    expect_one_thread(told)
    expect_begin_and_end_once(told)


@play
def abandoned_ringing(h):
    """The customer gives up while 1001 rings."""
    phone = h.asterisk.telephone("1001", "ring")
    caller = h.asterisk.caller("caller_gives_up", TO="+4721500101", STAY_MS=1500)
    caller.done(), phone.done()
    told = h.told()
    expect_order(told, {"1001": ["EventRinging", "EventAbandoned"]})
    expect_begin_and_end_once(told)


@play
def outbound(h):
    """1004 calls a customer through the carrier."""
    customer = h.asterisk.customer("answer", RING_MS=700)
    phone = h.asterisk.dials("1004", "caller", TO="+4790000007", STAY_MS=2000)
    phone.done(), customer.done()
    told = h.told()
    expect_order(told, {"1004": ["EventDialing", "?EventNetworkReached", "EventEstablished", "EventReleased"]})
    expect_values(told, "EventEstablished", "1004", CallType="Outbound", OtherDN="+4790000007")
    expect_begin_and_end_once(told)


# --- faults ---------------------------------------------------------------------------------------------------------


@play
def cordboard_killed(h):
    """SIGKILL in the middle of two calls, one of which ends while nobody listens; the reader comes back with its position."""
    phone, other = h.asterisk.telephone("1001", "answer", RING_MS=300), h.asterisk.telephone("1003", "answer", RING_MS=300)
    stays = h.asterisk.caller("caller", TO="+4721500101", STAY_MS=12000)
    goes = h.asterisk.caller("caller", TO="+4721500103", STAY_MS=4000, FROM="+4790000002")
    h.talking("1001"), h.talking("1003")
    h.cordboard.kill()
    before, position = h.told_before_end()
    goes.done(), other.done()
    h.cordboard.start()
    h.follow_again(position)
    stays.done(), phone.done()
    h.event("EventReleased", "1001")
    told = before + h.told()
    whole = ["EventRinging", "EventEstablished", "EventReleased"]
    expect_order(told, {"1001": whole, "1003": whole})
    expect_begin_and_end_once(told)
    expect_same_story(told, h.cordboard.everything())


@play
def asterisk_restarted(h):
    """`core restart now` in the middle of a call; the next call is told as if nothing had been."""
    _asterisk_goes(h, lambda: h.asterisk.driver().action("Command", answered=False, Command="core restart now"))


@play
def asterisk_crashed(h):
    """SIGKILL of Asterisk in the middle of a call: nobody ever says that the call ended."""

    def crash():
        h.asterisk.stop()
        time.sleep(1.0)
        h.asterisk.start()

    told = _asterisk_goes(h, crash)
    report = [m for m in told if m.id == "EventReleased" and m.ThisDN == "1001"][0]
    if report.CallState == "Ok" or report.Extensions.get("Origin") != "synthesised":
        raise PlayFailed(f"a call that nobody ended is told as ended by somebody: {report.value}")


def _asterisk_goes(h, go):
    phone = h.asterisk.telephone("1001", "answer", RING_MS=300)
    caller = h.asterisk.caller("caller", TO="+4721500101", STAY_MS=60000)
    h.talking("1001")
    watch = Watch(h.cordboard)
    began = time.monotonic()
    go()
    h.event("EventReleased", "1001", NOTICE_S_MAX)
    phone.drop(), caller.drop()
    h.reconnect_ami()
    h.cordboard.wait_ready()
    seen = watch.stop()
    _expect_not_ready_between(seen, began)
    told = h.told()
    expect_order(told, {"1001": ["EventRinging", "EventEstablished", "EventReleased"]})
    expect_begin_and_end_once(told)
    h.begin()
    inbound_direct(h)
    return told


@play
def asterisk_frozen(h):
    """SIGSTOP for a minute in the middle of a call that the customer leaves meanwhile."""
    phone = h.asterisk.telephone("1001", "answer", RING_MS=300)
    caller = h.asterisk.caller("caller", TO="+4721500101", STAY_MS=10000)
    h.talking("1001")
    watch = Watch(h.cordboard, 0.2)
    began = time.monotonic()
    h.asterisk.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(FREEZE_S)
    finally:
        h.asterisk.process.send_signal(signal.SIGCONT)
    thawed = time.monotonic()
    h.reconnect_ami()
    h.cordboard.wait_ready()
    h.event("EventReleased", "1001", 40.0)
    seen = watch.stop()
    _expect_not_ready_between(seen, began, thawed)
    phone.drop(), caller.drop()
    told = h.told()
    expect_order(told, {"1001": ["EventRinging", "EventEstablished", "EventReleased"]})
    expect_begin_and_end_once(told)


def _expect_not_ready_between(seen, began, still_at=None):
    """/readyz said no at some time after `began` and, where `still_at` is given, still then, and says yes at the end."""
    noes = [at for at, ready in seen if at >= began and not ready]
    if not noes:
        raise PlayFailed("/readyz said ready all the time while the switch was away")
    if noes[0] - began > NOTICE_S_MAX:
        raise PlayFailed(f"/readyz noticed only after {noes[0] - began:.1f} s")
    if still_at is not None and any(ready for at, ready in seen if noes[0] < at < still_at):
        raise PlayFailed("/readyz said ready while the switch was frozen")
    print(f"      not ready {noes[0] - began:.2f} s after the switch went, for {noes[-1] - noes[0]:.2f} s")


PLAYS += requests.PLAYS


# --- run ------------------------------------------------------------------------------------------------------------


def main(binary, wanted):
    unknown = set(wanted) - {p.__name__ for p in PLAYS}
    if unknown:
        sys.exit(f"no play {sorted(unknown)}; there are {[p.__name__ for p in PLAYS]}")
    work = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-asterisk."))
    failed = passed = 0
    house = House(binary, work)
    try:
        house.open()
        for function in PLAYS:
            if wanted and function.__name__ not in wanted:
                continue
            began = time.monotonic()
            try:
                house.begin()
                function(house)
                passed += 1
                print(f"pass  {function.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except PlayFailed as error:
                failed += 1
                print(f"FAIL  {function.__name__} ({time.monotonic() - began:.1f} s): {error}", flush=True)
    except PlayFailed as error:
        failed += 1
        print(f"FAIL  {error}", flush=True)
    finally:
        house.close()
    print(f"asterisk: {passed} plays passed, {failed} failed")
    if failed:
        print(f"logs are kept in {work}")
    else:
        shutil.rmtree(work)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]))
