// What the page needs of /metrics: sums, and counters by one label.

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
}
