const url = 'ws://127.0.0.1:8080/v1/ingest?ack=delivered'
const socket = new WebSocket(url, 'shardbus.v1')
socket.onopen = () => {
  for (let i = 0; i < 1000; i++) socket.send(JSON.stringify({ n: i }))
}
socket.onmessage = ({ data }) => {
  const { acked, rejected } = JSON.parse(data)
  console.log('safe in the log:', acked, 'refused:', rejected ?? 'none')
  const refused = Object.values(rejected ?? {}).reduce((sum, count) => sum + count, 0)
  if (acked + refused === 1000) socket.close()
}
