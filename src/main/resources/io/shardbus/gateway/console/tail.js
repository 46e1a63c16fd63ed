// The live tail.

import { ApiError, parseEvents, stream } from './api.js'
import { $, make, setText } from './dom.js'
import { headline, many, payload } from './format.js'

const SHOWN = 100
const PAINT_MILLIS = 250
const RETRY_MILLIS = 1000

let running = null
let seen = 0
let fresh = []
let painting = false

function line(text) {
  const event = parseEvents(text)
  return make('li', {}, make('small', {}, headline(event)), make('code', {}, payload(event)))
}

/** At most four times a second: a busy bus sends more than anybody can read. */
function paint() {
  painting = false
  if (fresh.length === 0) return
  const list = $('tail')
  list.prepend(...fresh.reverse().map(line))
  fresh = []
  while (list.children.length > SHOWN) list.lastChild.remove()
  setText($('tail-count'), many(seen, 'event'))
}

function add(text) {
  seen++
  fresh.push(text)
  if (fresh.length > SHOWN) fresh.shift()
  if (!painting) {
    painting = true
    setTimeout(paint, PAINT_MILLIS)
  }
}

async function follow(filter, signal) {
  let cursor = null
  while (!signal.aborted) {
    const query = new URLSearchParams()
    if (filter) query.set('filter', filter)
    if (cursor) query.set('cursor', cursor)
    try {
      const onOpen = () => setText($('tail-state'), 'Following.')
      for await (const message of stream(`v1/tail?${query}`, signal, onOpen)) {
        if (message.event === 'cursor') cursor = message.id
        else if (message.event === 'missed') setText($('tail-state'), `Following. Deleted before they could be shown: ${many(Number(message.data), 'event')}.`)
        else if (message.event === 'message' && message.data) add(message.data)
      }
    } catch (e) {
      if (signal.aborted) return
      // As bad requests, and a sink that cannot be read: trying again changes nothing.
      if (e instanceof ApiError && (e.status < 500 || e.status === 501)) {
        stop(e.message)
        return
      }
    }
    if (signal.aborted) return
    setText($('tail-state'), 'The server does not answer. Trying again.')
    await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS))
  }
}

function stop(why) {
  running?.abort()
  running = null
  show(false)
  setText($('tail-state'), why)
}

function show(following) {
  const button = $('tail-button')
  button.setAttribute('aria-pressed', following)
  setText(button, following ? 'Stop' : 'Follow')
}

function start() {
  running = new AbortController()
  seen = 0
  fresh = []
  setText($('tail-count'), '')
  $('tail').replaceChildren()
  show(true)
  follow($('filter').value.trim(), running.signal)
}

// Enter in the filter box follows with the new filter; the button stops what runs.
$('filter').addEventListener('keydown', (event) => {
  if (event.key === 'Enter') {
    event.preventDefault()
    running?.abort()
    start()
  }
})
$('tail-form').addEventListener('submit', (event) => {
  event.preventDefault()
  if (running) stop('Not following.')
  else start()
})
