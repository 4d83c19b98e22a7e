// The streams of all vocabularies, from the beginning, and what is true in each.
'use strict';

// Each line is judged by its own schema; so many of them also as a line, by the document.
const LINES_DESCRIBED = 300;

// Gives what was told on each channel: its values by key, in order.
async function readStreams(cordboard, judge) {
  const told = new Map();
  for (const dialect of ['genesys', 'enreach', 'cordboard']) {
    const snapshot = await first(cordboard, `/api/v1/events?dialect=${dialect}&snapshot=true&follow=false`);
    judge.payload(`${dialect}.Snapshot`, snapshot, `${dialect}, what is true`);
    const gone = await first(cordboard, `/api/v1/events?dialect=${dialect}&from=1-1`);
    judge.payload(`${dialect}.Resync`, gone, `${dialect}, a place that is gone`);
    let number = 0;
    for (const line of await lines(cordboard, `/api/v1/events?dialect=${dialect}&from=start&follow=false`)) {
      const where = `${dialect}, ${line.position}`;
      await judge.published_at(judge.places.get(`${dialect}.${line.name}`), line.value, where);
      if (number++ < LINES_DESCRIBED) judge.payload(`${dialect}.Line`, line, where);
      const channel = told.get(line.channel) ?? told.set(line.channel, new Map()).get(line.channel);
      const values = channel.get(line.key) ?? channel.set(line.key, []).get(line.key);
      values.push(JSON.stringify(line.value));
    }
    if (number === 0) throw new Error(`${dialect} said nothing`);
    await refuses(judge, dialect, snapshot);
    console.log(`asyncapi: ${number} lines of the stream of ${dialect}`);
  }
  return told;
}

// A judge that takes everything would find nothing: what no schema has must be refused.
async function refuses(judge, dialect, snapshot) {
  const [place] = [...judge.counts.keys()].filter((place) => place.startsWith(`/schemas/${dialect}/`));
  const foreign = [
    () => judge.published_at(place, { canary: 1 }, 'a message of nobody'),
    async () => judge.payload(`${dialect}.Snapshot`, { ...snapshot, canary: 1 }, 'a picture of nobody'),
    async () => judge.payload(`${dialect}.Line`, { position: '1-1', channel: 'rte', name: 'x', key: '', value: {} }, 'a line of nobody'),
  ];
  for (const judged of foreign) {
    const taken = await judged().then(() => true, () => false);
    if (taken) throw new Error(`${dialect}: what is no message was taken for one: ${judged}`);
  }
}

async function lines(cordboard, place) {
  const answer = await fetch(cordboard.url + place, { headers: cordboard.headers });
  if (!answer.ok) throw new Error(`GET ${place} is answered ${answer.status}: ${await answer.text()}`);
  return (await answer.text()).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
}

async function first(cordboard, place) {
  const [line] = await lines(cordboard, place);
  return line;
}

module.exports = { readStreams };
