// Sends CloudEvents with the SDK in all three modes, and reads them back with it.
// Usage: node cloudevents.mjs http://127.0.0.1:8080

import assert from 'node:assert/strict'
import sdk from 'cloudevents'

const { CloudEvent, HTTP, Mode, emitterFor } = sdk
const url = `${process.argv[2]}/v1/events`
const BATCH = 'application/cloudevents-batch+json'

const event = (id, more) => new CloudEvent({
  id, source: '/sdk/test', type: 'com.example.sent', subject: 'a subject', time: '2026-11-30T01:02:03.456Z',
  partitionkey: 'one', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', ...more,
})
const events = (mode) => [
  event(`${mode}-json`, { data: { n: 1.5, text: 'größe 🚀', nothing: null } }),
  event(`${mode}-text`, { datacontenttype: 'text/plain', data: 'not JSON' }),
  event(`${mode}-bytes`, { datacontenttype: 'image/png', data: Uint8Array.of(0, 1, 254, 255) }),
  event(`${mode}-nothing`, {}),
]
const sent = []

/** The transport of the SDK cannot send an event without data. */
async function send({ headers, body }) {
  const response = await fetch(url, { method: 'POST', headers, body })
  const answer = await response.json()
  assert.equal(response.status, 202, JSON.stringify(answer))
  return answer
}

for (const [name, mode] of [['binary', Mode.BINARY], ['structured', Mode.STRUCTURED]]) {
  const emit = emitterFor(send, { mode })
  for (const each of events(name)) {
    const { time } = await emit(each)
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    sent.push(each)
  }
}

const batch = events('batched')
const counts = await send({
  headers: { 'content-type': BATCH },
  body: `[${batch.map((each) => HTTP.structured(each).body).join()}]`,
})
assert.deepEqual(counts, { accepted: batch.length, rejected: 0 })
sent.push(...batch)

// The same event once more.
assert.equal((await send(HTTP.binary(sent[0]))).duplicate, true)

async function read() {
  const page = await fetch(`${url}?order=timestamp&limit=1000`, { headers: { accept: BATCH } })
  assert.equal(page.status, 200)
  return HTTP.toEvent({ headers: Object.fromEntries(page.headers), body: await page.text() })
}
let got = await read()
for (const end = Date.now() + 20_000; got.length < sent.length && Date.now() < end;) got = await read()

assert.deepEqual(got.map((each) => each.id), sent.map((each) => each.id))
got.forEach((each, i) => {
  each.validate()
  const expected = sent[i]
  for (const name of ['id', 'source', 'type', 'subject', 'time', 'specversion', 'partitionkey', 'traceparent']) {
    assert.equal(each[name], expected[name], `${expected.id}: ${name}`)
  }
  const data = expected.data instanceof Uint8Array ? Buffer.from(expected.data).toString('base64') : expected.data
  assert.deepEqual(each.data_base64 ?? each.data, data, expected.id)
})
console.log(`as sent: ${got.length}`)
