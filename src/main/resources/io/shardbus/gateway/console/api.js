// The server's API.

const TOKEN = 'shardbus.token'
const TIMEOUT_MILLIS = 5000

/** The page may be under the prefix of a proxy. */
const at = (path) => new URL(`../${path}`, import.meta.url)

export class ApiError extends Error {
  constructor(status, detail) {
    super(detail)
    this.status = status
  }
}

export function setToken(token) {
  if (token) {
    sessionStorage.setItem(TOKEN, token)
  } else {
    sessionStorage.removeItem(TOKEN)
  }
}

/** A token with characters that no token has could not be sent. Encoded, it is sent, and the server refuses it. */
function headers(more) {
  const token = sessionStorage.getItem(TOKEN)
  return token ? { ...more, Authorization: `Bearer ${encodeURI(token)}` } : { ...more }
}

/** The answer of the server, if it is good. If there is none, the error is that of a proxy. */
async function ask(path, options) {
  const response = await fetch(at(path), options).catch((e) => {
    throw new ApiError(503, `the server does not answer: ${e.message}`)
  })
  if (response.ok) return response
  let detail = response.statusText
  try {
    detail = (await response.json()).detail ?? detail
  } catch {
    // not a problem document: the status must do
  }
  throw new ApiError(response.status, detail)
}

const get = (path) => ask(path, { headers: headers(), cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MILLIS) })

export const getJson = async (path) => (await get(path)).json()
export const getText = async (path) => (await get(path)).text()

/** Keeps numbers as they were sent, such as 12345678901234567890 and 1e400, if the browser can. */
export const parseEvents = (text) => JSON.parse(text, (name, value, { source } = {}) =>
  typeof value === 'number' && JSON.rawJSON && String(value) !== source ? JSON.rawJSON(source) : value)

export async function send(method, path, body) {
  const options = { method, headers: headers(body && { 'Content-Type': 'application/json' }) }
  if (body) options.body = JSON.stringify(body)
  const response = await ask(path, options)
  const text = await response.text()
  return text ? JSON.parse(text) : null
}

/** Server-sent events; with fetch, because EventSource sends no Authorization header. */
export async function* stream(path, signal, onOpen) {
  const response = await ask(path, { headers: headers({ Accept: 'text/event-stream' }), signal })
  onOpen()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  let message = { event: 'message', data: [] }
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const lines = (rest + value).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      if (line === '') {
        yield { ...message, data: message.data.join('\n') }
        message = { event: 'message', data: [] }
        continue
      }
      const colon = line.indexOf(':')
      const field = line.slice(0, colon)
      const text = line.slice(colon + 1).replace(/^ /, '')
      if (field === 'data') message.data.push(text)
      else if (field) message[field] = text
    }
  }
}
