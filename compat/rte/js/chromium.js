// The client of puppet.js on pages in headless Chromium. Each page is served from a place of its own, which is another
// origin than Cordboard's. Commands as for node.js, each with the name of its page: the first with a new name opens it. Pages whose
// names begin with "foreign" come from an origin that Cordboard does not know.
//
//   chromium.js PORT      where the pages are served, on 127.0.0.1

'use strict';

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { chromium } = require('playwright-core');

const HOST = '127.0.0.1';
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const SCRIPTS = {
  '/signalr.js': require.resolve('@microsoft/signalr/dist/browser/signalr.min.js'),
  '/msgpack.js': require.resolve('@microsoft/signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.min.js'),
  '/sample.js': path.join(__dirname, 'sample.js'),
  '/puppet.js': path.join(__dirname, 'puppet.js'),
};
const PAGE = `<!doctype html><meta charset="utf-8"><title>compat</title><link rel="icon" href="data:,">
<script src="/signalr.js"></script><script src="/msgpack.js"></script><script src="/sample.js"></script><script src="/puppet.js"></script>
<script>const obey = puppet(signalR, signalR.protocols.msgpack, sample, (fact) => say(JSON.stringify(fact)));</script>`;

function serve(port) {
  const server = http.createServer((request, response) => {
    const script = SCRIPTS[request.url];
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
    response.end(script ? fs.readFileSync(script) : PAGE);
  });
  return new Promise((done) => server.listen(port, HOST, done));
}

async function main(port) {
  await serve(port);
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'cordboard-chromium-'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: ARGUMENTS });
  const pages = new Map();

  // The same place by another name is another origin.
  const address = (name) => `http://${name.startsWith('foreign') ? 'localhost' : HOST}:${port}/`;

  async function open(name) {
    const page = await browser.newPage();
    await page.exposeFunction('say', (fact) => process.stdout.write(`{"page":${JSON.stringify(name)},"fact":${fact}}\n`));
    await page.goto(address(name));
    return page;
  }

  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const { page: name, command } = JSON.parse(line);
    if (!pages.has(name)) pages.set(name, open(name));
    const page = await pages.get(name);
    await page.evaluate((command) => void obey(command), command);
  });
  lines.on('close', async () => {
    await browser.close();
    fs.rmSync(profile, { recursive: true, force: true });
    process.exit(0);
  });
  process.stdout.write('{"ready":true}\n');
}

main(Number(process.argv[2]));
