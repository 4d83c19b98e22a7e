"""Plays in which a client asks Cordboard, and the Asterisk does it."""

import time

from pbx import PlayFailed
from subject import expect_begin_and_end_once, expect_one_thread, expect_order, expect_values

PLAYS = []
REFUSED_S_MAX = 35.0  # the patience of the door with a switch that says nothing


def play(function):
    PLAYS.append(function)
    return function


def talking_customer(h, dn, did, stay_ms=None):
    """A customer talks with `dn`, for a while or until the end; gives the call's ConnID, the telephone and the customer."""
    phone = h.asterisk.telephone(dn, "answer", RING_MS=300)
    if stay_ms is None:
        caller = h.asterisk.caller("caller_stays", TO=did)
    else:
        caller = h.asterisk.caller("caller", TO=did, STAY_MS=stay_ms)
    return h.talking(dn).ConnID, phone, caller


def asked(h, *what, **parameters):
    """A request that must be done: its ReferenceID."""
    answer = h.ask(*what, **parameters)
    if answer["error"] is not None:
        raise PlayFailed(f"{what} should be done, was answered {answer['error']}")
    return answer["ReferenceID"]


def refused(h, *what, **parameters):
    """A request that must be refused with a reason: its EventError."""
    answer = h.ask(*what, **parameters)
    error = answer["error"]
    if error is None or error["id"] != "EventError" or not error["ErrorMessage"]:
        raise PlayFailed(f"{what} should be refused with a reason, was answered {answer}")
    return error


def caused(h, reference, name, dn, seconds=10.0):
    """The event of this name on `dn` that bears the request's ReferenceID."""
    return h.event(name, dn, seconds, ReferenceID=reference)


def hang_up_all(h, *telephones):
    """Asterisk ends every call, and these telephones hear so."""
    h.ami.action("Hangup", Channel="/^PJSIP/")
    for telephone in telephones:
        telephone.done()


@play
def request_call_and_release(h):
    """1001 asks for a call to 1002, with data, and hangs up by request."""
    first = h.asterisk.telephone("1001", "answer", RING_MS=300)
    second = h.asterisk.telephone("1002", "answer", RING_MS=300)
    reference = asked(h, "TMakeCall", "1001", OtherDN="1002", UserData={"CUSTOMER_ID": "K-7, (\"x\")", "free text": "yes"})
    dialing = caused(h, reference, "EventDialing", "1001")
    if dialing.UserData != {"CUSTOMER_ID": "K-7, (\"x\")", "free text": "yes"}:
        raise PlayFailed(f"EventDialing has UserData {dialing.UserData}")
    h.talking("1002")
    reference = asked(h, "TReleaseCall", "1001", ConnID=dialing.ConnID)
    caused(h, reference, "EventReleased", "1001")
    first.done(), second.done()
    told = h.told()
    expect_values(told, "EventRinging", "1002", OtherDN="1001")
    expect_one_thread(told)
    expect_begin_and_end_once(told)


@play
def request_call_outside(h):
    """1004 asks for a call to a customer behind the carrier, who hangs up."""
    phone = h.asterisk.telephone("1004", "answer", RING_MS=200)
    customer = h.asterisk.customer("answer_hangup", RING_MS=500, TALK_MS=1000)
    reference = asked(h, "TMakeCall", "1004", OtherDN="+4790000007")
    caused(h, reference, "EventDialing", "1004")
    phone.done(), customer.done()
    told = h.told()
    expect_values(told, "EventEstablished", "1004", CallType="Outbound", OtherDN="+4790000007")
    expect_begin_and_end_once(told)


@play
def request_call_without_answer(h):
    """The telephone of who asks refuses: the request is refused, with Asterisk's reason."""
    phone = h.asterisk.telephone("1001", "busy")
    refused(h, "TMakeCall", "1001", OtherDN="1002")
    phone.done()
    h.event("EventReleased", "1001")


@play
def request_blind_transfer(h):
    """1001 hands a customer on to 1003 by request, in one step."""
    conn, first, caller = talking_customer(h, "1001", "+4721500101", 4000)
    second = h.asterisk.telephone("1003", "answer", RING_MS=300)
    reference = asked(h, "TSingleStepTransfer", "1001", ConnID=conn, OtherDN="1003")
    caused(h, reference, "EventReleased", "1001")
    h.talking("1003")
    caller.done(), first.done(), second.done()
    told = h.told()
    expect_order(told, {dn: ["EventRinging", "EventEstablished", "EventReleased"] for dn in ("1001", "1003")})
    expect_one_thread(told)
    expect_begin_and_end_once(told)


@play
def request_attended_transfer(h):
    """1001 asks 1003 first, by request, and hands over, by request."""
    conn, first, caller = talking_customer(h, "1001", "+4721500101", 9000)
    second = h.asterisk.telephone("1003", "answer", RING_MS=300)
    reference = asked(h, "TInitiateTransfer", "1001", ConnID=conn, OtherDN="1003", UserData={"WHY": "expert"})
    caused(h, reference, "EventHeld", "1001")
    dialing = caused(h, reference, "EventDialing", "1001")
    if dialing.UserData is None or dialing.UserData.get("WHY") != "expert":
        raise PlayFailed(f"the consultation has UserData {dialing.UserData}")
    h.talking("1003")
    reference = asked(h, "TCompleteTransfer", "1001", ConnID=dialing.ConnID, HeldConnID=conn)
    caused(h, reference, "EventReleased", "1001")
    caller.done(), first.done(), second.done()
    told = h.told()
    expect_values(told, "EventPartyChanged", "1003", ThirdPartyDN="1001", OtherDN="+4790000001")
    expect_one_thread(told)
    expect_begin_and_end_once(told)


@play
def request_consult_and_reconnect(h):
    """1001 asks 1003, and comes back to the customer, by request."""
    conn, first, caller = talking_customer(h, "1001", "+4721500101", 9000)
    second = h.asterisk.telephone("1003", "answer", RING_MS=300)
    reference = asked(h, "TInitiateTransfer", "1001", ConnID=conn, OtherDN="1003")
    dialing = caused(h, reference, "EventDialing", "1001")
    h.talking("1003")
    reference = asked(h, "TReconnectCall", "1001", ConnID=dialing.ConnID, HeldConnID=conn)
    caused(h, reference, "EventRetrieved", "1001")
    caused(h, reference, "EventReleased", "1001")
    second.done(), caller.done(), first.done()
    expect_begin_and_end_once(h.told())


@play
def request_conference_of_a_consultation(h):
    """1001 asks 1003 and makes a conference of it: all three talk."""
    conn, first, caller = talking_customer(h, "1001", "+4721500101", 9000)
    second = h.asterisk.telephone("1003", "answer", RING_MS=300)
    reference = asked(h, "TInitiateConference", "1001", ConnID=conn, OtherDN="1003")
    dialing = caused(h, reference, "EventDialing", "1001")
    h.talking("1003")
    reference = asked(h, "TCompleteConference", "1001", ConnID=dialing.ConnID, HeldConnID=conn)
    caused(h, reference, "EventPartyAdded", "1001")
    caller.done()
    hang_up_all(h, first, second)
    expect_one_thread(h.told())


@play
def request_single_step_conference(h):
    """1001 brings 1003 into the talk, in a room; the customer is put out; the others end."""
    conn, first, caller = talking_customer(h, "1001", "+4721500101")
    second = h.asterisk.telephone("1003", "answer", RING_MS=300)
    asked(h, "TSingleStepConference", "1001", ConnID=conn, OtherDN="1003")
    h.talking("1003")
    reference = asked(h, "TDeleteFromConference", "1001", ConnID=conn, OtherDN="+4790000001")
    caller.done()
    if not any(m.ReferenceID == reference for m in h.told()):
        raise PlayFailed(f"nothing bears ReferenceID {reference}")
    hang_up_all(h, first, second)


@play
def request_redirect(h):
    """A call that rings at 1001 is sent to 1003 by request."""
    first = h.asterisk.telephone("1001", "ring")
    second = h.asterisk.telephone("1003", "answer", RING_MS=300)
    caller = h.asterisk.caller("caller", TO="+4721500101", STAY_MS=3000)
    conn = h.event("EventRinging", "1001").ConnID
    reference = asked(h, "TRedirectCall", "1001", ConnID=conn, OtherDN="1003")
    h.talking("1003")
    first.done(), caller.done(), second.done()
    told = h.told()
    if not any(m.ThisDN == "1001" and m.ReferenceID == reference and m.id != "EventRinging" for m in told):
        raise PlayFailed(f"nothing on 1001 bears ReferenceID {reference}: {told}")
    expect_begin_and_end_once(told)


@play
def request_park_and_fetch(h):
    """1001 parks a customer by request, 1002 fetches them by request."""
    conn, first, caller = talking_customer(h, "1001", "+4721500101")
    second = h.asterisk.telephone("1002", "answer", RING_MS=300)
    asked(h, "TPrivateService", "1001", ServiceID="Park", ConnID=conn, OtherDN="705")
    first.done()
    asked(h, "TPrivateService", "1002", ServiceID="Unpark", OtherDN="705")
    h.talking("1002")
    hang_up_all(h, caller, second)
    expect_one_thread([m for m in h.told() if m.ThisDN != "1002"])
    phone = h.asterisk.telephone("1003", "answer", RING_MS=100)
    refused(h, "TPrivateService", "1003", ServiceID="Unpark", OtherDN="706")
    phone.done()


@play
def request_pickup(h):
    """What rings at 1001 is taken by 1002, by request."""
    first = h.asterisk.telephone("1001", "ring")
    second = h.asterisk.telephone("1002", "answer", RING_MS=100)
    caller = h.asterisk.caller("caller", TO="+4721500101", STAY_MS=4000)
    h.event("EventRinging", "1001")
    asked(h, "TPrivateService", "1002", ServiceID="Pickup", OtherDN="1001")
    h.talking("1002")
    first.done(), caller.done(), second.done()
    expect_begin_and_end_once(h.told())


@play
def request_agent(h):
    """1001 is logged in, made not ready with a reason, ready, and logged out, by request."""
    reference = asked(h, "TAgentLogin", "1001", ThisQueue="support", AgentID="1001")
    caused(h, reference, "EventAgentLogin", "1001")
    again = refused(h, "TAgentLogin", "1001", ThisQueue="support", AgentID="1001")
    if "Already there" not in again["ErrorMessage"]:
        raise PlayFailed(f"Asterisk's own words should be in {again['ErrorMessage']!r}")
    reference = asked(h, "TAgentSetNotReady", "1001", Reasons={"code": "lunch"})
    event = caused(h, reference, "EventAgentNotReady", "1001")
    if "lunch" not in str(event.value):
        raise PlayFailed(f"no reason in {event.value}")
    asked(h, "TAgentSetNotReady", "1001", Reasons={"code": "lunch"})
    reference = asked(h, "TAgentSetReady", "1001")
    caused(h, reference, "EventAgentReady", "1001")
    reference = asked(h, "TAgentLogout", "1001", ThisQueue="support")
    caused(h, reference, "EventAgentLogout", "1001")


@play
def request_recording_tones_variable_mute(h):
    """A call is recorded, hears tones, gets a variable, and is muted, by request; all of it ends."""
    conn, phone, caller = talking_customer(h, "1001", "+4721500101")
    asked(h, "TPrivateService", "1001", ServiceID="StartRecording", ConnID=conn, Extensions={"File": "play-1"})
    time.sleep(0.5)
    asked(h, "TPrivateService", "1001", ServiceID="StopRecording", ConnID=conn)
    files = [path.name for path in (h.asterisk.work / "spool/monitor").glob("play-1*")]
    if files != ["play-1.wav"]:
        raise PlayFailed(f"Asterisk wrote {files}")
    asked(h, "TSendDTMF", "1001", ConnID=conn, DTMFDigits="12#")
    asked(h, "TPrivateService", "1001", ServiceID="SetVariable", ConnID=conn, Extensions={"Name": "CUSTOMER_ID", "Value": "K-9"})
    asked(h, "TPrivateService", "1001", ServiceID="SetVariable", ConnID=conn, Extensions={"Name": "OTHER", "Value": "a;b=c"})
    value = h.ami.action("Getvar", Channel=h.ami.channel_of("1001"), Variable="OTHER").get("Value")
    if value != "a;b=c":
        raise PlayFailed(f"the variable is {value!r}")
    reference = asked(h, "TSetMuteOn", "1001", ConnID=conn)
    caused(h, reference, "EventMuteOn", "1001")
    reference = asked(h, "TSetMuteOff", "1001", ConnID=conn)
    caused(h, reference, "EventMuteOff", "1001")
    asked(h, "TClearCall", "1001", ConnID=conn)
    phone.done(), caller.done()
    told = h.told()
    expect_begin_and_end_once(told)


@play
def request_supervision(h):
    """1004 hears, whispers to and barges into a call of 1001, by request, and leaves."""
    conn, phone, caller = talking_customer(h, "1001", "+4721500101")
    for mode in ("mute", "coach", "connect"):
        supervisor = h.asterisk.telephone("1004", "answer", RING_MS=200)
        asked(h, "TPrivateService", "1004", ServiceID="Supervise", OtherDN="1001", Extensions={"MonitorMode": mode})
        options = h.ami.application_of("1004").split(",")[-1]
        if options != {"mute": "uqE", "coach": "uqEw", "connect": "uqEB"}[mode]:
            raise PlayFailed(f"for {mode}, Asterisk runs ChanSpy with {options}")
        asked(h, "TCancelMonitoring", "1004", OtherDN="1001")
        supervisor.done()
    refused(h, "TPrivateService", "1004", ServiceID="Supervise", OtherDN="1002", Extensions={"MonitorMode": "mute"})
    asked(h, "TReleaseCall", "1001", ConnID=conn)
    phone.done(), caller.done()


@play
def request_answer_and_hold(h):
    """A telephone that obeys a NOTIFY answers and holds by request; one that does not is told of as late."""
    phone = h.asterisk.telephone("1002", "obeys")
    caller = h.asterisk.caller("caller_stays", TO="+4721500102")
    conn = h.event("EventRinging", "1002").ConnID
    reference = asked(h, "TAnswerCall", "1002", ConnID=conn)
    caused(h, reference, "EventEstablished", "1002")
    reference = asked(h, "THoldCall", "1002", ConnID=conn)
    caused(h, reference, "EventHeld", "1002")
    hang_up_all(h, phone, caller)
    conn, phone, caller = talking_customer(h, "1001", "+4721500101")
    late = refused(h, "THoldCall", "1001", ConnID=conn)
    if late["Extensions"]["Refusal"] != "TimedOut":
        raise PlayFailed(f"a telephone that does not obey is told of as {late}")
    hang_up_all(h, caller)
    phone.drop()  # SIPp counts the NOTIFY as a failure


@play
def request_predictive(h):
    """A customer is called for the queue support; 1002 takes the call."""
    h.log_in("1002", "Bjorn Dahl")
    h.reader.quiet(6.0)  # after-call work of an earlier play
    customer = h.asterisk.customer("answer", RING_MS=300)
    phone = h.asterisk.telephone("1002", "answer_hangup", RING_MS=300, TALK_MS=1000)
    asked(h, "TMakePredictiveCall", "support", OtherDN="+4790000007", Timeout=20)
    h.talking("1002")
    phone.done(), customer.done()
    expect_begin_and_end_once(h.told())


@play
def request_refused(h):
    """What Asterisk refuses, what it cannot do, and what nobody may send: each is refused with its reason."""
    conn, phone, caller = talking_customer(h, "1001", "+4721500101")
    unknown = refused(h, "TSetMessageWaitingOn", "1001")
    if "MWIUpdate" not in unknown["ErrorMessage"]:
        raise PlayFailed(f"Asterisk's own words should be in {unknown['ErrorMessage']!r}")
    for what in (
        ("TCallSetForward", {"ForwardMode": "Unconditional", "OtherDN": "1002"}),
        ("TSetDNDOn", {}),
        ("TMonitorNextCall", {"OtherDN": "1002"}),
    ):
        event = refused(h, what[0], "1001", **what[1])
        if event["Extensions"]["ErrorName"] != "TERR_UNSUP_OPER":
            raise PlayFailed(f"{what[0]} should be unsupported, is {event}")
    for number in ("1002\r\nAction: Command", "1002@from-trunk", "1002&PJSIP/1003", ""):
        refused(h, "TMakeCall", "1001", OtherDN=number)
    asked(h, "TReleaseCall", "1001", ConnID=conn)
    phone.done(), caller.done()


@play
def request_to_a_frozen_asterisk(h):
    """Asterisk does not answer any more: whoever asks hears so in time."""
    import signal

    h.asterisk.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        refused(h, "TMakeCall", "1001", OtherDN="1002")
        print(f"      refused after {time.monotonic() - began:.1f} s")
        if time.monotonic() - began > REFUSED_S_MAX:
            raise PlayFailed("the refusal came too late")
    finally:
        h.asterisk.process.send_signal(signal.SIGCONT)
    h.reconnect_ami()
    h.cordboard.wait_ready(40.0)
