// Reads stored events page by page.

import { getText, parseEvents } from './api.js'
import { $, button, make, say, setText } from './dom.js'
import { headline, many, payload } from './format.js'

const LIMIT = 25
const PREVIEW = 120 // characters

// The cursors of the page shown, of those before it, and of the next. The first page has none.
let here = null
let cursors = []
let next = null
let search = new URLSearchParams()

/** JSON as a tree that opens and closes. */
function tree(name, value) {
  const label = name == null ? [] : [make('b', {}, `${name}: `)]
  if (value === null || typeof value !== 'object' || JSON.isRawJSON?.(value)) return make('div', { class: 'leaf' }, ...label, JSON.stringify(value))
  const entries = Object.entries(value)
  const what = Array.isArray(value) ? `[${many(entries.length, 'item')}]` : `{${many(entries.length, 'field')}}`
  const branch = make('details', { open: '' }, make('summary', {}, ...label, what))
  branch.append(...entries.map(([key, each]) => tree(key, each)))
  return branch
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    say('Copied.')
  } catch {
    say('Not copied: the browser does not allow it.', true)
  }
}

function item(event) {
  const text = payload(event)
  const short = text.length > PREVIEW ? `${text.slice(0, PREVIEW)}…` : text
  const line = make('summary', {}, make('small', {}, headline(event)), make('code', {}, short))
  const all = make('details', {}, line)
  // Made when it is looked at: a page of large events is large.
  all.addEventListener('toggle', () => {
    if (!all.open || all.children.length > 1) return
    const { event: json, text: plain, base64, ...about } = event
    all.append(
      make('div', { class: 'tree' }, tree('about', about), json === undefined ? make('pre', {}, plain ?? base64) : tree('event', json)),
      button('Copy', `Copy event ${event.shard}:${event.sequence}`, () => copy(text)))
  })
  return make('li', {}, all)
}

async function show(cursor) {
  const query = new URLSearchParams(search)
  if (cursor) query.set('cursor', cursor)
  try {
    const page = parseEvents(await getText(`v1/events?${query}`))
    $('events').replaceChildren(...page.events.map(item))
    const missed = page.missed ? ` ${many(page.missed, 'event')} before them were deleted.` : ''
    setText($('browse-state'), page.events.length ? `Page ${cursors.length + 1}: ${many(page.events.length, 'event')}.${missed}` : `No event matches.${missed}`)
    next = page.more ? page.cursor : null
  } catch (e) {
    setText($('browse-state'), e.message)
    $('events').replaceChildren()
    next = null
  }
  $('browse-next').disabled = !next
  $('browse-back').disabled = cursors.length === 0
}

$('browse-form').addEventListener('submit', (event) => {
  event.preventDefault()
  search = new URLSearchParams({ limit: LIMIT })
  for (const [name, value] of new FormData($('browse-form'))) {
    if (value.trim()) search.set(name, value.trim())
  }
  cursors = []
  here = null
  show(here)
})

$('browse-next').addEventListener('click', () => {
  cursors.push(here)
  here = next
  show(here)
})
$('browse-back').addEventListener('click', () => {
  here = cursors.pop()
  show(here)
})
