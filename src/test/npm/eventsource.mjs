// Follows a tail with the package eventsource, as browsers do, also when the connection is cut.
// Usage: node eventsource.mjs http://127.0.0.1:8080/v1/tail?... EVENTS
// Prints each event, and the id that it would resume from.

import { EventSource } from 'eventsource'

const [url, count] = process.argv.slice(2)
const source = new EventSource(url)
let seen = 0
source.addEventListener('open', () => console.log('open'))
source.addEventListener('cursor', ({ lastEventId }) => console.log(`cursor ${lastEventId}`))
source.addEventListener('message', ({ data }) => {
  console.log(`event ${JSON.stringify(JSON.parse(data).event)}`)
  if (++seen === Number(count)) setTimeout(() => process.exit(0), 100)
})
