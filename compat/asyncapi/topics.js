// The topics, by Kafka's protocol, from the beginning: headers, values, and that they say what the streams say.
'use strict';
const { Kafka, logLevel } = require('kafkajs');
const { pause } = require('./cordboard.js');

const READ_MS_MAX = 60_000;
const PAUSE_MS = 100;

async function readTopics(cordboard, judge, told) {
  const { channels, servers } = judge.document;
  const topics = Object.keys(channels).filter((name) => channels[name].bindings?.kafka);
  if (topics.length === 0) throw new Error('the document has no topics');
  const credentials = { mechanism: 'plain', username: cordboard.account.user, password: cordboard.account.secret };
  const kafka = new Kafka({ brokers: [servers.kafka.host], clientId: 'asyncapi', sasl: credentials, logLevel: logLevel.ERROR });
  for (const topic of topics) {
    const records = await read(kafka, topic, atLeast(told.get(topic)));
    const kinds = Object.fromEntries(Object.entries(channels[topic].messages).map(([name, { $ref }]) => [name, $ref]));
    const ids = new Set();
    const seen = new Map();
    for (const { key, value, headers, where } of records) {
      judge.described_at('/components/schemas/kafka.Headers', headers, where);
      const parsed = JSON.parse(value);
      await judge.published_at(headers.schema, parsed, where);
      const name = new URL(headers.schema).pathname.split('/').pop().replace(/\.json$/, '');
      if (!kinds[name]) throw new Error(`${where}: ${name} is no message of ${topic}`);
      ids.add(headers['event-id']);
      (seen.get(key) ?? seen.set(key, []).get(key)).push(JSON.stringify(parsed));
    }
    if (ids.size !== records.length) throw new Error(`${topic}: ${records.length} records have ${ids.size} ids`);
    for (const [key, values] of told.get(topic)) {
      const same = values.every((value, at) => value === (seen.get(key) ?? [])[at]);
      if (!same) throw new Error(`${topic}: ${key} was told other things in the topic than in the stream`);
    }
    console.log(`asyncapi: ${records.length} records of ${topic}, each with headers and its schema, as in the stream`);
  }
}

// How many records there are of each key at least: what the stream, which was read before, has told.
function atLeast(told) {
  return new Map([...told].map(([key, values]) => [key, values.length]));
}

async function read(kafka, topic, least) {
  const consumer = kafka.consumer({ groupId: `asyncapi-${topic}` });
  const records = [];
  const missing = new Map(least);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const key = message.key.toString();
      const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, value.toString()]));
      records.push({ key, value: message.value.toString(), headers, where: `${topic}/${partition}@${message.offset}` });
      const left = (missing.get(key) ?? 0) - 1;
      if (left > 0) missing.set(key, left);
      else missing.delete(key);
    },
  });
  const end = Date.now() + READ_MS_MAX;
  while (missing.size > 0) {
    if (Date.now() > end) throw new Error(`${topic}: ${records.length} records were read, and some are missing of ${[...missing.keys()]}`);
    await pause(PAUSE_MS);
  }
  await consumer.disconnect();
  return records;
}

module.exports = { readTopics };
