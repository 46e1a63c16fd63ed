// What the page needs of /metrics: histograms, and counters by one label.

export class Scrape {
  #samples = new Map()

  constructor(text) {
    for (const line of text.split('\n')) {
      if (!line.startsWith('shardbus_')) continue
      const space = line.lastIndexOf(' ')
      this.#samples.set(line.slice(0, space), Number(line.slice(space + 1)))
    }
  }

  sum(name, label = '') {
    let sum = 0
    for (const [series, value] of this.#samples) {
      if ((series === name || series.startsWith(name + '{')) && series.includes(label)) sum += value
    }
    return sum
  }

  /** The values of a meter by its reasons. */
  reasons(name) {
    const found = [...this.#samples].filter(([series]) => series.startsWith(`${name}{`))
    return found.map(([series, value]) => [/reason="([^"]+)"/.exec(series)[1], value])
  }

  /** The upper bounds of a histogram with the counts up to each. */
  buckets(name) {
    const counts = new Map()
    for (const [series, value] of this.#samples) {
      if (!series.startsWith(name + '_bucket{')) continue
      const bound = /le="([^"]+)"/.exec(series)[1]
      const key = bound === '+Inf' ? Infinity : Number(bound)
      counts.set(key, (counts.get(key) ?? 0) + value)
    }
    return counts
  }
}

/** A quantile of what came into a histogram between two scrapes; null if that was nothing. */
export function quantile(q, name, before, after) {
  const old = before.buckets(name)
  const bounds = [...after.buckets(name)].map(([le, n]) => [le, n - (old.get(le) ?? 0)]).sort((a, b) => a[0] - b[0])
  const total = bounds.at(-1)?.[1] ?? 0
  if (total <= 0) return null
  let lower = 0
  let below = 0
  for (const [le, n] of bounds) {
    if (n >= q * total) {
      return le === Infinity ? lower : lower + ((le - lower) * (q * total - below)) / Math.max(1, n - below)
    }
    lower = le
    below = n
  }
  return lower
}
