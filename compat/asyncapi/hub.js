// The hub: what its methods answer, and everything that is told about everybody, while the demonstration lives.
'use strict';
const { HubConnectionBuilder, LogLevel } = require('@microsoft/signalr');

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

async function readHub(cordboard, judge, { extensions }) {
  const pair = Buffer.from(`${cordboard.account.user}:${cordboard.account.secret}`).toString('base64');
  const basic = { Authorization: `Basic ${pair}` };
  const { WSSEndpoint, Token } = await cordboard.json('/token/me/rte/', basic);
  const connection = new HubConnectionBuilder()
    .withUrl(WSSEndpoint, { accessTokenFactory: () => Token })
    .configureLogging(LogLevel.Error)
    .build();
  let failed;
  let judged = Promise.resolve(0);
  connection.on('MessageReceived', (message) => {
    const name = message.data.eventType;
    const judge_it = async (count) => {
      judge.payload(`MessageReceived.${name}`, message, `the hub, ${name}`);
      await judge.published_at(judge.places.get(`enreach.${name}`), message.data, `the hub, ${name}`);
      return count + 1;
    };
    judged = judged.then(judge_it).catch((error) => ((failed ??= error), 0));
  });
  await connection.start();

  const invoke = async (method, ...given) => {
    const told = given.length > 1 ? given : (given[0] ?? null);
    judge.payload(method, told, `the argument of ${method}`);
    const result = await connection.invoke(method, ...given);
    judge.payload(`${method}.Result`, result, `the result of ${method}`);
    return result;
  };
  const events = await invoke('AvailableSubscriptions');
  const [users, queues, lists] = await Promise.all(['/users', '/queues', '/calllists'].map((place) => cordboard.json(place, basic)));
  const ids = [...users, ...queues, ...lists].map(({ Id }) => Id).concat(UNKNOWN, 'nobody');
  for (const EntityId of ids) {
    await invoke('Subscribe', events.map((EventName) => ({ EntityId, EventName })));
  }
  if (extensions) await invoke('SubscribeFrom', [{ EntityId: '*', EventName: 'UserStatus' }, { EntityId: '*', EventName: 'QueueStatus' }], null);
  const held = await invoke('ActiveSubscriptions');
  if (held.length < users.length) throw new Error(`only ${held.length} subscriptions are held`);
  await invoke('Unsubscribe', [{ EntityId: ids[0], EventName: 'UserSetting' }]);
  return {
    async stop() {
      const count = await judged;
      if (failed) throw failed;
      if (count === 0) throw new Error('the hub told nothing');
      await invoke('UnsubscribeAll');
      await connection.stop();
      console.log(`asyncapi: ${count} messages of the hub about ${held.length} subscriptions, and what its methods answer`);
    },
  };
}

module.exports = { readHub };
