// A `cordboard serve --demo` of its own: on free ports of this machine, with data that is removed afterwards.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');

const READY_MS_MAX = 60_000;
const ENOUGH_MS_MAX = 180_000;
const STOP_MS_MAX = 30_000;
const PAUSE_MS = 100;
const SEED = 8;
const SPEED = 30;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function freePort() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

class Cordboard {
  constructor(binary, settings) {
    Object.assign(this, { binary, settings });
    this.work = fs.mkdtempSync(path.join(os.tmpdir(), 'cordboard-asyncapi-'));
    this.kept = false;
    this.out = '';
  }

  async start() {
    this.port = await freePort();
    this.kafkaPort = await freePort();
    const { style, extensions } = this.settings;
    const config = path.join(this.work, 'cordboard.toml');
    fs.writeFileSync(config, `[genesys]\nenum_style = "${style}"\n[rte]\nextensions = ${extensions}\n`);
    const log = fs.openSync(path.join(this.work, 'cordboard.log'), 'a');
    const places = ['--http', `127.0.0.1:${this.port}`, '--kafka', `127.0.0.1:${this.kafkaPort}`];
    const data = ['--config', config, '--data', path.join(this.work, 'data')];
    const demo = ['serve', '--demo', '--seed', `${SEED}`, '--speed', `${SPEED}`];
    this.process = spawn(this.binary, [...demo, ...data, ...places], { stdio: ['ignore', 'pipe', log] });
    this.process.stdout.on('data', (text) => (this.out += text));
    this.ended = new Promise((done) => this.process.once('exit', done));
    await this.wait(READY_MS_MAX, 'it to be ready', async () => {
      if (this.process.exitCode !== null) throw new Error(`cordboard ended with ${this.process.exitCode}`);
      const ready = await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
      const accounts = this.out.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
      this.account = accounts.find(({ role }) => role === 'administrator');
      return ready && this.account !== undefined;
    });
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get headers() {
    return { Authorization: `Bearer ${this.account.secret}` };
  }

  async json(place, headers = {}) {
    const answer = await fetch(new URL(place, this.url), { headers });
    if (!answer.ok) throw new Error(`GET ${place} is answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  // Waits until so many events have happened.
  async until(events) {
    await this.wait(ENOUGH_MS_MAX, `${events} events`, async () => {
      const { position } = await this.json('/api/v1/snapshot', this.headers);
      return Number(position.split('-')[1]) >= events;
    });
  }

  async wait(most, what, done) {
    const end = Date.now() + most;
    while (!(await done())) {
      if (Date.now() > end) throw new Error(`waited ${most} ms for ${what}; see ${this.work}/cordboard.log`);
      await pause(PAUSE_MS);
    }
  }

  // What it wrote is not removed, for whoever wants to know why something failed.
  keep() {
    this.kept = true;
    console.log(`asyncapi: its log is ${this.work}/cordboard.log`);
  }

  async stop() {
    if (this.process && this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      const late = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS_MAX);
      await this.ended;
      clearTimeout(late);
    }
    if (!this.kept) fs.rmSync(this.work, { recursive: true });
  }
}

module.exports = { Cordboard, pause };
