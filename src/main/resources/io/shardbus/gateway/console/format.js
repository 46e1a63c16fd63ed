// Numbers and times for people.

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

export const count = (n) => (n == null ? '–' : whole.format(n))

/** A number of things. */
export const many = (n, thing) => `${count(n)} ${thing}${n === 1 ? '' : 's'}`

export function rate(perSecond) {
  if (perSecond == null) return '–'
  if (perSecond >= 1e6) return `${short.format(perSecond / 1e6)} M`
  if (perSecond >= 1e4) return `${short.format(perSecond / 1e3)} k`
  return whole.format(Math.round(perSecond))
}

export function duration(seconds) {
  if (seconds == null) return '–'
  if (seconds === 0) return '0'
  if (seconds >= 1) return `${short.format(seconds)} s`
  if (seconds >= 1e-3) return `${short.format(seconds * 1e3)} ms`
  return `${short.format(seconds * 1e6)} µs`
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

export function bytes(n) {
  const unit = Math.min(UNITS.length - 1, n < 1 ? 0 : Math.floor(Math.log2(n) / 10))
  return `${short.format(n / 1024 ** unit)} ${UNITS[unit]}`
}

/** Bytes by powers of ten, as the steps of an axis. */
export function size(n) {
  if (n == null) return '–'
  const power = Math.min(4, n < 1 ? 0 : Math.floor(Math.log10(n) / 3))
  return `${short.format(n / 1000 ** power)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`
}

/** The largest two units of a time. */
export function span(seconds) {
  const parts = [[86_400, 'd'], [3_600, 'h'], [60, 'min'], [1, 's']]
  const first = parts.findIndex(([unit]) => seconds >= unit)
  const shown = parts.slice(first < 0 ? 3 : first).slice(0, 2)
  return shown.map(([unit, name], i) => `${Math.floor((i ? seconds % shown[0][0] : seconds) / unit)} ${name}`).join(' ')
}

const dateAndTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

export const dateTime = (date) => dateAndTime.format(new Date(date))

export const time = (date) => new Date(date).toLocaleTimeString('en-GB')

/** The time of day without seconds. */
export const clock = (date) => time(date).slice(0, 5)

/** Where an event is, and its key. */
export const headline = (event) =>
  `${time(event.time)} · ${event.shard}:${event.sequence}${event.key == null ? '' : ` · ${event.key}`}`

/** What an event holds, on one line. */
export const payload = (event) => ('event' in event ? JSON.stringify(event.event) : (event.text ?? event.base64))
