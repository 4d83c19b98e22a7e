// What is told, against what is published.
'use strict';
const Ajv2020 = require('ajv/dist/2020');
const Ajv = require('ajv');
const addFormats = require('ajv-formats');

// Rust's integers; draft 2020-12 lets formats be that nobody knows.
const INTEGERS = ['uint8', 'uint16', 'uint32', 'uint64', 'int32', 'int64', 'double'];
const DOCUMENT = 'asyncapi';

function ready(ajv) {
  addFormats(ajv);
  for (const format of INTEGERS) ajv.addFormat(format, true);
  return ajv;
}

class Judge {
  constructor(cordboard, document) {
    Object.assign(this, { cordboard, document });
    this.published = ready(new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false }));
    this.described = ready(new Ajv({ strict: false })); // AsyncAPI's schemas are those of draft 7
    this.described.addSchema({ $id: DOCUMENT, components: document.components });
    this.validators = new Map(); // by address
    this.counts = new Map(); // by the path of the schema
    this.places = new Map(); // paths of schemas by dialect and name
    for (const message of Object.values(document.components.messages)) {
      const place = message['x-schema'];
      if (place) this.places.set(place.split('/')[2] + '.' + place.split('/').pop().replace(/\.json$/, ''), place);
    }
  }

  // A message against the schema at an address: whole, or a path of the server.
  async published_at(address, value, where) {
    const url = new URL(address, this.cordboard.url).href;
    if (!this.validators.has(url)) this.validators.set(url, await this.fetched(url));
    const validate = this.validators.get(url);
    if (!validate(value)) {
      const [error] = validate.errors;
      throw new Error(`${where}: ${error.instancePath} ${error.message} by ${url}: ${JSON.stringify(value)}`);
    }
    const { pathname } = new URL(url);
    this.counts.set(pathname, (this.counts.get(pathname) ?? 0) + 1);
  }

  async fetched(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`GET ${url} is answered ${answer.status}: ${await answer.text()}`);
    const tag = answer.headers.get('etag');
    const again = await fetch(url, { headers: { 'If-None-Match': tag } });
    if (again.status !== 304) throw new Error(`GET ${url} with its own ETag ${tag} is answered ${again.status}`);
    const schema = await answer.json();
    if (schema.$id !== new URL(url).pathname) throw new Error(`${url} calls itself ${schema.$id}`);
    return this.published.compile(schema);
  }

  // Something against a part of the document that is served.
  described_at(pointer, value, where) {
    const validate = this.described.getSchema(`${DOCUMENT}#${pointer}`);
    if (!validate) throw new Error(`the document has no ${pointer}`);
    if (!validate(value)) {
      const [error] = validate.errors;
      throw new Error(`${where}: ${error.instancePath} ${error.message} by ${pointer}: ${JSON.stringify(value)}`);
    }
  }

  payload(message, value, where) {
    this.described_at(`/components/messages/${message}/payload`, value, where);
  }

  finish(about) {
    const rows = [...this.counts].sort().map(([place, count]) => `${String(count).padStart(8)}  ${place}`);
    const sum = [...this.counts.values()].reduce((sum, count) => sum + count, 0);
    console.log(rows.join('\n'));
    console.log(`asyncapi: ${sum} messages of ${rows.length} kinds are as published, ${about}`);
  }
}

module.exports = { Judge };
