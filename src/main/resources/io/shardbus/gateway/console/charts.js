// Charts that follow the colour scheme.
/* global Chart */

import { clock, time } from './format.js'

const LEAST_MILLIS = 300_000 // of time on an axis: a server that has just started has a past without values
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const all = []
const DASHES = [[], [7, 4], [2, 3]] // colour alone does not tell lines apart for everybody

Chart.defaults.font.family = 'system-ui, sans-serif'

/** The size of a point: one without neighbours has no line to be seen by. */
const alone = ({ dataset, dataIndex: i }) => (dataset.data[i - 1]?.y == null && dataset.data[i + 1]?.y == null ? 2 : 0)

/** Whole minutes, of a number that fits. */
function minutes(scale) {
  const step = 60_000 * ([1, 5].find((n) => scale.max - scale.min <= 6 * n * 60_000) ?? 15)
  scale.ticks = []
  for (let at = Math.ceil(scale.min / step) * step; at <= scale.max; at += step) scale.ticks.push({ value: at })
}

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
      tooltip: { callbacks: { title: (items) => time(items[0].parsed.x), label: (item) => `${item.dataset.label}: ${format(item.parsed.y)}` } },
    },
    scales: {
      x: { type: 'linear', afterBuildTicks: minutes, grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 12, callback: clock } },
      y: { beginAtZero: true, ticks: { callback: format, maxTicksLimit: 5, precision } },
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

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => all.forEach(paint))

/** Lines over time. */
export class Lines {
  constructor(canvas, what, format, labels, precision, stepped) {
    Object.assign(this, { canvas, what, format, labels })
    const shape = options(format, precision)
    shape.plugins.legend.display = labels.length > 1
    this.chart = new Chart(canvas, {
      type: 'line',
      data: { datasets: labels.map((label, i) => ({ label, data: [], borderDash: DASHES[i], order: -i, stepped, clip: 8 })) },
      options: shape,
    })
    all.push(this.chart)
    paint(this.chart)
  }

  /** Values that are more than two periods apart have no line between them. */
  show(times, columns, periodMillis) {
    const { data, options } = this.chart
    columns.forEach((column, i) => {
      data.datasets[i].data = times.map((x, at) => ({ x, y: column[at] }))
      data.datasets[i].spanGaps = 2 * periodMillis
    })
    const now = times.at(-1)
    options.scales.x.max = now
    options.scales.x.min = Math.min(times[0], now - LEAST_MILLIS)
    this.chart.update('none')
    const said = this.labels.map((label, i) => `${label} ${this.format(columns[i].at(-1))}`).join(', ')
    this.canvas.setAttribute('aria-label', `${this.what} now: ${said}`)
  }
}
