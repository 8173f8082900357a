// Where umbra and tshark differ on the corpus, and why umbra's reading is kept.

/// Messages that one of the two does not have.
struct UnderstoodDifference {
  enum Extent {
    /// The beginnings of messages as ``MessageFacts`` has them, `-` before tshark's alone and `+` before umbra's alone.
    case messages([String])
    /// Umbra reads no message of the capture.
    case everything
  }

  var extent: Extent
  var why: String

  init(_ messages: [String], _ why: String) { (extent, self.why) = (.messages(messages), why) }
  init(unread why: String) { (extent, self.why) = (.everything, why) }

  private static let socks = UnderstoodDifference(
    unread: "HTTP within SOCKS: the proxy's own protocol comes first and is not read, so the connection is not HTTP")
  private static let cutHead = "the snap length cut the head: what is there of it is no message, and is counted as cut"
  private static let afterReset =
    "the answer crossed the client's reset; the stream ends with the reset, what comes after it belongs to nobody"
  private static let afterLoss = "tshark reads nothing more of a direction after a lost segment; the message is whole"

  static let all: [String: UnderstoodDifference] = [
    "encap/arkime__socks5-http-302-frag.pcap": socks,
    "encap/zeek__tunnels-socks.pcap": socks,
    "http1/arkime__socks-http-pass.pcap": socks,
    "http1/arkime__socks5-http-302.pcap": socks,
    "http1/zeek__socks.pcap": socks,
    "http1/ndpi__socks.pcapng": UnderstoodDifference(
      ["-GET /", "-302", "-GET /", "-200", "-GET /", "-200", "-GET /", "-200"], socks.why),
    "encap/libpcap__filter-AH-IPcomp-IPv4.pcap": UnderstoodDifference(
      unread: "the packets are compressed (IPComp, RFC 3173), which is not undone"),
    "encap/pcapplusplus__PacketExamples-SllPacket.pcap": UnderstoodDifference(["-200"], cutHead),
    "formats/pcapplusplus__pcapng-example.pcapng": UnderstoodDifference(["-200"], cutHead),
    "http1/community-id__Traces-tcp.pcap": UnderstoodDifference(["-GET /images/sf.net_box.gif", "-200"], cutHead),
    "encap/http1_snaplen_120.pcap": UnderstoodDifference(unread: cutHead),
    "encap/suricata__bug-5437-02.pcap": UnderstoodDifference(
      ["-GET /shell?cd", "-GET /shell?cd", "+GET /shell?cd", "+GET /shell?cd"],
      "the target holds spaces; tshark ends it at the first, this decoder before the version (RFC 9112, 3.2)"),
    "http1/suricata__http-connect-http-connect-tls.pcap": UnderstoodDifference(
      ["-200", "+200"], "a 2xx answer to CONNECT has no body (RFC 9110, 9.3.6): what follows is the tunnel's"),
    "http1/suricata__http-event-chunk.pcap": UnderstoodDifference(
      ["-POST /qwe.asd", "+POST /qwe.asd"],
      "lines end in LF alone and sizes in a space; tshark stops at the second chunk, servers read both"),
    "http1/suricata__http-missing-protocol.pcap": UnderstoodDifference(
      ["-GET /gen.php", "+GET /gen.php"], "a request line without a version is HTTP/0.9, which has no fields"),
    "http1/suricata__http-multiple-cl.pcap": UnderstoodDifference(
      ["-POST /which.php", "-POST /bad.php", "+POST /which.php", "+POST /evil.php"],
      "Content-Length fields that disagree (http1.content-length-differs): either may be meant, the first is taken"),
    "http1/suricata__http1-noint-status.pcap": UnderstoodDifference(
      ["-2"], "the status is no number of three digits (RFC 9112, 4): no status line"),
    "http1/suricata__protocol-change-failed-event.pcap": UnderstoodDifference(
      ["-101"], "the connection speaks SMTP; HTTP/1.1 stands within a line of it"),
    "http1/suricata__security-4710-02.pcap": UnderstoodDifference(
      unread: "a reset stands where the next byte was expected (RFC 5961, 3.2); nothing follows it on a connection"),
    "http1/zeek__http-261-variant-02-cl_uint64max.pcap": UnderstoodDifference(
      ["-GET /smuggled"], "a Content-Length of 2^64-1 is a body to the end; tshark takes it for none"),
    "http1/zeek__http-261-variant-09-te_obs_fold.pcap": UnderstoodDifference(
      ["-POST /", "+POST /", "+GET /smuggled"],
      "a folded field value is read with a space for the fold (RFC 9112, 5.2), so the body is chunked"),
    "http1/zeek__http-content-length-in-request-body.pcap": UnderstoodDifference(
      ["-POST request"], "tshark takes the second segment of a body for a request"),
    "http1/zeek__http-http-lower-case-nonstandard-port.pcap": UnderstoodDifference(
      ["+200"], "the answer's version is in small letters, which tshark does not know"),
    "http1/zeek__http-no-uri.pcap": UnderstoodDifference(
      ["-GET HTTP/1.1"], "the request line has no target: no request line; the answer is shown"),
    "http1/zeek__http-query-method.pcap": UnderstoodDifference(
      ["+QUERY /users"], "the method is not among those tshark knows"),
    "http1/zeek__tls-ssl-to-http-server.pcap": UnderstoodDifference(
      ["-400"], "the client speaks TLS, so the connection is TLS's, which the server did not understand"),
    "http2/deepflow__http-grpc-unknown.pcap": UnderstoodDifference(
      ["+928401: POST"], "joined in the middle: the path is not known, so that tshark names no request"),
    "http2/deepflow__http-http2-multi.pcap": UnderstoodDifference(
      ["+18131981: POST", "+18131983: POST"],
      "joined in the middle: the path is not known, so that tshark names no request"),
    "http2/suricata__app-layer-protocol-exact.pcap": UnderstoodDifference(["-7: 200"], afterReset),
    "http2/h2c_node_node.pcap": UnderstoodDifference(["-15: 200"], afterReset),
    "tls/tls_h2_node_node.pcap": UnderstoodDifference(["-15: 200"], afterReset),
    "http2/arkime__http2-nghttp2.pcap": UnderstoodDifference(
      ["+13: GET /"], "the HEADERS frame goes on in the next segment, and tshark does not put it together"),
    "http2/h2c_nghttp_continuation.pcap": UnderstoodDifference(
      ["+13: GET /index.html", "+15: GET /data.json"], "tshark names no method where CONTINUATION frames end the head"),
    "http1/http1_proxy_connect.pcap": UnderstoodDifference(
      ["+GET /json", "+200", "+GET /status", "+404"], "HTTP within the tunnel of a CONNECT, which tshark does not read"),
    "other/zeek__http-http_09.pcap": UnderstoodDifference(["+GET /zeek.html"], "tshark does not know HTTP/0.9"),
    "other/zeek__http-no-version.pcap": UnderstoodDifference(["+GET /cgi-bin/"], "tshark does not know HTTP/0.9"),
    "tcp/arkime__wireshark-retrans.pcap": UnderstoodDifference(
      ["-200", "-200"], "the second pass tells retransmissions of the same answer again"),
    "tcp/pcapplusplus__unidirectional_tcp_stream_with_missing_packet.pcap": UnderstoodDifference(
      ["+POST /GetSearch"], afterLoss),
    "tcp/suricata__http-gap-double.pcap": UnderstoodDifference(["+200"], afterLoss),
    "tcp/suricata__http-gap-whole-body.pcap": UnderstoodDifference(["+200"], afterLoss),
    "tcp/tcpflow__test5-lines-randomized2.pcapng": UnderstoodDifference(["+200"], afterLoss),
    "tcp/suricata__firewall-tcp-session-decode-malformed-ipv4.pcap": UnderstoodDifference(
      ["+REQ /malformed"], "the method is not among those tshark knows"),
    "tcp/suricata__tcp-urgp-01-oob-tcp-urgent1.pcap": UnderstoodDifference(
      ["+GET /malicXious"], "an urgent byte stands in the request; it is read in its place (RFC 6093, 3.2)"),
    "tcp/zeek__tcp-payload-synack.pcap": UnderstoodDifference(
      ["-GET //index.php"], "the request comes from the end that was connected to, which is the server"),
    "tls/suricata__http2-compression-bug.pcap": UnderstoodDifference(
      [
        "+1: GET", "+1: 200", "+3: POST", "+3: 200", "+5: POST", "+5: 200", "+7: POST", "+7: 200", "+9: POST",
        "+9: 200",
      ], "plain HTTP/2 on port 443, which tshark takes for TLS"),
    "tls/wireshark__rsasnakeoil2.pcap": UnderstoodDifference(
      unread: "read with the server's private key, which a passive tool has no business to hold; no key log is there"),
  ]
}
