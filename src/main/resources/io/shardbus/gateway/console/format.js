// Numbers and times for people.

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

export const count = (n) => whole.format(n)

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
