// Peers written in Python: gRPC's own server and client, a proxy that ends TLS and logs its secrets, and a load within TLS.

import Foundation
import Testing

enum PythonPeer {
  static func has(_ module: String) -> Bool {
    guard let python = program("python3"), let child = try? Child(python, ["-c", "import \(module)"]) else {
      return false
    }
    return child.wait().status == 0
  }

  static func start(_ script: String, _ arguments: [String]) throws -> Child {
    try Child(try #require(program("python3")), ["-c", script] + arguments)
  }

  /// A key and a certificate for shop.example.
  static func certificate(in scratch: Scratch) throws -> (key: String, certificate: String) {
    let (key, certificate) = (scratch.path("key.pem"), scratch.path("cert.pem"))
    let made = try Child(
      try #require(program("openssl")),
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.example",
        "-addext", "subjectAltName=DNS:shop.example", "-keyout", key, "-out", certificate,
      ]
    ).wait()
    try #require(made.status == 0, "\(made.error)")
    return (key, certificate)
  }

  private static let proto = """
    syntax = "proto3";
    package shop;
    message Item { string name = 1; int32 number = 2; }
    service Shop {
      rpc Get(Item) returns (Item);
      rpc Upload(stream Item) returns (Item);
      rpc Download(Item) returns (stream Item);
      rpc Chat(stream Item) returns (stream Item);
      rpc Slow(Item) returns (Item);
      rpc Refuse(Item) returns (Item);
    }
    """

  /// A FileDescriptorSet of the service that ``grpcServer`` has, made by grpcio-tools, beside shop.proto.
  static func descriptors(in scratch: Scratch) throws -> String {
    try scratch.write("shop.proto", proto)
    let types = scratch.path("shop.pb")
    let compiled = try Child(
      try #require(program("python3")),
      [
        "-m", "grpc_tools.protoc", "-I", scratch.url.path, "--include_imports", "--descriptor_set_out=\(types)",
        scratch.path("shop.proto"),
      ]
    ).wait()
    try #require(compiled.status == 0, "\(compiled.error)")
    return types
  }

  /// Port. Echoes what it is asked, as `/shop.Shop/Get`, `Upload`, `Download`, `Chat`, `Slow` and `Refuse`. With another
  /// argument the numbers that Get answers with are 5.
  static let grpcServer = """
    import sys, time, grpc
    from concurrent import futures

    def slow(request, context):
        time.sleep(1)
        return request

    def refuse(request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")

    HANDLERS = {
        "Get": grpc.unary_unary_rpc_method_handler(
            lambda request, context: request if len(sys.argv) < 3 else request[:-1] + bytes([5])),
        "Upload": grpc.stream_unary_rpc_method_handler(lambda requests, context: list(requests)[-1]),
        "Download": grpc.unary_stream_rpc_method_handler(lambda request, context: (request for _ in range(5))),
        "Chat": grpc.stream_stream_rpc_method_handler(lambda requests, context: (request for request in requests)),
        "Slow": grpc.unary_unary_rpc_method_handler(slow),
        "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    }

    class Shop(grpc.GenericRpcHandler):
        def service(self, details):
            return HANDLERS.get(details.method.rsplit("/", 1)[1])

    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Shop()],
        options=[("grpc.max_receive_message_length", 16 << 20), ("grpc.max_send_message_length", 16 << 20)])
    server.add_insecure_port("127.0.0.1:" + sys.argv[1])
    server.start()
    server.wait_for_termination()
    """

  private static let grpcClientOpening = """
    import sys, time, grpc

    def message(text, number):
        text = text.encode()
        length, digits = len(text), b""
        while length > 127:
            digits += bytes([length & 127 | 128])
            length >>= 7
        return b"\\x0a" + digits + bytes([length]) + text + b"\\x10" + bytes([number])

    options = [("grpc.max_receive_message_length", 16 << 20), ("grpc.max_send_message_length", 16 << 20)]
    def connect(own=0):
        extra = options + [("grpc.use_local_subchannel_pool", own)]
        if len(sys.argv) > 3:
            trusted = grpc.ssl_channel_credentials(open(sys.argv[3], "rb").read())
            return grpc.secure_channel(sys.argv[1], trusted, extra + [("grpc.ssl_target_name_override", "shop.example")])
        return grpc.insecure_channel(sys.argv[1], extra)
    channel = connect()
    one = message("apple", 7)

    """

  /// Address, 0, certificate where TLS is wanted. One call of each kind; two in other codings, a large one, one that
  /// takes longer than its deadline, one that is refused: nine.
  static let grpcCalls =
    grpcClientOpening + """
      assert channel.unary_unary("/shop.Shop/Get")(one, timeout=10) == one
      assert channel.stream_unary("/shop.Shop/Upload")(iter([message("n", n) for n in range(4)]), timeout=10) == message("n", 3)
      assert len(list(channel.unary_stream("/shop.Shop/Download")(one, timeout=10))) == 5
      assert len(list(channel.stream_stream("/shop.Shop/Chat")(iter([message("n", n) for n in range(3)]), timeout=10))) == 3
      for coding in [grpc.Compression.Gzip, grpc.Compression.Deflate]:
          long = message("pear " * 100, 8)
          assert channel.unary_unary("/shop.Shop/Get")(long, compression=coding, timeout=10) == long
      large = message("x" * 3000000, 9)
      assert channel.unary_unary("/shop.Shop/Get")(large, timeout=10) == large
      for name, limit in [("Slow", 0.3), ("Refuse", 10)]:
          try:
              channel.unary_unary("/shop.Shop/" + name)(one, timeout=limit)
              assert False
          except grpc.RpcError:
              pass
      time.sleep(0.2)
      channel.close()
      """

  /// Address, file. Calls on one channel: 20, then more until the file is there, then 100 with rising numbers, then one
  /// on a channel of its own, then more on the first. None has a deadline: what is left of it is a field whose words
  /// depend on how busy the machine is, and so would the tables.
  static let grpcLongLived =
    grpcClientOpening + """
      import os
      call = channel.unary_unary("/shop.Shop/Get")
      for _ in range(20):
          call(one)
      print("begun", flush=True)
      while not os.path.exists(sys.argv[2]):
          time.sleep(0.05)
      for number in range(100):
          call(message("n", number))
      second = connect(own=1)
      for _ in range(5):
          second.unary_unary("/shop.Shop/Get")(one)
      for _ in range(10):
          call(message("late", 1))
      second.close()
      channel.close()
      """

  /// Port. Both ends of an HTTP/2 connection of four exchanges and a reset one, with what is legal and seldom: padding,
  /// frames of unknown types, CONTINUATION, PRIORITY, trailers of both sides, 103, tables that grow and shrink.
  static let oddFrames = """
    import socket, struct, sys, threading
    import h2.config, h2.connection, h2.events, h2.settings

    ODD = b"\\x00\\x00\\x05\\xf0\\xff\\x00\\x00\\x00\\x01hello"  # a type that nobody knows

    def serve(listener):
        sock, _ = listener.accept()
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        sock.sendall(connection.data_to_send())
        while data := sock.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.StreamEnded):
                    stream = event.stream_id
                    connection.send_headers(stream, [(":status", "103"), ("link", "</style>")])
                    connection.ping(b"12345678")
                    connection.send_headers(stream, [(":status", "200"), ("x-long", "v" * 40000)])
                    size = 0 if stream % 4 == 1 else 4096
                    connection.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: size})
                    connection.send_data(stream, b"first ", pad_length=200)
                    sock.sendall(connection.data_to_send() + ODD)
                    connection.send_data(stream, b"second")
                    connection.send_headers(stream, [("x-sum", "42")], end_stream=True)
            sock.sendall(connection.data_to_send())
        sock.close()

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    connection.initiate_connection()
    sock.sendall(connection.data_to_send())
    ended = 0
    def wait(count):
        global ended
        while ended < count:
            for event in connection.receive_data(sock.recv(65536)):
                if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                    ended += 1
                if isinstance(event, h2.events.DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            sock.sendall(connection.data_to_send())
    for number in range(4):
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, [
            (":method", "POST"), (":scheme", "http"), (":authority", "shop"), (":path", "/%d" % number),
            ("x-large", "w" * 30000), ("cookie", "a=1"), ("cookie", "b=2")])
        connection.prioritize(stream + 100, weight=3, depends_on=stream)
        sock.sendall(connection.data_to_send() + ODD)
        connection.send_data(stream, b"bo", pad_length=255)
        connection.send_data(stream, b"", pad_length=0)
        connection.send_data(stream, b"dy")
        connection.send_headers(stream, [("x-end", str(number))], end_stream=True)
        connection.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 100 * number})
        sock.sendall(connection.data_to_send())
        wait(number + 1)
    stream = connection.get_next_available_stream_id()
    connection.send_headers(
        stream, [(":method", "GET"), (":scheme", "http"), (":authority", "shop"), (":path", "/reset")])
    connection.reset_stream(stream, error_code=8)
    connection.close_connection()
    sock.sendall(connection.data_to_send())
    sock.close()
    """

  /// Its port, the port behind it, certificate, key, key log, most TLS version (1.2 or 1.3). Offers h2 and HTTP/1.1.
  static let tlsProxy = """
    import socket, ssl, sys, threading
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    context.keylog_filename = sys.argv[5]
    context.maximum_version = ssl.TLSVersion.TLSv1_2 if sys.argv[6] == "1.2" else ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2", "http/1.1"])

    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve(raw):
        try:
            outer = context.wrap_socket(raw, server_side=True)
        except OSError:
            return
        inner = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
        threading.Thread(target=pump, args=(outer, inner), daemon=True).start()
        pump(inner, outer)

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw,), daemon=True).start()
    """

  /// Port, certificate, key, key log, TLS version (1.2 or 1.3), who logs (client or server). Both ends of 2,400 exchanges
  /// at full rate, on 160 connections of 15 each, one after another in eight threads: the log grows all the time. Every
  /// tenth answer has 100,000 bytes. Prints how many were answered.
  static let tlsLoad = """
    import ssl, sys, threading, http.client
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    port, version = int(sys.argv[1]), ssl.TLSVersion.TLSv1_2 if sys.argv[5] == "1.2" else ssl.TLSVersion.TLSv1_3
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(sys.argv[2], sys.argv[3])
    server.minimum_version = server.maximum_version = version
    client.load_verify_locations(sys.argv[2])
    client.check_hostname = False
    (server if sys.argv[6] == "server" else client).keylog_filename = sys.argv[4]

    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 17
        def do_GET(self):
            body = self.path.encode() * (100000 // len(self.path) if self.path.endswith("0") else 1)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *arguments):
            pass

    class Shops(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64
        def finish_request(self, request, address):
            super().finish_request(server.wrap_socket(request, server_side=True), address)

    shops = Shops(("127.0.0.1", port), Shop)
    threading.Thread(target=shops.serve_forever, daemon=True).start()
    answered = []

    def ask(first):
        for number in range(first, first + 20):
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=client, timeout=20)
            for request in range(15):
                connection.request("GET", f"/{number}/{request}")
                answered.append(connection.getresponse().read().startswith(f"/{number}/{request}".encode()))
            connection.close()

    threads = [threading.Thread(target=ask, args=(20 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(answered))
    """
}

/// `umbra capture` on loopback, from the moment on in which it sees packets.
struct LiveCapture {
  let session: String
  private let child: Child

  init(ports: [Int], to session: String, _ arguments: [String] = []) throws {
    self.session = session
    let child = try Child(
      UmbraProcess.binary.path,
      [
        "capture", "-i", "lo", "-p", ports.map(String.init).joined(separator: ","), "-w", session,
        "--progress", "plain",
      ] + arguments)
    let hasBegun = eventually { child.standardError.contains("capturing on lo") }
    try #require(hasBegun, "\(child.standardError)")
    self.child = child
  }

  /// Ends it and gives what it said.
  func end() -> String {
    usleep(500_000)
    child.interrupt()
    let result = child.wait()
    #expect(result.status == 0, "\(result.error)")
    return result.error
  }

  func exchanges(_ arguments: [String] = []) throws -> [[String: Any]] { try shown(session, arguments) }
}

/// A session's exchanges as JSON.
func shown(_ session: String, _ arguments: [String] = []) throws -> [[String: Any]] {
  let result = try UmbraProcess.run(["show", session, "--format", "jsonl"] + arguments)
  #expect(result.status == 0, "\(result.error)")
  return try result.output.split(separator: "\n").map {
    try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
  }
}
