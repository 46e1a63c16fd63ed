// Small helpers for the document.

export const $ = (id) => document.getElementById(id)

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

export function button(text, label, act) {
  const element = make('button', { type: 'button', 'aria-label': label }, text)
  element.addEventListener('click', act)
  return element
}

/** Sets a text only if it is new, so that a selection or a screen reader is not disturbed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

let hiding
export function say(text, bad = false) {
  const message = $('message')
  message.textContent = text
  message.classList.toggle('bad', bad)
  message.hidden = false
  clearTimeout(hiding)
  hiding = setTimeout(() => (message.hidden = true), 6000)
}

/** Asks, and resolves to whether the answer was yes. */
export function confirmed(question, yes) {
  const dialog = $('confirm')
  $('confirm-text').textContent = question
  $('confirm-yes').textContent = yes
  dialog.returnValue = 'no'
  dialog.showModal()
  return new Promise((resolve) =>
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }))
}

/** Rows of a description list, made once and updated in place. */
export function rows(list, entries) {
  entries.forEach(([name, text, level = '', raw = ''], i) => {
    if (!list.children[2 * i]) list.append(make('dt'), make('dd'))
    setText(list.children[2 * i], name)
    const value = list.children[2 * i + 1]
    setText(value, text)
    value.className = level
    value.dataset.value = raw
  })
  while (list.children.length > 2 * entries.length) list.lastChild.remove()
}
