// Numbers and times for people.

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

export const count = (n) => whole.format(n)

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

const dateAndTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

export const dateTime = (date) => dateAndTime.format(new Date(date))

export const time = (date) => new Date(date).toLocaleTimeString('en-GB')

/** Where an event is, and its key. */
export const headline = (event) =>
  `${time(event.time)} · ${event.shard}:${event.sequence}${event.key == null ? '' : ` · ${event.key}`}`

/** What an event holds, on one line. */
export const payload = (event) => ('event' in event ? JSON.stringify(event.event) : (event.text ?? event.base64))
