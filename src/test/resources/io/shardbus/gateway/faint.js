// Texts that do not stand out from what is behind them by 4.5 to 1, as WCAG 2.2 counts it (1.4.3), with those of charts
// and placeholders; disabled buttons need not.
const rgba = (css) => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d')
  canvas.fillStyle = css
  canvas.fillRect(0, 0, 1, 1)
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
  return [r, g, b, a / 255]
}
const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a))
const luminance = (rgb) => {
  const [r, g, b] = rgb.map(c => c / 255).map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const behind = (e) => {
  if (!e) return rgba('Canvas').slice(0, 3)
  const { backgroundColor, opacity } = getComputedStyle(e)
  const [r, g, b, a] = rgba(backgroundColor)
  return a * opacity === 1 ? [r, g, b] : over([r, g, b, a * opacity], behind(e.parentElement))
}
const faint = []
let seen = 0
const check = (what, e, color) => {
  let opacity = 1
  for (let p = e; p; p = p.parentElement) opacity *= getComputedStyle(p).opacity
  const back = behind(e)
  const [r, g, b, a] = rgba(color)
  const [light, dark] = [luminance(over([r, g, b, a * opacity], back)), luminance(back)].sort((x, y) => y - x)
  seen++
  const ratio = (light + 0.05) / (dark + 0.05)
  if (ratio < 4.5) faint.push(`${what} ${ratio.toFixed(2)}: ${color} on ${back}, ${e.outerHTML.slice(0, 120)}`)
}
for (const e of document.querySelectorAll('body, body *')) {
  if (!e.checkVisibility() || e.disabled) continue
  if ([...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim())) check('text', e, getComputedStyle(e).color)
  for (const pseudo of ['::before', '::after']) {
    const style = getComputedStyle(e, pseudo)
    if (style.content !== 'none') check(pseudo, e, style.color)
  }
  if (e.placeholder) check('placeholder', e, getComputedStyle(e, '::placeholder').color)
  if (e.tagName === 'INPUT') check('input', e, getComputedStyle(e).color)
  if (e.tagName === 'CANVAS') {
    const { plugins, scales } = Chart.getChart(e).options
    check('legend', e, plugins.legend.labels.color)
    Object.values(scales).forEach(scale => check('scale', e, scale.ticks.color))
  }
}
return seen > 60 ? faint : [`only ${seen} texts`]
