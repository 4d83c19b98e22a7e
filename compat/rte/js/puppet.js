// A client by @microsoft/signalr that does what it is told, in Node and on a page alike: commands in, what happened out.
// What the commands are is written in ../puppets.md.

'use strict';

function puppet(signalR, messagePack, sample, say) {
  const RETRY_MS = 300;
  const RETRY_MS_MAX = 60_000;
  let account;
  let hub;
  let leaveSample;

  async function rteToken() {
    const basic = btoa(`${account.user}:${account.secret}`);
    const response = await fetch(`${account.api}/token/me/rte/`, { headers: { Authorization: `Basic ${basic}` } });
    if (!response.ok) throw new Error(`the REST token was refused with ${response.status}`);
    return response.json();
  }

  async function open(command) {
    account = command;
    const endpoint = command.hub ?? (await rteToken()).WSSEndpoint;
    const options = {
      accessTokenFactory: async () => command.token ?? (await rteToken()).Token,
      skipNegotiation: command.skip === true,
    };
    if (command.transport) options.transport = signalR.HttpTransportType[command.transport];
    const builder = new signalR.HubConnectionBuilder().withUrl(endpoint, options).configureLogging(signalR.LogLevel.None);
    if (command.protocol === 'messagepack') builder.withHubProtocol(new messagePack.MessagePackHubProtocol());
    if (command.again === 'automatic' || command.again === 'stateful') {
      const patience = (retry) => (retry.elapsedMilliseconds < RETRY_MS_MAX ? RETRY_MS : null);
      builder.withAutomaticReconnect({ nextRetryDelayInMilliseconds: patience });
    }
    if (command.again === 'stateful') builder.withStatefulReconnect();
    hub = builder.build();
    hub.on('MessageReceived', (value) => say({ said: 'message', value }));
    hub.onreconnecting((error) => say({ said: 'reconnecting', error: text(error) }));
    hub.onreconnected(() => say({ said: 'reconnected' }));
    hub.onclose((error) => say({ said: 'closed', error: text(error) }));
    try {
      await hub.start();
      say({ said: 'open' });
    } catch (error) {
      say({ said: 'failed', error: text(error) });
    }
  }

  async function invoke({ number, method, arguments: values }) {
    try {
      say({ said: 'result', number, value: await hub.invoke(method, ...values) });
    } catch (error) {
      say({ said: 'error', number, error: text(error) });
    }
  }

  async function runSample({ api, user, secret, userId, queueId }) {
    for (const level of ['log', 'info', 'warn', 'error']) console[level] = (text) => say({ said: 'console', text });
    const headers = { Authorization: `Basic ${btoa(`${user}:${secret}`)}` };
    leaveSample = await sample(signalR, api, headers, userId, queueId);
    say({ said: 'open' });
  }

  async function endSample() {
    await leaveSample();
    say({ said: 'closed', error: null });
  }

  function text(error) {
    return error ? `${error.message ?? error}` : null;
  }

  const does = {
    open,
    invoke,
    account: (command) => Object.assign(account, command),
    stop: () => hub.stop(),
    sample: runSample,
    leave: endSample,
  };
  return async (command) => {
    try {
      await does[command.do](command);
    } catch (error) {
      say({ said: 'failed', error: text(error) });
    }
  };
}

if (typeof module !== 'undefined') module.exports = puppet;
