// The table of shards.

import { send } from './api.js'
import { $, button, confirmed, make, say, setText } from './dom.js'
import { count, duration, rate } from './format.js'

const rows = new Map()

function cell(label, attributes = {}) {
  return make('td', { role: 'cell', ...(label && { 'data-label': label }), ...attributes })
}

async function remove(id) {
  if (!(await confirmed(`Remove shard ${id}? What it holds is delivered first.`, 'Remove'))) return
  try {
    await send('DELETE', `v1/shards/${id}?wait=false`)
    say(`Shard ${id} is on its way out.`)
  } catch (e) {
    say(`Shard ${id} stays: ${e.message}`, true)
  }
}

function create(id) {
  const bar = make('div')
  const track = make('div', {
    class: 'track', role: 'meter', 'aria-label': `Fill of shard ${id}`, 'aria-valuemin': 0, 'aria-valuemax': 100,
  }, bar)
  const percent = make('span')
  const fence = make('p', { class: 'hint' })
  fence.hidden = true
  const removal = button('Remove', `Remove shard ${id}`, () => remove(id))
  const row = {
    tr: make('tr', { role: 'row', 'data-shard': id }),
    state: cell('State'), rate: cell('Events/s', { class: 'number' }), lag: cell('Lag', { class: 'number' }),
    weight: cell('Weight', { class: 'number' }), sink: cell('Sink'), bar, track, percent, fence, removal,
  }
  const name = cell('Shard')
  name.append(id)
  const fill = cell('Fill of the ring', { class: 'wide' })
  fill.append(make('div', { class: 'fill' }, track, percent), fence)
  const act = cell('')
  act.append(removal)
  row.tr.append(name, row.state, fill, row.rate, row.lag, row.weight, row.sink, act)
  return row
}

/** What a shard's sink does now. It refuses until it takes an event after the last that it refused. */
function sinkState(row, { circuit, failures, deadLettered, delivered }) {
  if (deadLettered > (row.deadLettered ?? (delivered ? deadLettered : 0))) row.refuses = true
  else if (delivered > (row.delivered ?? 0)) row.refuses = false
  Object.assign(row, { deadLettered, delivered })
  if (circuit && circuit !== 'closed') return 'failing'
  return row.refuses ? 'refusing' : failures > 0 ? 'retrying' : 'good'
}

/** How many shards have a sink in this state, as they are shown. */
export const sinksThat = (state) => [...rows.values()].filter((row) => row.sink.textContent === state).length

function update(row, shard, perSecond, equalShare) {
  const full = 100 * shard.fillRatio
  setText(row.state, shard.state)
  row.bar.style.width = `${full}%`
  row.bar.className = full > 90 ? 'bad' : full > 70 ? 'warn' : ''
  row.track.setAttribute('aria-valuenow', full.toFixed(1))
  setText(row.percent, `${full.toFixed(1)} %`)
  setText(row.rate, rate(perSecond))
  row.fence.hidden = !shard.fencedEvents
  setText(row.fence, `${count(shard.fencedEvents)} wait at a fence, oldest ${duration(shard.fenceWaitMillis / 1e3)}`)
  const lag = shard.pendingInRing + shard.inFlight
  setText(row.lag, count(lag))
  row.lag.dataset.value = lag
  setText(row.weight, equalShare > 0 ? (shard.slots / equalShare).toFixed(2) : '–')
  const state = sinkState(row, shard)
  setText(row.sink, state)
  row.sink.className = { good: 'good', retrying: 'warn' }[state] ?? 'bad'
  row.removal.disabled = shard.state !== 'active'
}

/** Shows shards; those before are null at first. */
export function showShards(shards, before, seconds) {
  const active = shards.filter((shard) => shard.state === 'active')
  const equalShare = active.reduce((sum, shard) => sum + shard.slots, 0) / Math.max(1, active.length)
  const old = new Map(before?.map((shard) => [shard.id, shard]))
  for (const shard of shards) {
    let row = rows.get(shard.id)
    if (!row) {
      row = create(shard.id)
      rows.set(shard.id, row)
      $('shard-rows').append(row.tr)
    }
    const then = before ? (old.get(shard.id)?.accepted ?? 0) : null
    update(row, shard, then == null ? null : Math.max(0, shard.accepted - then) / seconds, equalShare)
  }
  const there = new Set(shards.map((shard) => shard.id))
  for (const [id, row] of rows) {
    if (!there.has(id)) {
      row.tr.remove()
      rows.delete(id)
    }
  }
  setText($('shard-count'), `${active.length} active`)
}

$('add-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const n = Number($('add-count').value)
  const what = n === 1 ? 'one shard' : `${n} shards`
  if (!(await confirmed(`Add ${what}?`, 'Add'))) return
  try {
    const added = await send('POST', 'v1/shards', { count: n })
    say(`Added ${n === 1 ? 'shard' : 'shards'} ${added.shards.join(', ')}.`)
  } catch (e) {
    say(`No shard was added: ${e.message}`, true)
  }
})
