// Every message of a running demonstration against the schemas that it publishes: the streams of all vocabularies, the
// topics by Kafka's protocol, and the hub. Schemas are fetched by the address that a message gives, or that the served
// AsyncAPI document gives for its name.
//
//   NODE_PATH=…/node_modules node messages.js BINARY
'use strict';
const { Cordboard } = require('./cordboard.js');
const { Judge } = require('./judge.js');
const { readStreams } = require('./streams.js');
const { readTopics } = require('./topics.js');
const { readHub } = require('./hub.js');

const ENOUGH_EVENTS = 1500;

async function main(binary) {
  for (const settings of [{ style: 'name', extensions: false }, { style: 'number', extensions: true }]) {
    const cordboard = new Cordboard(binary, settings);
    try {
      await cordboard.start();
      const judge = new Judge(cordboard, await cordboard.json('/asyncapi.json'));
      const hub = await readHub(cordboard, judge, settings);
      await cordboard.until(ENOUGH_EVENTS);
      await hub.stop();
      const told = await readStreams(cordboard, judge);
      await readTopics(cordboard, judge, told);
      judge.finish(`enumerations by ${settings.style}`);
    } catch (error) {
      cordboard.keep();
      throw error;
    } finally {
      await cordboard.stop();
    }
  }
}

main(process.argv[2]).catch((error) => {
  console.log(`asyncapi: ${error.stack}`);
  process.exit(1);
});
