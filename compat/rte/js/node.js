// The client of puppet.js in Node: a command a line on stdin, what happened a line on stdout.

'use strict';

const readline = require('node:readline');
const messagePack = require('@microsoft/signalr-protocol-msgpack');
const signalR = require('@microsoft/signalr');
const puppet = require('./puppet.js');
const sample = require('./sample.js');

const obey = puppet(signalR, messagePack, sample, (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`));
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => obey(JSON.parse(line)));
lines.on('close', () => process.exit(0));
