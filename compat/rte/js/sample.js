// The steps of the documents' own JavaScript, with our address instead of theirs. What had to be changed besides, and why:
//
// 1. `response` is what was parsed out of the answer: the document reads the members off the Response of fetch itself, where
//    they are undefined against any server.
// 2. `await connection.start()` is there: the document never starts the connection.
// 3. Nothing else: `WSSEndpoint` is answered beside `WssEndpoint`, and as http(s), because withUrl takes no wss address in
//    Node and no browser can negotiate by one. The surplus argument of AvailableSubscriptions stays as documented.

'use strict';

async function sample(signalR, api, headers, userId, queueId) {
  const url = `${api}/token/me/rte/`;
  const answer = await fetch(url, { method: 'GET', headers });
  const response = await answer.json();

  const connection = new signalR.HubConnectionBuilder()
    .withUrl(response.WSSEndpoint, { accessTokenFactory: () => response.Token })
    .withAutomaticReconnect()
    .build();

  // Handler to process received events, just pretty print it to the console
  connection.on('MessageReceived', function (message) {
    console.log('Message details: ' + JSON.stringify(message, null, 2));
  });
  await connection.start();

  // list of events & entities to subscribe to
  const subscriptions = new Array();
  subscriptions.push({ EntityId: userId, EventName: 'UserStatus' });
  subscriptions.push({ EntityId: queueId, EventName: 'QueueStatus' });

  const print = (words) => (payload) => console.log(words + JSON.stringify(payload));
  await connection.invoke('Subscribe', subscriptions).then(print('Subscription result: '));
  await connection.invoke('AvailableSubscriptions', subscriptions).then(print('Available subscriptions '));
  await connection.invoke('ActiveSubscriptions').then(print('Active subscriptions '));
  return async () => {
    await connection.invoke('Unsubscribe', subscriptions.slice(0, 1)).then(print('Unsubscription result: '));
    await connection.invoke('UnsubscribeAll').then(print('UnsubscribeAll result: '));
    await connection.stop();
  };
}

if (typeof module !== 'undefined') module.exports = sample;
