"""Saved captures to measure with: the same bytes on every machine and every run.

In: how many exchanges, a path. Out: a pcap file of Ethernet frames as Linux's loopback shows them. Owner: `run`.
Bounds: a few megabytes of memory however many exchanges.

Checksums of TCP are left unfilled, as offload leaves them on loopback. Times are the packets' own, from a fixed start.
"""

import json
import os
import random
import ssl
import struct
import subprocess

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


class HTTP2Connection(Connection):
    """The same messages as streams of an HTTP/2 connection, compressed as nghttp2 and others do."""

    def __init__(self, *arguments):
        import hpack  # Only this one needs it.
        super().__init__(*arguments)
        self.stream = -1
        self.encoders = hpack.Encoder(), hpack.Encoder()
        settings = self.frame(4, 0, 0, struct.pack(">HI", 3, 100))
        super().request(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings)
        super().response(settings + self.frame(4, 1, 0, b""))
        super().request(self.frame(4, 1, 0, b""))

    @staticmethod
    def frame(kind, flags, stream, payload):
        return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload

    def request(self, message):
        line, *lines = message.decode().split("\r\n\r\n")[0].split("\r\n")
        method, target, _ = line.split(" ")
        fields = [field.split(": ", 1) for field in lines]
        pseudo = [(":method", method), (":scheme", "http"), (":authority", fields[0][1]), (":path", target)]
        self.stream += 2
        block = self.encoders[0].encode(pseudo + [(name.lower(), value) for name, value in fields[1:]])
        super().request(self.frame(1, 5, self.stream, block))

    def response(self, message):
        head, body = message.split(b"\r\n\r\n", 1)
        line, *lines = head.decode().split("\r\n")
        fields = [(name.lower(), value) for name, value in (field.split(": ", 1) for field in lines)]
        kept = [(":status", line.split(" ")[1])] + [field for field in fields if field[0] != "connection"]
        super().response(
            self.frame(1, 4, self.stream, self.encoders[1].encode(kept)) + self.frame(0, 1, self.stream, body))


class TLSConnection(Connection):
    """The same messages within TLS, AES-128-GCM."""

    def __init__(self, contexts, *arguments):
        super().__init__(*arguments)
        ends = [ssl.MemoryBIO() for _ in range(4)]
        self.outputs = ends[1], ends[3]
        self.inputs = ends[0], ends[2]
        self.sides = (
            contexts[0].wrap_bio(ends[0], ends[1], server_hostname="shop.example"),
            contexts[1].wrap_bio(ends[2], ends[3], server_side=True))
        for _ in range(3):
            for number, side in enumerate(self.sides):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                self.flush(number)

    @staticmethod
    def contexts(folder, log, version):
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             "/CN=shop.example", "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
        client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        server.load_cert_chain(certificate, key)
        server.minimum_version = server.maximum_version = version
        # Concerns TLS 1.2 alone.
        server.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        server.keylog_filename = log
        return client, server

    def flush(self, number):
        """What a side has to say goes to the other, as segments."""
        data = self.outputs[number].read()
        if data:
            (super().response if number else super().request)(data)
            self.inputs[1 - number].write(data)

    def request(self, message):
        self.speak(0, message)

    def response(self, message):
        self.speak(1, message)

    def speak(self, number, message):
        self.sides[number].write(message)
        self.flush(number)
        self.sides[1 - number].read(1 << 16)


def small_exchanges(path, count, connections=64, connect=Connection):
    """Small keep-alive exchanges, eleven fields a pair: GETs of many targets, answered as servers.py answers them."""
    source = random.Random(20_260_921)
    capture = Capture(path)
    open_connections = [connect(capture, 40_000 + n, LOOPBACK_SEGMENT, source) for n in range(connections)]
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


def small_http2_exchanges(path, count):
    small_exchanges(path, count, connect=HTTP2Connection)


def header_blocks(file, connections=50, requests=60):
    """Requests' header blocks as lines of table size, number of fields, hexadecimal; an empty line ends a connection."""
    import hpack  # Only this one needs it.
    source = random.Random(20_260_923)
    for number in range(connections):
        encoder = hpack.Encoder()
        for _ in range(requests):
            fields = [
                (":method", "GET"), (":scheme", "https"), (":authority", "shop.example"),
                (":path", f"/api/v1/items/{source.randrange(1, 900_000)}?page={source.randrange(1, 40)}"),
                ("user-agent", f"shop-app/7.{number} (Android 15)"), ("accept", "application/json"),
                ("accept-encoding", "gzip, br"), ("x-request-id", f"{source.getrandbits(64):016x}"),
                ("cookie", f"session={number:032x}")]
            file.write(f"4096 {len(fields)} {encoder.encode(fields).hex()}\n")
        file.write("\n")


def in_tls(write, path, log, *arguments, version=ssl.TLSVersion.TLSv1_3):
    """What `write` writes, within TLS; the secrets go to `log`."""
    contexts = TLSConnection.contexts(os.path.dirname(path), log, version)
    write(path, *arguments, connect=lambda *ends: TLSConnection(contexts, *ends))


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


def large_bodies(count=16, size=64 << 10):
    """What servers.py serves as /large/0 and so on: JSON, no two the same."""
    source = random.Random(20_260_924)
    return [json_body(source, size) for _ in range(count)]


def large_answers(path, count, connections=16):
    """GETs of large bodies in turn, answered as servers.py answers them."""
    source = random.Random(20_260_925)
    bodies = large_bodies()
    capture = Capture(path)
    open_connections = [Connection(capture, 42_000 + n, LOOPBACK_SEGMENT, source) for n in range(connections)]
    for number in range(count):
        connection, body = open_connections[number % connections], bodies[number % len(bodies)]
        connection.request(
            b"GET /large/%d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: okhttp/4.12.0\r\nAccept: */*\r\n\r\n"
            % (number % len(bodies)))
        connection.response(
            b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%b" % (http_date(capture.time), len(body), body))
    for connection in open_connections:
        connection.close()
    capture.close()


def large_posts(path, count, segment, size=64 << 10, connections=16, connect=Connection):
    """POSTs of 64 KB on keep-alive connections: by turns JSON, which compresses, and random octets, which do not."""
    source = random.Random(20_260_922)
    capture = Capture(path)
    open_connections = [connect(capture, 41_000 + n, segment, source) for n in range(connections)]
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
