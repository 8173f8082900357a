#!/usr/bin/env python3
"""Writes RecordVectors.swift: records of every kind of cipher suite, sealed with python's cryptography and hmac.

In: nothing; the random bytes are seeded, so that two runs agree. Out: Swift source on standard output, to be formatted:
    pip install cryptography
    python3 seal-records.py > RecordVectors.swift && swift format -i RecordVectors.swift
"""

import hashlib
import hmac
import random
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

seeded = random.Random(5)


def random_bytes(count):
    return bytes(seeded.randrange(256) for _ in range(count))


def prf(hash_name, secret, label, seed, length):
    """RFC 5246 section 5."""
    seed = label + seed
    chain, output = seed, b""
    while len(output) < length:
        chain = hmac.new(secret, chain, hash_name).digest()
        output += hmac.new(secret, chain + seed, hash_name).digest()
    return output[:length]


def expand_label(hash_name, secret, label, length):
    """RFC 8446 section 7.1, with an empty context."""
    label = b"tls13 " + label
    info = struct.pack(">HB", length, len(label)) + label + b"\0"
    output, block, index = b"", b"", 1
    while len(output) < length:
        block = hmac.new(secret, block + info + bytes([index]), hash_name).digest()
        output += block
        index += 1
    return output[:length]


def xor_number(iv, sequence):
    return bytes(a ^ b for a, b in zip(iv, bytes(4) + struct.pack(">Q", sequence)))


AEADS = {
    "gcm": AESGCM,
    "ccm": lambda key: AESCCM(key, 16),
    "ccm8": lambda key: AESCCM(key, 8),
    "chacha": ChaCha20Poly1305,
}
SIDES = ("client", "server")
SEQUENCES = {False: (1, 0x0102030405), True: (0, 0x0102030405)}

master, client_random, server_random = random_bytes(48), random_bytes(32), random_bytes(32)
traffic = {"sha256": (random_bytes(32), random_bytes(32)), "sha384": (random_bytes(48), random_bytes(48))}


def request(suite):
    return b"GET /%d HTTP/1.1\r\nHost: example.com\r\n\r\n" % suite


def literal(data):
    digits = data.hex()
    return "\n+ ".join('"%s"' % digits[at : at + 96] for at in range(0, len(digits), 96))


def emit(suite, encrypt_then_mac, side, sequence, payload):
    print(
        "RecordVector(\nsuite: 0x%04X, encryptThenMAC: %s, side: .%s, sequence: %d, contentType: 23,\npayload: %s,\nplaintext: %s),"
        % (suite, str(encrypt_then_mac).lower(), side, sequence, literal(payload), literal(request(suite)))
    )


def tls13(suite, aead, key_length, hash_name):
    for index, side in enumerate(SIDES):
        sequence, secret = SEQUENCES[True][index], traffic[hash_name][index]
        if side == "server":  # after a KeyUpdate
            secret = expand_label(hash_name, secret, b"traffic upd", len(secret))
        key = expand_label(hash_name, secret, b"key", key_length)
        iv = expand_label(hash_name, secret, b"iv", 12)
        inner = request(suite) + b"\x17" + bytes(7 * index)
        length = len(inner) + (8 if aead == "ccm8" else 16)
        header = struct.pack(">BHH", 23, 0x0303, length)
        emit(suite, False, side, sequence, AEADS[aead](key).encrypt(xor_number(iv, sequence), inner, header))


def tls12_aead(suite, aead, key_length, hash_name):
    iv_length = 12 if aead == "chacha" else 4
    block = prf(hash_name, master, b"key expansion", server_random + client_random, 2 * (key_length + iv_length))
    for index, side in enumerate(SIDES):
        sequence, text = SEQUENCES[False][index], request(suite)
        key = block[index * key_length :][:key_length]
        iv = block[2 * key_length + index * iv_length :][:iv_length]
        data = struct.pack(">QBHH", sequence, 23, 0x0303, len(text))
        if aead == "chacha":
            payload = AEADS[aead](key).encrypt(xor_number(iv, sequence), text, data)
        else:
            explicit = random_bytes(8)
            payload = explicit + AEADS[aead](key).encrypt(iv + explicit, text, data)
        emit(suite, False, side, sequence, payload)


def tls12_cbc(suite, key_length, hash_name, mac_name):
    mac_length = hashlib.new(mac_name).digest_size
    block = prf(hash_name, master, b"key expansion", server_random + client_random, 2 * (key_length + mac_length))
    for index, side in enumerate(SIDES):
        for encrypt_then_mac in (False, True):
            sequence, body, iv = SEQUENCES[False][index], request(suite), random_bytes(16)
            mac_key = block[index * mac_length :][:mac_length]
            key = block[2 * mac_length + index * key_length :][:key_length]

            def mac(content):
                header = struct.pack(">QBHH", sequence, 23, 0x0303, len(content))
                return hmac.new(mac_key, header + content, mac_name).digest()

            if not encrypt_then_mac:
                body += mac(body)
            padding = 15 - len(body) % 16 + 48 * index  # the server pads by whole blocks, which no MAC covers
            body += bytes([padding] * (padding + 1))
            encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
            payload = iv + encryptor.update(body) + encryptor.finalize()
            if encrypt_then_mac:
                payload += mac(payload)
            emit(suite, encrypt_then_mac, side, sequence, payload)


def pair(secrets):
    return "(bytes(ofHex: %s), bytes(ofHex: %s))" % tuple(literal(secret) for secret in secrets)


print(
    """// Records of every kind of cipher suite, sealed by another implementation: written by seal-records.py.
// The TLS 1.2 keys come from `master` and the randoms; the TLS 1.3 keys from the traffic secrets by length, the
// server's one KeyUpdate later. The version in every header is 0x0303.

@testable import TLSDecryption

/// One sealed record and what is in it.
struct RecordVector: Sendable {
  let suite: UInt16
  let encryptThenMAC: Bool
  let side: TLSSide
  let sequence: UInt64
  let contentType: UInt8
  let payload: String
  let plaintext: String
"""
)
print("static let master = bytes(ofHex: %s)" % literal(master))
print("static let clientRandom = bytes(ofHex: %s)" % literal(client_random))
print("static let serverRandom = bytes(ofHex: %s)" % literal(server_random))
print("/// Client and server traffic secrets for suites with SHA-256.")
print("static let traffic256 = %s" % pair(traffic["sha256"]))
print("/// Client and server traffic secrets for suites with SHA-384.")
print("static let traffic384 = %s" % pair(traffic["sha384"]))
print("\nstatic let all: [RecordVector] = [")
tls13(0x1301, "gcm", 16, "sha256")
tls13(0x1302, "gcm", 32, "sha384")
tls13(0x1303, "chacha", 32, "sha256")
tls13(0x1304, "ccm", 16, "sha256")
tls13(0x1305, "ccm8", 16, "sha256")
tls12_aead(0xC02F, "gcm", 16, "sha256")
tls12_aead(0xC030, "gcm", 32, "sha384")
tls12_aead(0xC09E, "ccm", 16, "sha256")
tls12_aead(0xC0AD, "ccm", 32, "sha256")
tls12_aead(0xC0AE, "ccm8", 16, "sha256")
tls12_aead(0xC0A1, "ccm8", 32, "sha256")
tls12_aead(0xD005, "ccm", 16, "sha256")
tls12_aead(0xC0B3, "ccm", 32, "sha384")
tls12_aead(0xD003, "ccm8", 16, "sha256")
tls12_aead(0xCCA8, "chacha", 32, "sha256")
tls12_cbc(0xC013, 16, "sha256", "sha1")
tls12_cbc(0xC014, 32, "sha256", "sha1")
tls12_cbc(0xC027, 16, "sha256", "sha256")
tls12_cbc(0x003D, 32, "sha256", "sha256")
tls12_cbc(0xC028, 32, "sha384", "sha384")
print("]\n}")
