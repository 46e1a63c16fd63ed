// Charts of the samples that the server keeps of the last hour.

import { getJson } from './api.js'
import { Lines } from './charts.js'
import { $, make, setText } from './dom.js'
import { count, duration, rate, size } from './format.js'

const seconds = (millis) => duration(millis == null ? null : millis / 1e3)

// Id, title, format, values with their labels; whether the values are whole numbers, of the bus alone, and steps.
const CHARTS = [
  ['rate', 'Events per second', rate, { accepted: 'accepted', delivered: 'delivered', refused: 'refused' }, true],
  ['latency', 'Latency', seconds, { p50Millis: 'median', p99Millis: '99 %', p999Millis: '99.9 %' }],
  ['lag', 'Lag', count, { lag: 'not confirmed', fenced: 'at a fence' }, true],
  ['scaling', 'Active shards', count, { activeShards: 'shards' }, true, true, true],
  ['heap', 'Heap in use', size, { heapBytes: 'bytes' }, false, true],
  ['stored', 'Stored by the sink', size, { storedBytes: 'bytes' }, false, true],
].map(([id, title, format, values, whole, ofBus, stepped]) => {
  const canvas = make('canvas', { id: `${id}-chart`, role: 'img', 'aria-label': `${title}: no values yet` })
  const figure = make('figure', {}, make('h3', {}, title), make('div', { class: 'chart' }, canvas))
  $('charts').append(figure)
  const lines = new Lines(canvas, title, format, Object.values(values), whole ? 0 : undefined, stepped)
  return { figure, lines, names: Object.keys(values), ofBus }
})

let asked = -Infinity
let periodMillis = 0

function offer(shards) {
  const select = $('history-of')
  const now = ['', ...shards].map(String)
  if (now.join() === [...select.options].map((option) => option.value).join()) return
  const chosen = now.includes(select.value) ? select.value : ''
  select.replaceChildren(...now.map((id) => new Option(id === '' ? 'all shards' : `shard ${id}`, id)))
  select.value = chosen
}

function show(bus, shard) {
  for (const { figure, lines, names, ofBus } of CHARTS) {
    const { times, series } = ofBus ? bus : shard
    const columns = names.map((name) => series[name])
    figure.hidden = names[0] === 'storedBytes' && columns[0].every((value) => value == null)
    if (times.length > 0 && !figure.hidden) lines.show(times, columns, bus.periodMillis)
  }
  setText($('history-note'), bus.shardsLeftOut > 0 ? `Without a history of their own: ${count(bus.shardsLeftOut)} shards.` : '')
}

/** Asks when there may be a new sample. */
export async function showHistory() {
  if (performance.now() - asked < periodMillis) return
  const bus = await getJson('v1/history')
  offer(bus.shards)
  const id = $('history-of').value
  show(bus, id === '' ? bus : await getJson(`v1/history?shard=${id}`))
  asked = performance.now()
  periodMillis = bus.times.length > 0 ? bus.periodMillis : 0
}

$('history-of').addEventListener('change', () => (asked = -Infinity))
