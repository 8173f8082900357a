"""A real server and real load generators: nginx with one worker, wrk and h2load with one thread.

In: a folder of our own. Out: a Server that counts what it served; the generators' figures. Owner: `run`.
"""

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import traffic
from measuring import Failure, Running

CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  server_tokens off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 1m;
  client_body_buffer_size 128k;
  default_type application/json;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{http2_port} http2;
    location = /small {{ return 200 '{{"state":"in stock"}}'; }}
    location /large/ {{ alias {folder}/large/; etag off; max_ranges 0; add_header Last-Modified ""; }}
    location = /upload {{ return 201 '{{"state":"stored"}}'; }}
    location ~ ^/api/v1/items/([0-9]+)$ {{ return 200 '{{"item":$1,"page":$arg_page,"state":"in stock"}}'; }}
  }}
  server {{
    listen 127.0.0.1:{status_port};
    location = /status {{ stub_status; }}
  }}
}}
"""


def find(program):
    """Like a shell's look-up, but also where servers are when one is not root."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Server:
    """nginx on loopback; to be used in a `with`."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "nginx")
        self.port, self.http2_port, self.status_port = free_ports(3)

    def __enter__(self):
        os.makedirs(os.path.join(self.folder, "large"), exist_ok=True)
        for number, body in enumerate(traffic.large_bodies()):
            with open(os.path.join(self.folder, "large", str(number)), "wb") as file:
                file.write(body)
        configuration = os.path.join(self.folder, "nginx.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                folder=self.folder, port=self.port, http2_port=self.http2_port, status_port=self.status_port))
        self.process = subprocess.Popen(
            [find("nginx"), "-p", self.folder, "-c", configuration], stderr=subprocess.DEVNULL)
        limit = time.monotonic() + 10
        while True:
            try:
                self.requests()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > limit:
                    self.__exit__()
                    raise Failure(f"nginx did not start; see {self.folder}/error.log") from None
                time.sleep(0.02)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def requests(self):
        """Requests served so far, this look included."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.status_port}/status", timeout=5) as answer:
            return int(answer.read().decode().split("\n")[2].split()[2])

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


class Load:
    """What a generator says of one run, and what it cost."""

    def __init__(self, requests, seconds, cpu):
        self.requests, self.seconds, self.cpu = requests, seconds, cpu

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def microseconds(self):
        return self.cpu / self.requests * 1e6


def wrk(url, seconds, script=None, connections=64):
    arguments = [find("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s"]
    if script:
        arguments += ["-s", script]
    running = Running(arguments + [url], stdout=subprocess.PIPE)
    text = running.process.stdout.read().decode()
    cost = running.wait()
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
    if not found or int(found[1]) == 0:
        raise Failure(f"wrk said nothing of its requests: {text.strip()[-300:]}")
    errors = re.search(r"Non-2xx.*: (\d+)|Socket errors: .*", text)
    if errors:
        raise Failure(f"wrk met errors: {errors[0]}")
    unit = {"ms": 0.001, "s": 1, "m": 60}[found[3]]
    return Load(int(found[1]), float(found[2]) * unit, cost.cpu)


def h2load(url, requests, connections, streams):
    """HTTP/2 by prior knowledge."""
    running = Running(
        [find("h2load"), f"-n{requests}", f"-c{connections}", f"-m{streams}", url], stdout=subprocess.PIPE)
    text = running.process.stdout.read().decode()
    cost = running.wait()
    found = re.search(r"finished in ([\d.]+)(us|ms|s|m),", text)
    done = re.search(r"(\d+) succeeded", text)
    if not found or not done or int(done[1]) != requests:
        raise Failure(f"h2load did not send all of its requests: {text.strip()[-300:]}")
    unit = {"us": 1e-6, "ms": 0.001, "s": 1, "m": 60}[found[2]]
    return Load(requests, float(found[1]) * unit, cost.cpu)
