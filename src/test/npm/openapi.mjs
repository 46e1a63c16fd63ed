// Checks the description of the HTTP API with the recommended rules of Redocly's linter.
// Usage: node openapi.mjs http://127.0.0.1:8080/openapi.json

import { createConfig, lintFromString } from '@redocly/openapi-core'

const source = await (await fetch(process.argv[2])).text()
const config = await createConfig({
  extends: ['recommended'],
  rules: {
    'info-license': 'off', // the licence of the program is not that of the interface
    'operation-2xx-response': 'off', // a WebSocket is opened with 101
    'operation-4xx-response': 'off', // not where anyone may ask
    'no-unused-components': 'off', // a schema for lines of NDJSON
  },
})
const problems = await lintFromString({ source, absoluteRef: process.argv[2], config })
for (const { ruleId, severity, message, location } of problems) {
  console.log(`${severity} ${ruleId} at ${location?.[0]?.pointer}: ${message}`)
}
console.log(`${problems.length} problems`)
