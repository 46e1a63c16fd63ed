// Asks the server once a second, and shows what it says.

import { ApiError, getJson, getText, setToken } from './api.js'
import { $, make, rows, setText } from './dom.js'
import { bytes, count, dateTime, duration, many, rate, span, time } from './format.js'
import { showLetters } from './letters.js'
import { showNodes } from './nodes.js'
import { Scrape } from './scrape.js'
import { showShards, sinksThat } from './shards.js'
import './browse.js'
import './settings.js'
import './tail.js'

// An application may have no chart.js.
const { showHistory } = globalThis.Chart ? await import('./history.js') : { showHistory: () => ($('history').hidden = true) }

const PERIOD_MILLIS = 1000
const WRITE = 'shardbus_sink_write_seconds'

let last = null

const sum = (numbers) => Object.values(numbers).reduce((a, b) => a + b, 0)

/** An embedded gateway may have no metrics: then there is no latency to show. */
async function scrape() {
  try {
    return new Scrape(await getText('metrics'))
  } catch (e) {
    if (e instanceof ApiError && e.status === 404) return null
    throw e
  }
}

async function ask() {
  showNodes()
  const [stats, { shards }, meters] = await Promise.all([getJson('v1/stats'), getJson('v1/shards'), scrape(), showLetters(), showHistory()])
  return { stats, shards, meters, at: performance.now() }
}

function connection(state, text) {
  const pill = $('connection')
  if (pill.dataset.state !== state) {
    pill.dataset.state = state
    setText(pill, text)
    document.body.classList.toggle('stale', state !== 'live')
  }
}

function tiles(stats, rates) {
  const entries = [
    ['Accepted', 'accepted', stats.accepted, rates?.accepted],
    ['Delivered', 'delivered', stats.delivered, rates?.delivered],
    ['Pending', 'pending', stats.pendingInRings + stats.inFlight, null],
    ['Refused', 'refused', sum(stats.refused), rates?.refused, 'warn'],
    ['Evicted', 'evicted', stats.evicted, rates?.evicted, 'warn'],
    ['Dead-lettered', 'deadLettered', stats.deadLettered, rates?.deadLettered, 'bad'],
  ]
  for (const [title, id, value, perSecond, level] of entries) {
    if (!$(`total-${id}`)) {
      $('totals').append(make('div', {}, make('dt', {}, title), make('dd', { id: `total-${id}` }), make('dd')))
    }
    const number = $(`total-${id}`)
    setText(number, count(value))
    number.dataset.value = value
    number.className = value > 0 && level ? level : ''
    setText(number.nextSibling, perSecond == null ? '' : `${rate(perSecond)}/s`)
  }
}

function ratesOf(now, before) {
  const seconds = (now.at - before.at) / 1000
  const per = (f) => Math.max(0, f(now.stats) - f(before.stats)) / seconds
  return {
    seconds,
    accepted: per((s) => s.accepted), delivered: per((s) => s.delivered), refused: per((s) => sum(s.refused)),
    evicted: per((s) => s.evicted), deadLettered: per((s) => s.deadLettered),
  }
}

const REASONS = { backpressure: 'ring full', sampled: 'not sampled', unrouted: 'no shard active', closed: 'closing', too_large: 'too large', intercepted: 'by an interceptor' }

const GATEWAY_REASONS = { invalid: 'no JSON or no key', no_memory: 'no memory', rate: 'too fast', too_large: 'too large', too_many: 'too many in a message', too_slow: 'too slow' }

/** Those of the bus, and what the gateway did not even offer to it. */
function refusals(refused, meters) {
  const ofBus = Object.entries(refused).map(([reason, n]) => [REASONS[reason] ?? reason, n])
  const ofGateway = (meters?.reasons('shardbus_gateway_refused_total') ?? [])
    .filter(([, n]) => n > 0)
    .map(([reason, n]) => [`before the bus: ${GATEWAY_REASONS[reason] ?? reason}`, n])
  rows($('refusals'), [...ofBus, ...ofGateway].map(([name, n]) => [name, count(n), n > 0 ? 'warn' : '', n]))
}

function sink({ stats, shards, meters }) {
  setText($('sink-name'), stats.sink)
  const bad = ['failing', 'refusing'].filter(sinksThat).map((state) => `${state} for ${count(sinksThat(state))} of ${many(shards.length, 'shard')}`)
  const entries = [
    ['state', bad.join(', ') || 'good', bad.length ? 'bad' : 'good'],
    ['writes', count(stats.batches)],
    ['dead-lettered', count(stats.deadLettered), stats.deadLettered ? 'warn' : ''],
  ]
  if (meters) {
    const writes = meters.sum(`${WRITE}_count`)
    const failed = meters.sum(`${WRITE}_count`, 'outcome="failed"')
    const retried = meters.sum('shardbus_events_retried_total')
    entries.push(
      ['writes that failed', count(failed), failed ? 'warn' : ''],
      ['events written again', count(retried), retried ? 'warn' : ''],
      ['mean answer', duration(writes ? meters.sum(`${WRITE}_sum`) / writes : null)],
    )
  }
  const { storage } = stats
  if (storage) {
    entries.push(['stored', bytes(storage.bytes)])
    if (storage.oldest) entries.push(['oldest event', dateTime(storage.oldest)], ['newest event', dateTime(storage.newest)])
    if (storage.freeBytes != null) entries.push(['free on the disk', bytes(storage.freeBytes)])
  }
  rows($('sink'), entries)
}

function about({ version, uptimeSeconds, heapBytes, heapMaxBytes }) {
  setText($('about'), `${version ? `Version ${version}, up` : 'Up'} ${span(uptimeSeconds)}, heap ${bytes(heapBytes)} of ${bytes(heapMaxBytes)}.`)
}

/** What the policy said, if it was the policy that asked. */
const why = ({ reason }) => reason ? make('small', { class: 'why' }, reason) : ''

const LIMITS = { max_shards: 'There are as many shards as maxShards allows', sink: 'The sink takes no more', hot_key: 'One key or slot is too hot' }

function limit({ limitedBy, limitReason }) {
  const line = $('scaling-limit')
  line.hidden = limitedBy === 'none'
  setText(line, line.hidden ? '' : `${LIMITS[limitedBy] ?? limitedBy}: ${limitReason}`)
}

function scalings({ underWay, recent }) {
  const begun = underWay.map((request) =>
    make('li', {}, make('small', {}, `since ${time(request.since)} · ${request.cause}`), `scaling ${request.direction} …`, why(request)))
  const ended = recent.toReversed().map((entry) => {
    const failed = entry.outcome !== 'done'
    const what = failed
      ? `could not scale ${entry.direction}: ${entry.detail}`
      : `${entry.direction === 'up' ? '▲ added' : '▼ removed'} ${entry.shards.length > 1 ? 'shards' : 'shard'} ${entry.shards.join(', ')}: ${entry.active} active`
    return make('li', failed ? { class: 'bad' } : {}, make('small', {}, `${time(entry.at)} · ${entry.cause}`), what, why(entry))
  })
  const items = [...begun, ...ended]
  $('scalings').replaceChildren(...(items.length ? items : [make('li', { class: 'empty' }, 'No changes yet.')]))
}

let shownScalings = ''

function show(now) {
  if (last && now.stats.accepted < last.stats.accepted) {
    last = null // another server, or one that was started again
  }
  const rates = last && ratesOf(now, last)
  tiles(now.stats, rates)
  refusals(now.stats.refused, now.meters)
  showShards(now.shards, last?.shards, rates?.seconds)
  about(now.stats.server)
  sink(now)
  limit(now.stats.scaling)
  const { underWay, recent } = now.stats.scaling
  const seen = JSON.stringify([underWay, recent])
  if (seen !== shownScalings) {
    shownScalings = seen
    scalings(now.stats.scaling)
  }
  last = now
}

let asking = false

async function tick() {
  const began = performance.now()
  try {
    show(await ask())
    connection('live', 'live')
    if (asking) $('access').open = asking = false
  } catch (e) {
    if (e instanceof ApiError && (e.status === 401 || e.status === 403)) {
      connection('refused', 'a token is needed')
      $('access').open = asking = true
    } else {
      if (!(e instanceof ApiError)) console.error(e) // a fault of this page
      connection('lost', 'the server does not answer, trying again')
    }
  }
  setTimeout(tick, Math.max(100, PERIOD_MILLIS - (performance.now() - began)))
}

$('token-form').addEventListener('submit', (event) => {
  event.preventDefault()
  setToken($('token').value)
  $('token').value = ''
  $('access').open = false
})

tick()
