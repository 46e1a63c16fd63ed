// Sends three events by WebSocket with the package ws, waits for their acknowledgements, and closes.
// Usage: node ws.mjs ws://127.0.0.1:8080/v1/ingest?ack=delivered [more events at once with the close]

import WebSocket from 'ws'

const [url, late] = process.argv.slice(2)
const socket = new WebSocket(url, ['shardbus.v1'])
let acked = 0
socket.on('open', () => {
  for (let i = 0; i < 3; i++) socket.send(JSON.stringify({ n: i }))
  if (late) socket.close(4001, 'done') // the acknowledgements are still due
})
socket.on('message', (data) => {
  acked = JSON.parse(data).acked ?? acked
  if (acked === 3 && !late) socket.close(1000)
})
socket.on('close', (code, reason) => console.log(`acked ${acked} protocol ${socket.protocol} closed ${code} ${reason}`))
socket.on('error', (e) => console.log(`error ${e.message}`))
