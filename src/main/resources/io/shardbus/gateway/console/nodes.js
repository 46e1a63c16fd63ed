// The nodes of the cluster, if there are several.

import { ApiError, getJson } from './api.js'
import { $, make } from './dom.js'
import { count, rate } from './format.js'

let asking = false
let last = new Map()

const number = (text) => make('td', { role: 'cell', class: 'number' }, text)

function row(node, at) {
  const name = make('th', { role: 'rowheader', scope: 'row' }, node.name, node.self ? ' (this one)' : '')
  if (!node.answers) {
    const silent = `does not answer, silent for ${Math.round(node.silentMillis / 1000)} s`
    return make('tr', { role: 'row' }, name, make('td', { role: 'cell', class: 'bad', colspan: 6 }, silent))
  }
  const before = last.get(node.id)
  const per = (name) => before?.answers ? `${rate((1000 * (node[name] - before[name])) / (at - before.at))}` : ''
  const sink = node.sinkFailing ? `${node.sink} fails: ${node.error ?? ''}` : node.sink
  return make('tr', { role: 'row' }, name, number(count(node.shards)), number(per('accepted')), number(per('delivered')),
    number(count(node.refused)), number(count(node.lag)), make('td', { role: 'cell', class: node.sinkFailing ? 'bad' : '' }, sink))
}

/** Not waited for: a node that hangs takes a second. */
export async function showNodes() {
  if (asking) return
  asking = true
  try {
    const { nodes } = await getJson('v1/cluster')
    const at = performance.now()
    $('nodes').hidden = nodes.length < 2
    $('node-rows').replaceChildren(...nodes.map((node) => row(node, at)))
    last = new Map(nodes.map((node) => [node.id, { ...node, at }]))
  } catch (e) {
    if (!(e instanceof ApiError)) console.error(e) // else the page says what is wrong with the server
  } finally {
    asking = false
  }
}
