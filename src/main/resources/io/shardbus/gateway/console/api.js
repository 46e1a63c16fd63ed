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

function headers(more) {
  const token = sessionStorage.getItem(TOKEN)
  return token ? { ...more, Authorization: `Bearer ${token}` } : { ...more }
}

async function checked(response) {
  if (response.ok) return response
  let detail = response.statusText
  try {
    detail = (await response.json()).detail ?? detail
  } catch {
    // not a problem document: the status must do
  }
  throw new ApiError(response.status, detail)
}

async function get(path) {
  const options = { headers: headers(), cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MILLIS) }
  return checked(await fetch(at(path), options))
}

export const getJson = async (path) => (await get(path)).json()
export const getText = async (path) => (await get(path)).text()

export async function send(method, path, body) {
  const options = { method, headers: headers(body && { 'Content-Type': 'application/json' }) }
  if (body) options.body = JSON.stringify(body)
  const response = await checked(await fetch(at(path), options))
  const text = await response.text()
  return text ? JSON.parse(text) : null
}

/** Server-sent events; with fetch, because EventSource sends no Authorization header. */
export async function* stream(path, signal, onOpen) {
  const response = await checked(await fetch(at(path), { headers: headers({ Accept: 'text/event-stream' }), signal }))
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
