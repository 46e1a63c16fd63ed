"""Sends events with aiohttp: kept connections, a body that is a stream, compression both ways, a WebSocket, a tail.

Usage: aiohttp_client.py http://127.0.0.1:8080
"""

import asyncio
import sys

import aiohttp


async def main(url):
    async with aiohttp.ClientSession() as session:
        events = url + "/v1/events"
        async with session.post(events, json={"n": 1}) as answer:
            print("json", answer.status)

        async def lines():
            for n in range(1000):
                yield b'{"n":%d}\n' % n

        kind = {"Content-Type": "application/x-ndjson"}
        async with session.post(events, data=lines(), headers=kind) as answer:
            print("stream", (await answer.json())["accepted"])
        async with session.post(events, data=b"1\n2\n", headers=kind, compress="gzip") as answer:
            print("gzip", (await answer.json())["accepted"])
        async with session.ws_connect(url + "/v1/ingest?ack=delivered", protocols=["shardbus.v1"]) as socket:
            await socket.send_str("1\n2\n3")
            print("acked", (await socket.receive_json())["acked"])
            await socket.close(code=4000)
            print("closed", socket.close_code)
        async with session.get(events + "?limit=1000") as page:
            print("page", page.headers["Content-Encoding"], len((await page.json())["events"]))
        async with session.get(url + "/v1/tail?from=start") as tail:
            line = b""
            while not line.startswith(b"data: {"):
                line = await tail.content.readline()
            print("tail", tail.status)


asyncio.run(main(sys.argv[1]))
