// Dead letters.

import { ApiError, getJson, send } from './api.js'
import { $, confirmed, make, say, setText } from './dom.js'
import { count, time } from './format.js'

const SHOWN = 20
let shown = ''

/** A token may do for the numbers, but not for events. */
async function ask() {
  try {
    return await getJson(`v1/dead-letters?limit=${SHOWN}`)
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
  const items = page.deadLetters.map(({ time: at, attempts, cause, of }) =>
    make('li', {},
      make('small', {}, `${time(at)} · ${of.shard}:${of.sequence} · ${attempts} attempts · ${cause}`),
      make('code', {}, 'event' in of ? JSON.stringify(of.event) : (of.text ?? of.base64))))
  $('letters').replaceChildren(...(items.length ? items : [make('li', { class: 'empty' }, 'None.')]))
}

$('replay-button').addEventListener('click', async () => {
  if (!(await confirmed('Hand all dead letters to the sink once more?', 'Replay'))) return
  try {
    const { delivered, deadLettered, kept } = await send('POST', 'v1/dead-letters/replay')
    say(`Replayed: ${count(delivered)} delivered, ${count(deadLettered)} refused again, ${count(kept)} kept.`)
  } catch (e) {
    say(`Not replayed: ${e.message}`, true)
  }
})

$('forget-button').addEventListener('click', async () => {
  if (!(await confirmed('Delete all dead letters for good?', 'Delete'))) return
  try {
    const { removed } = await send('DELETE', 'v1/dead-letters')
    say(`Deleted: ${count(removed)}.`)
  } catch (e) {
    say(`Not deleted: ${e.message}`, true)
  }
})
