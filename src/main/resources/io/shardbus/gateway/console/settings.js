// Settings that can change while the server runs.

import { getJson, send } from './api.js'
import { $, make, say } from './dom.js'

const LEVELS = ['off', 'error', 'warn', 'info', 'debug', 'trace']
const GROUPS = [['Limits', 'v1/limits'], ['Scaling policy', 'v1/policy'], ['Log level', 'v1/log-level']]

function input(name, value) {
  if (typeof value === 'boolean') {
    const box = make('input', { name, type: 'checkbox' })
    box.checked = value
    return box
  }
  if (name === 'level') return make('select', { name }, ...LEVELS.map((level) => new Option(level, level, false, level === value)))
  const field = make('input', { name, spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off' })
  field.value = value ?? ''
  return field
}

/** What a field holds, of the type that the setting had. */
function read({ type, checked, value }, before) {
  if (type === 'checkbox') return checked
  return typeof before === 'number' ? Number(value) : value === '' ? null : value
}

async function group(title, path) {
  let settings = await getJson(path)
  const form = make('form', { class: 'fields', 'aria-label': title })
  const fill = () => form.replaceChildren(
    ...Object.entries(settings).map(([name, value]) => make('label', {}, name, input(name, value))),
    make('button', {}, 'Change'))
  fill()
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const changes = {}
    for (const field of form.querySelectorAll('[name]')) {
      const now = read(field, settings[field.name])
      if (now !== (settings[field.name] ?? null)) changes[field.name] = now
    }
    try {
      settings = await send('PATCH', path, changes)
      fill()
      say(`${title} changed: ${Object.keys(changes).join(', ') || 'nothing'}.`)
    } catch (e) {
      say(`Not changed: ${e.message}`, true)
    }
  })
  return [make('h3', {}, title), form]
}

$('settings').addEventListener('toggle', async () => {
  if (!$('settings').open) return
  const groups = await Promise.all(GROUPS.map(([title, path]) =>
    group(title, path).catch((e) => [make('h3', {}, title), make('p', { class: 'hint' }, e.message)])))
  $('settings-forms').replaceChildren(...groups.flat())
})
