// Dead letters.

import { ApiError, getText, parseEvents, send } from './api.js'
import { $, button, confirmed, make, say, setText } from './dom.js'
import { count, many, payload, time } from './format.js'

const SHOWN = 20
let shown = ''

/** A token may do for the numbers, but not for events. */
async function ask() {
  try {
    return parseEvents(await getText(`v1/dead-letters?limit=${SHOWN}`))
  } catch (e) {
    if (e instanceof ApiError && e.status === 403) return null
    throw e
  }
}

/** Shows the oldest dead letters. The rest of the page does without them, as while their disk is full. */
export async function showLetters() {
  let page
  try {
    page = await ask()
  } catch (e) {
    if (!(e instanceof ApiError)) throw e
    shown = null
    setText($('letter-count'), '')
    $('letters').replaceChildren(make('li', { class: 'empty' }, `Not to be read now: ${e.message}`))
    return
  }
  if (!page) {
    setText($('letter-count'), '')
    $('letters').replaceChildren(make('li', { class: 'empty' }, 'This token may not read events.'))
    return
  }
  setText($('letter-count'), count(page.count))
  $('replay-button').disabled = $('forget-button').disabled = page.count === 0
  const now = page.deadLetters.map((letter) => letter.id).join()
  if (now === shown && $('letters').children.length > 0) return
  shown = now
  const items = page.deadLetters.map(({ id, time: at, attempts, cause, of }) =>
    make('li', {},
      make('small', {}, `${time(at)} · ${of.shard}:${of.sequence} · ${many(attempts, 'attempt')} · ${cause}`),
      make('code', {}, payload(of)),
      make('span', { class: 'acts' },
        button('Replay', `Replay dead letter ${id}`, () => replay('it', { ids: [id] })),
        button('Delete', `Delete dead letter ${id}`, () => remove(`dead letter ${id}`, `/${id}`)))))
  $('letters').replaceChildren(...(items.length ? items : [make('li', { class: 'empty' }, 'None.')]))
}

async function replay(what, body) {
  if (!(await confirmed(`Hand ${what} to the sink once more?`, 'Replay'))) return
  try {
    const { delivered, deadLettered, kept } = await send('POST', 'v1/dead-letters/replay', body)
    say(`Replayed: ${count(delivered)} delivered, ${count(deadLettered)} refused again, ${count(kept)} kept.`)
  } catch (e) {
    say(`Not replayed: ${e.message}`, true)
  }
}

async function remove(what, path) {
  if (!(await confirmed(`Delete ${what} for good?`, 'Delete'))) return
  try {
    const answer = await send('DELETE', `v1/dead-letters${path}`)
    say(`Deleted: ${count(answer?.removed ?? 1)}.`)
  } catch (e) {
    say(`Not deleted: ${e.message}`, true)
  }
}

$('replay-button').addEventListener('click', () => replay('all dead letters'))
$('forget-button').addEventListener('click', () => remove('all dead letters', ''))
