"""Makes types.protoset and cases.jsonl: messages, and what protobuf's own Python library prints of them.

Run with grpcio-tools installed: python3 make.py. A line of cases.jsonl: the message's type, its bytes in hexadecimal,
and the JSON text that json_format.MessageToJson gives with and without preserving_proto_field_name.
"""

import json
import math
import pathlib
import random

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc
import grpc_tools

HERE = pathlib.Path(__file__).parent
PROTOS = ["shop.proto", "old.proto", "edition.proto"]


def compile_protos():
    include = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{HERE}", f"-I{include}", "--include_imports",
                 f"--descriptor_set_out={HERE / 'types.protoset'}", *PROTOS]
    assert protoc.main(arguments) == 0
    files = descriptor_pb2.FileDescriptorSet.FromString((HERE / "types.protoset").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


def main():
    pool = compile_protos()

    def new(name):
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()

    message_factory.GetMessageClassesForFiles(PROTOS, pool)
    cases = []

    def add(message, parts=None):
        cases.append((message, parts if parts is not None else message.SerializeToString(deterministic=True)))

    add(new("umbra.shop.Scalars"))
    for numbers in [(1, 1), (-1, 7), (2**31 - 1, 2**63 - 1), (-(2**31), -(2**63))]:
        m = new("umbra.shop.Scalars")
        m.an_int32, m.an_int64 = numbers
        m.a_sint32, m.a_sint64, m.a_sfixed32, m.a_sfixed64 = numbers + numbers
        m.a_uint32, m.a_uint64 = numbers[0] % 2**32, numbers[1] % 2**64
        m.a_fixed32, m.a_fixed64 = m.a_uint32, m.a_uint64
        m.a_bool, m.colour, m.maybe, m.maybe_text, m.renamed = True, 1, 0, "", "x"
        m.a_string = 'a "quote", a \\, \u0001, \u007f, \n, \u20ac, \U0001f600, </script>'
        m.some_bytes = bytes(range(256))[: numbers[1] % 5 + 250]
        add(m)
    for real in [1.5, -0.0, 0.1, 1e300, 5e-324, math.inf, -math.inf, math.nan, 123456789.0, 1e16, 1e15, 3.0]:
        m = new("umbra.shop.Scalars")
        m.a_double = real
        m.a_float = real if abs(real) < 1e38 or not math.isfinite(real) else 3.4e38
        add(m)
    for colour in [0, 1, -3, 7]:
        m = new("umbra.shop.Scalars")
        m.colour = colour
        add(m)

    m = new("umbra.shop.Lists")
    m.numbers.extend([0, -1, 300, 2**31 - 1])
    m.reals.extend([0.5, math.inf, 0])
    m.texts.extend(["", "a", "\u00e9"])
    m.scalars.add()
    m.scalars.add().an_int32 = 4
    m.colours.extend([0, 1, -3, 9])
    m.unpacked.extend([-1, 0, 2**62])
    m.flags.extend([True, False])
    m.fixeds.extend([0, 2**32 - 1])
    add(m)
    # A packed field in two parts and one element unpacked.
    add(m, m.SerializeToString() + b"\x08\x05\x0a\x01\x06")
    last = new("umbra.shop.Lists")
    last.MergeFromString(cases[-1][1])
    cases[-1] = (last, cases[-1][1])

    m = new("umbra.shop.Maps")
    m.counts.update({"": 0, "a": 1, "b/c~": -2})
    m.names.update({-(2**63): "low", 5: ""})
    m.scalars[True].a_bool = True
    m.scalars[False].a_bool = False
    m.colours.update({0: 0, 2**32 - 1: 1})
    m.reals.update({-7: 0.25})
    add(m)
    # A key twice, and entries without key or value.
    parts = bytes.fromhex("0a05 0a0161 1001 0a05 0a0161 1002 0a00 0a02 1007 1a00 2200".replace(" ", ""))
    m = new("umbra.shop.Maps")
    m.MergeFromString(parts)
    add(m, parts)

    for kind in range(6):
        m = new("umbra.shop.Choice")
        if kind == 0:
            m.number = 0
        elif kind == 1:
            m.text = ""
        elif kind == 2:
            m.scalars.an_int32 = 1
        elif kind == 3:
            m.nothing = 0
        elif kind == 4:
            inner = m
            for _ in range(20):
                inner = inner.next
            inner.text = "deep"
        add(m)
    # The last member of a oneof counts; a message sent twice is merged.
    for parts in ["0801 120161", "120161 0801", "1a0218051a022007", "0801 1a021805 0802", "2a020801 2a0a 2a08 12066d6572676564"]:
        m = new("umbra.shop.Choice")
        m.MergeFromString(bytes.fromhex(parts.replace(" ", "")))
        add(m, bytes.fromhex(parts.replace(" ", "")))

    def known(**values):
        m = new("umbra.shop.Known")
        json_format.ParseDict(values, m, descriptor_pool=pool)
        add(m)

    for time in ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
                 "2026-11-21T05:06:07.100Z", "2024-02-29T12:00:00.000001Z", "1900-02-28T23:59:59Z",
                 "1969-12-31T23:59:59.5Z", "2000-03-01T00:00:00Z", "2100-12-31T00:00:00Z"]:
        known(time=time, times=[time, "1972-06-30T00:00:00Z"])
    for took in ["0s", "1s", "-1.5s", "0.000000001s", "-0.000001s", "315576000000s", "3.010s"]:
        known(took=took)
    known(mask="userName,address.zipCode,a")
    structure = {"a": 1, "b": [True, None, "x", {"c": {}}, []], "": -0.5, "n": {"n": {"n": None}}}
    known(object=structure, value=structure, list=structure["b"])
    for value in [None, 0, "text", False, [], {}, [[[]]]]:
        known(value=value, list=[value])
    known(empty={}, object={}, list=[], mask="")
    known(aDouble=0, aFloat=0.5, anInt64="0", aUint64="18446744073709551615", anInt32=0, aUint32=7, aBool=False,
          aString="", someBytes="AP8=")
    known(any={"@type": "type.googleapis.com/umbra.shop.Scalars", "anInt32": 3, "colour": "RED"})
    known(any={"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.500s"})
    known(any={"@type": "type.googleapis.com/google.protobuf.Any", "value": {
        "@type": "type.googleapis.com/umbra.shop.Choice", "next": {"text": "inside"}}})
    known(anys={"k": {"@type": "x/umbra.shop.Lists", "numbers": [1]}, "empty": {"@type": "x/google.protobuf.Empty"}})

    m = new("umbra.old.Order")
    m.id, m.note, m.state = 0, "", 1
    m.amounts.extend([1, 2])
    m.packed_amounts.extend([3, 4])
    m.line.name = "group"
    m.line.deep.flag = False
    m.item.add().change = -1
    m.item.add()
    m.Extensions[pool.FindExtensionByName("umbra.old.remark")] = "extended"
    add(m)

    m = new("umbra.edition.Point")
    m.x, m.y = 0, 0
    m.delimited.delimited.y = 5
    m.expanded.extend([1, 2])
    m.packed.extend([3])
    add(m)

    random.seed(20261121)
    for _ in range(40):
        add(randomly(new(random.choice(["umbra.shop.Scalars", "umbra.shop.Lists", "umbra.shop.Maps"]))))

    with open(HERE / "cases.jsonl", "w") as file:
        for message, parts in cases:
            texts = [json_format.MessageToJson(message, indent=None, preserving_proto_field_name=proto,
                                               descriptor_pool=pool) for proto in (False, True)]
            line = {"type": message.DESCRIPTOR.full_name, "bytes": parts.hex(), "json": texts[0], "proto": texts[1]}
            file.write(json.dumps(line) + "\n")


def randomly(message):
    for field in message.DESCRIPTOR.fields:
        if random.random() < 0.5:
            continue
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if is_map:
            key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
            for _ in range(random.randint(0, 3)):
                if value.message_type is not None:
                    getattr(message, field.name)[scalar(key)].an_int32 = 1
                else:
                    getattr(message, field.name)[scalar(key)] = scalar(value)
        elif field.is_repeated:
            for _ in range(random.randint(0, 3)):
                if field.message_type is not None:
                    randomly(getattr(message, field.name).add())
                else:
                    getattr(message, field.name).append(scalar(field))
        else:
            setattr(message, field.name, scalar(field))
    return message


def scalar(field):
    width = random.choice([1, 7, 8, 31, 63])
    number = random.getrandbits(width)
    kinds = descriptor_pb2.FieldDescriptorProto
    if field.type in (kinds.TYPE_DOUBLE, kinds.TYPE_FLOAT):
        return random.choice([random.random(), float(number % 1000), random.uniform(-1e30, 1e30)])
    if field.type == kinds.TYPE_BOOL:
        return random.random() < 0.5
    if field.type == kinds.TYPE_STRING:
        return "".join(random.choice("ab/~\"\\ \u00e9\n") for _ in range(random.randint(0, 6)))
    if field.type == kinds.TYPE_BYTES:
        return random.randbytes(random.randint(0, 9))
    if field.type == kinds.TYPE_ENUM:
        return random.choice([0, 1, -3, 5])
    if field.type in (kinds.TYPE_INT32, kinds.TYPE_SINT32, kinds.TYPE_SFIXED32):
        return number % 2**31 * random.choice([1, -1])
    if field.type in (kinds.TYPE_INT64, kinds.TYPE_SINT64, kinds.TYPE_SFIXED64):
        return number * random.choice([1, -1])
    if field.type in (kinds.TYPE_UINT32, kinds.TYPE_FIXED32):
        return number % 2**32
    return number


main()
