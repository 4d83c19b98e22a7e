// A consumer by kafkajs that does what its first line of stdin says, and says what happened; see ../puppets.md.

'use strict';

const readline = require('node:readline');
const { Kafka, logLevel } = require('kafkajs');

const WAIT_MS = 30000;
const SIZES = {
  tiny: { maxBytes: 1000, maxBytesPerPartition: 700 },
  large: { maxBytes: 2 ** 30, maxBytesPerPartition: 2 ** 29 },
};

const say = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);
// What was said is written before the program ends: stdout is a pipe.
const leave = () => process.stdout.write('', () => process.exit(0));
const text = (data) => (data === null || data === undefined ? null : data.toString('utf8'));

function tell(topic, partition, message) {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, text(one)]));
  const { key, value, offset, timestamp } = message;
  say({ said: 'record', topic, partition, offset: Number(offset), timestamp: Number(timestamp), key: text(key), value: text(value), headers });
}

function client(job) {
  const options = { clientId: job.client ?? 'by-kafkajs', brokers: [job.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: job.retries ?? 5, maxRetryTime: 3000 } };
  if (job.password !== undefined) options.sasl = { mechanism: 'plain', username: job.user, password: job.password };
  return new Kafka(options);
}

// The group's consumer, whose fetches wait for at most `waitMs`.
function member(job, waitMs = 300) {
  const consumer = client(job).consumer({
    groupId: job.group ?? `reader-${process.pid}-${Date.now()}`,
    sessionTimeout: job.session_ms ?? 10000, heartbeatInterval: 500, maxWaitTimeInMs: waitMs,
    retry: { retries: 200, maxRetryTime: 1000 },
    ...SIZES[job.sizes],
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, places]) => places.map((place) => [topic, place]));
    say({ said: 'assigned', partitions: partitions.sort() });
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) fail(payload.error);
  });
  return consumer;
}

// Everything below `ends`.
async function read(job) {
  const consumer = member(job);
  const left = new Set(Object.entries(job.ends).flatMap(([topic, ends]) => ends.flatMap((end, place) => (end > 0 ? [`${topic}/${place}`] : []))));
  let done;
  const over = new Promise((resolve) => { done = resolve; });
  if (left.size === 0) return;
  await consumer.connect();
  await consumer.subscribe({ topics: Object.keys(job.ends), fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const end = job.ends[batch.topic][batch.partition];
      for (const message of batch.messages) if (Number(message.offset) < end) tell(batch.topic, batch.partition, message);
      if (Number(batch.lastOffset()) + 1 >= end) left.delete(`${batch.topic}/${batch.partition}`);
      if (left.size === 0) done();
    },
  });
  await over;
  await consumer.disconnect();
}

async function ends(job) {
  const admin = client(job).admin();
  await admin.connect();
  for (const topic of (await admin.listTopics()).filter((name) => !name.startsWith('__')).sort()) {
    for (const { partition, low, high } of (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition)) {
      say({ said: 'end', topic, partition, start: Number(low), end: Number(high) });
    }
  }
  await admin.disconnect();
}

// kafkajs gives the end of a partition where no record is so new.
async function times(job) {
  const admin = client(job).admin();
  await admin.connect();
  const stops = Object.fromEntries((await admin.fetchTopicOffsets(job.topic)).map(({ partition, high }) => [partition, high]));
  for (const moment of job.moments) {
    for (const { partition, offset } of await admin.fetchTopicOffsetsByTimestamp(job.topic, moment)) {
      say({ said: 'found', moment, partition, offset: offset === stops[partition] ? null : Number(offset) });
    }
  }
  await admin.disconnect();
}

async function group(job, input) {
  const consumer = member(job);
  let go;
  let [goes, count, over] = [!job.hold, 0, false];
  const going = new Promise((resolve) => { go = resolve; });
  input.on('line', (line) => { if (JSON.parse(line).do === 'go') { goes = true; go(); } });
  const closed = new Promise((resolve) => input.on('close', () => { over = true; resolve(); }));
  let fresh = [];
  const commit = async () => {
    if (fresh.length === 0) return;
    const told = fresh;
    fresh = [];
    const last = new Map(told.map(([topic, partition, offset]) => [`${topic}/${partition}`, { topic, partition, offset: String(offset + 1) }]));
    await consumer.commitOffsets([...last.values()]);
    say({ said: 'committed', offsets: [...last.values()].map(({ topic, partition, offset }) => [topic, partition, Number(offset)]) });
  };
  await consumer.connect();
  await consumer.subscribe({ topics: job.topics, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      while (!goes && !over) {
        await heartbeat(); // throws where the group is shared out anew
        await Promise.race([going, new Promise((resolve) => setTimeout(resolve, 200))]);
      }
      for (const message of batch.messages) {
        if (over || !isRunning() || isStale()) break;
        tell(batch.topic, batch.partition, message);
        fresh.push([batch.topic, batch.partition, Number(message.offset)]);
        resolveOffset(message.offset);
        count += 1;
        if (job.wait_at && count >= job.wait_at) {
          say({ said: 'waits' });
          await new Promise(() => {});
        }
        if (fresh.length >= job.commit_every) {
          await commit();
          await heartbeat();
        }
      }
      if (job.eager || over) await commit();
      await heartbeat();
    },
  });
  await closed;
  await commit();
  await consumer.disconnect();
}

async function wait(job) {
  const consumer = member({ ...job, session_ms: 2 * WAIT_MS }, WAIT_MS); // it is silent while a fetch waits
  let came;
  const one = new Promise((resolve) => { came = resolve; });
  await consumer.connect();
  await consumer.subscribe({ topics: [job.topic], fromBeginning: false });
  // It knows where the end is: what follows is the fetch.
  consumer.on(consumer.events.REQUEST, ({ payload }) => { if (payload.apiName === 'ListOffsets') say({ said: 'waits' }); });
  await consumer.run({ autoCommit: false, eachMessage: async ({ topic, partition, message }) => { tell(topic, partition, message); came(); } });
  await Promise.race([one, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
  say({ said: 'done' });
  leave(); // its next fetch may be waiting for long
}

async function produce(job) {
  const producer = client(job).producer();
  await producer.connect();
  const messages = job.records.map(({ key, value, timestamp, headers }) => ({ key, value, timestamp: timestamp && String(timestamp), headers: Object.fromEntries(headers ?? []) }));
  await producer.send({ topic: job.topic, messages });
  await producer.disconnect();
  say({ said: 'produced' });
}

function fail(error) {
  process.stderr.write(`${error.stack}\n`);
  say({ said: 'failed', error: `${error.name}: ${error.message}` });
  leave();
}

const input = readline.createInterface({ input: process.stdin });
input.once('line', (line) => {
  const job = JSON.parse(line);
  const jobs = { read, ends, times, wait, produce, member: group };
  jobs[job.do](job, input).then(() => {
    say({ said: 'done' });
    leave();
  }, fail);
});
