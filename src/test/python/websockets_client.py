"""Sends events by WebSocket with the package websockets, and closes while acknowledgements are due.

Usage: websockets_client.py ws://127.0.0.1:8080/v1/ingest?ack=delivered
"""

import asyncio
import json
import sys

import websockets


async def main(url):
    async with websockets.connect(url, subprotocols=["shardbus.v1"]) as socket:
        for n in range(100):
            await socket.send(json.dumps({"n": n}))
        acked = 0
        while acked < 100:
            acked = json.loads(await socket.recv())["acked"]
        print("acked", acked, socket.subprotocol)
        await socket.close(4001, "done")
        print("closed", socket.close_code)


asyncio.run(main(sys.argv[1]))
