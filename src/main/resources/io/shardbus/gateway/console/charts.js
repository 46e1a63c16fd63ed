// Charts that follow the colour scheme.
/* global Chart */

import { duration, rate, time } from './format.js'

const POINTS = 120
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const all = []
const DASHES = [[], [7, 4], [2, 3]] // colour alone does not tell lines apart for everybody

Chart.defaults.font.family = 'system-ui, sans-serif'

/** The size of a point: one without neighbours has no line to be seen by. */
const alone = ({ dataset, dataIndex: i }) => (dataset.data[i - 1] == null && dataset.data[i + 1] == null ? 2 : 0)

/** With the precision 0, an axis has whole numbers only. */
function options(format, precision) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: 'index', intersect: false },
    elements: { point: { radius: alone }, line: { borderWidth: 2 } },
    plugins: {
      legend: { position: 'bottom', labels: { boxWidth: 24, boxHeight: 0, sort: (a, b) => a.datasetIndex - b.datasetIndex } },
      tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${format(item.parsed.y)}` } },
    },
    scales: {
      x: { grid: { display: false }, ticks: { maxTicksLimit: 5, maxRotation: 0 } },
      y: { beginAtZero: true, ticks: { callback: format, maxTicksLimit: 6, precision } },
    },
  }
}

function paint(chart) {
  chart.data.datasets.forEach((set, i) => {
    set.borderColor = set.backgroundColor = css(`--series-${i + 1}`)
  })
  chart.options.plugins.legend.labels.color = css('--text')
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks.color = css('--soft')
    scale.grid.color = css('--line')
    scale.border = { color: css('--line') }
  }
  chart.update('none')
}

function create(canvas, config) {
  const chart = new Chart(canvas, config)
  all.push(chart)
  paint(chart)
  return chart
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => all.forEach(paint))

/** Lines over the last two minutes. */
export class Lines {
  constructor(canvas, what, format, labels, precision) {
    this.canvas = canvas
    this.what = what
    this.format = format
    this.labels = labels
    this.chart = create(canvas, {
      type: 'line',
      data: { labels: [], datasets: labels.map((label, i) => ({ label, data: [], borderDash: DASHES[i], order: -i })) },
      options: options(format, precision),
    })
  }

  add(now, values) {
    const { labels, datasets } = this.chart.data
    labels.push(time(now))
    values.forEach((value, i) => datasets[i].data.push(value))
    if (labels.length > POINTS) {
      labels.shift()
      datasets.forEach((set) => set.data.shift())
    }
    this.chart.update('none')
    const said = this.labels.map((label, i) => `${label} ${this.format(values[i])}`).join(', ')
    this.canvas.setAttribute('aria-label', `${this.what} now: ${said}`)
  }
}

export const rateLines = (canvas) => new Lines(canvas, 'Events per second', rate, ['accepted', 'delivered', 'refused'], 0)
export const latencyLines = (canvas) => new Lines(canvas, 'Latency', duration, ['median', '99 %', 'sink, 99 %'])

/** The number of active shards over time, as steps. */
export class Steps {
  constructor(canvas) {
    this.canvas = canvas
    const base = options((n) => n, 0)
    base.scales.x = { type: 'linear', grid: { display: false }, ticks: { maxTicksLimit: 5, maxRotation: 0, callback: time } }
    base.plugins.tooltip.callbacks.title = (items) => time(items[0].parsed.x)
    base.elements.point.radius = 3
    this.chart = create(canvas, {
      type: 'line',
      data: { datasets: [{ label: 'active shards', data: [], stepped: true }] },
      options: base,
    })
    this.began = Date.now()
  }

  show(history, active, now) {
    const done = history.filter((entry) => entry.outcome === 'done')
    const points = done.map((entry) => ({ x: Date.parse(entry.at), y: entry.active }))
    const first = done[0]
    const before = first ? first.active + (first.direction === 'up' ? -1 : 1) * first.shards.length : active
    points.unshift({ x: Math.min(this.began, (points[0]?.x ?? now) - 10_000), y: before })
    points.push({ x: now, y: active })
    this.chart.data.datasets[0].data = points
    this.chart.options.scales.x.min = points[0].x
    this.chart.options.scales.x.max = now
    this.chart.update('none')
    this.canvas.setAttribute('aria-label', `Active shards over time, now ${active}`)
  }
}
