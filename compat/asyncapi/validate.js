// The AsyncAPI document against the specification, by AsyncAPI's own parser.
//
//   NODE_PATH=…/node_modules node validate.js FILE
//
// Every error and warning is printed; each of them is a failure. Exit codes: 0 none, 1 some.
'use strict';
const fs = require('fs');
const { Parser } = require('@asyncapi/parser');

const SEVERITIES = ['error', 'warning', 'information', 'hint'];
const BAD = ['error', 'warning'];

async function main(file) {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(file, 'utf8'));
  for (const { severity, code, message, path, range } of diagnostics) {
    console.log(`${SEVERITIES[severity]} ${code} line ${range.start.line + 1} ${path.join('.')}: ${message}`);
  }
  const bad = diagnostics.filter(({ severity }) => BAD.includes(SEVERITIES[severity])).length;
  if (!document || bad > 0) {
    console.log(`asyncapi: ${bad} errors and warnings`);
    process.exit(1);
  }
  const [channels, operations, messages, schemas] = [
    document.channels(), document.operations(), document.components().messages(), document.components().schemas(),
  ].map((all) => all.all().length);
  console.log(`asyncapi: valid; ${channels} channels, ${operations} operations, ${messages} messages, ${schemas} schemas`);
}

main(process.argv[2]);
