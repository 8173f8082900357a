"""Saved captures to measure with: the same bytes on every machine and every run.

In: how many exchanges, a path. Out: a pcap file of Ethernet frames as Linux's loopback shows them. Owner: `run`.
Bounds: a few megabytes of memory however many exchanges.

Checksums of TCP are left unfilled, as offload leaves them on loopback. Times are the packets' own, from a fixed start.
"""

import json
import random
import struct

CLIENT = bytes([10, 0, 0, 1])
SERVER = bytes([10, 0, 0, 2])
SERVER_PORT = 8080
START = 1_790_000_000_000_000  # microseconds since the epoch

# A segment on loopback carries up to 64 KB less headers; one on Ethernet the MSS of an MTU of 1500.
LOOPBACK_SEGMENT = 65_483
ETHERNET_SEGMENT = 1_448

SYN, ACK, PSH, FIN = 0x02, 0x10, 0x08, 0x01


class Capture:
    """Writes packets to a classic pcap file of link type Ethernet."""

    def __init__(self, path):
        self.file = open(path, "wb", buffering=1 << 20)
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        self.time = START
        self.identification = 0

    def packet(self, ends, sequence, acknowledgment, flags, payload=b""):
        """`ends`: addresses and ports as they stand in the headers."""
        addresses, ports, address_sum = ends
        self.time += 7
        self.identification = (self.identification + 1) & 0xFFFF
        total = 52 + len(payload)
        checksum = 0x4500 + total + self.identification + 0x4000 + 0x4006 + address_sum
        checksum = (checksum & 0xFFFF) + (checksum >> 16)
        checksum = ~((checksum & 0xFFFF) + (checksum >> 16)) & 0xFFFF
        seconds, micros = divmod(self.time, 1_000_000)
        stamp = self.time // 1000 & 0xFFFFFFFF
        self.file.write(
            struct.pack("<IIII", seconds, micros, 14 + total, 14 + total)
            + b"\0" * 12 + b"\x08\x00"
            + struct.pack(">BBHHHBBH", 0x45, 0, total, self.identification, 0x4000, 64, 6, checksum) + addresses
            + ports
            + struct.pack(">IIBBHHH", sequence & 0xFFFFFFFF, acknowledgment & 0xFFFFFFFF, 0x80, flags, 512, 0, 0)
            + struct.pack(">BBBBII", 1, 1, 8, 10, stamp, stamp)
            + payload)

    def close(self):
        self.file.close()


class Connection:
    """One TCP connection, both of whose ends speak through the capture."""

    def __init__(self, capture, port, segment, random_source):
        self.capture = capture
        self.segment = segment
        self.client = self.ends(CLIENT, SERVER, port, SERVER_PORT)
        self.server = self.ends(SERVER, CLIENT, SERVER_PORT, port)
        self.sent = random_source.getrandbits(32)
        self.answered = random_source.getrandbits(32)
        capture.packet(self.client, self.sent, 0, SYN)
        self.sent += 1
        capture.packet(self.server, self.answered, self.sent, SYN | ACK)
        self.answered += 1
        capture.packet(self.client, self.sent, self.answered, ACK)

    @staticmethod
    def ends(source, destination, source_port, destination_port):
        addresses = source + destination
        return addresses, struct.pack(">HH", source_port, destination_port), sum(struct.unpack(">4H", addresses))

    def request(self, message):
        self.sent = self.send(self.client, self.server, self.sent, self.answered, message)

    def response(self, message):
        self.answered = self.send(self.server, self.client, self.answered, self.sent, message)

    def send(self, ends, other, sequence, acknowledgment, message):
        """A message cut into segments; the other end acknowledges every second full one."""
        if len(message) <= self.segment:
            self.capture.packet(ends, sequence, acknowledgment, PSH | ACK, message)
            return sequence + len(message)
        for number, start in enumerate(range(0, len(message), self.segment)):
            part = message[start:start + self.segment]
            flags = PSH | ACK if start + len(part) == len(message) else ACK
            self.capture.packet(ends, sequence, acknowledgment, flags, part)
            sequence += len(part)
            if number % 2:
                self.capture.packet(other, acknowledgment, sequence, ACK)
        return sequence

    def acknowledge(self):
        self.capture.packet(self.client, self.sent, self.answered, ACK)

    def close(self):
        self.capture.packet(self.client, self.sent, self.answered, FIN | ACK)
        self.capture.packet(self.server, self.answered, self.sent + 1, FIN | ACK)
        self.capture.packet(self.client, self.sent + 1, self.answered + 1, ACK)


def http_date(microseconds):
    seconds = microseconds // 1_000_000 % 86_400
    return b"Mon, 21 Sep 2026 %02d:%02d:%02d GMT" % (seconds // 3600, seconds // 60 % 60, seconds % 60)


def small_exchanges(path, count, connections=64):
    """Small keep-alive exchanges, eleven fields a pair: GETs of many targets, answered as servers.py answers them."""
    source = random.Random(20_260_921)
    capture = Capture(path)
    open_connections = [Connection(capture, 40_000 + n, LOOPBACK_SEGMENT, source) for n in range(connections)]
    agents = [b"okhttp/4.12.0", b"shop-app/7.1 (Android 15)", b"Go-http-client/1.1", b"python-requests/2.32"]
    # Of every two connections one is that of a user who is logged in.
    cookies = [
        b"Cookie: session=%032x\r\n" % source.getrandbits(128) if n % 2 else b"" for n in range(connections)]
    done = 0
    while done < count:
        batch = source.sample(range(connections), min(8, count - done))
        answers = []
        for number in batch:
            item, page, trace = source.randrange(1, 900_000), source.randrange(1, 40), source.getrandbits(64)
            open_connections[number].request(
                b"GET /api/v1/items/%d?page=%d&sort=price HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: %b\r\n"
                b"Accept: application/json\r\nAccept-Encoding: gzip\r\nX-Request-Id: %016x\r\n%b\r\n"
                % (item, page, agents[number % 4], trace, cookies[number]))
            answers.append((number, b'{"item":%d,"page":%d,"state":"in stock"}' % (item, page)))
        date = http_date(capture.time)
        for number, body in answers:
            open_connections[number].response(
                b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: %b\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%b" % (date, len(body), body))
            if source.random() < 0.05:
                open_connections[number].acknowledge()
        done += len(batch)
    for connection in open_connections:
        connection.close()
    capture.close()


def json_body(source, size):
    """Records with a few values that repeat and a few that do not, as order books and logs have them."""
    states = ["packed", "paid", "returned", "sent", "waiting"]
    rows = []
    length = 1
    while length < size:
        row = json.dumps({
            "id": source.getrandbits(40), "customer": source.randrange(100_000), "state": source.choice(states),
            "total": source.randrange(100_000) / 100, "at": 1_790_000_000 + source.randrange(86_400)})
        rows.append(row)
        length += len(row) + 1
    return ("[" + ",".join(rows) + "]").encode()[:size]


def large_posts(path, count, segment, size=64 << 10, connections=16):
    """POSTs of 64 KB on keep-alive connections: by turns JSON, which compresses, and random octets, which do not."""
    source = random.Random(20_260_922)
    capture = Capture(path)
    open_connections = [Connection(capture, 41_000 + n, segment, source) for n in range(connections)]
    for number in range(count):
        connection = open_connections[number % connections]
        if number % 2:
            kind, body = b"application/octet-stream", source.randbytes(size)
        else:
            kind, body = b"application/json", json_body(source, size)
        connection.request(
            b"POST /upload/%d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: okhttp/4.12.0\r\nAccept: */*\r\n"
            b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (number, kind, len(body), body))
        connection.response(
            b"HTTP/1.1 201 Created\r\nServer: nginx\r\nDate: %b\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n" % http_date(capture.time))
    for connection in open_connections:
        connection.close()
    capture.close()
