// Sends events with the package undici: kept connections, pipelining, a body that is a stream, gzip.
// Usage: node undici.mjs http://127.0.0.1:8080

import { gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import { Pool } from 'undici'

const pool = new Pool(process.argv[2], { connections: 2, pipelining: 4 })
const path = '/v1/events'
const JSON_TYPE = { 'content-type': 'application/json' }
const LINES = { 'content-type': 'application/x-ndjson' }

async function post(headers, body) {
  const answer = await pool.request({ method: 'POST', path, headers, body })
  return { status: answer.statusCode, json: await answer.body.json() }
}

const many = await Promise.all(Array.from({ length: 100 }, (_, n) => post(JSON_TYPE, JSON.stringify({ n }))))
console.log('pipelined', many.filter(({ status }) => status === 202).length)
const lines = Readable.from(Array.from({ length: 1000 }, (_, n) => `{"n":${n}}\n`))
console.log('stream', (await post(LINES, lines)).json.accepted)
console.log('gzip', (await post({ ...LINES, 'content-encoding': 'gzip' }, gzipSync('1\n2\n'))).json.accepted)
console.log('refused', (await post({}, '1')).status)
await pool.close()
