#!/usr/bin/python3
"""A real S3 for tests: OpenStack Swift with s3api, all of it in one process.

    s3_server.py FOLDER [PORT]

Keeps everything in FOLDER, which must be on a file system with extended
attributes; prints its address once it answers, and ends when its parent does.
It checks signatures, lengths and Content-MD5 as S3 does. The access key is
test:tester, the secret key testing, the region us-east-1.
"""
import os
import signal
import sys

import eventlet
import eventlet.wsgi

eventlet.monkey_patch()

from swift.common import ring, utils, wsgi  # noqa: E402  (after the patch)

SWIFT = """[swift-hash]
swift_hash_path_suffix = suffix
swift_hash_path_prefix = prefix
[storage-policy:0]
name = gold
default = yes
"""
STORE = """[DEFAULT]
swift_dir = {etc}
devices = {srv}
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
log_level = CRITICAL
[pipeline:main]
pipeline = {role}-server
[app:{role}-server]
use = egg:swift#{role}
"""
PROXY = """[DEFAULT]
swift_dir = {etc}
log_level = CRITICAL
[pipeline:main]
pipeline = catch_errors listing_formats s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
check_bucket_owner = false
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
"""


class Cache:
    """What memcached would keep: Swift wants one to be there."""

    def __init__(self):
        self.kept = {}

    def get(self, key, *_, **__):
        return self.kept.get(key)

    def set(self, key, value, *_, **__):
        self.kept[key] = value

    def delete(self, key, *_, **__):
        self.kept.pop(key, None)


class WithCache:
    def __init__(self, app):
        self.app, self.cache = app, Cache()

    def __call__(self, env, start_response):
        env["swift.cache"] = self.cache
        return self.app(env, start_response)


def listen(port=0):
    return eventlet.listen(("127.0.0.1", port))


def make_ring(etc, role, port):
    name = os.path.join(etc, role)
    builder = ring.RingBuilder(4, 1, 1)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1",
                     "port": port, "device": "d1", "weight": 1.0,
                     "replication_ip": "127.0.0.1", "replication_port": port,
                     "meta": ""})
    builder.rebalance()
    builder.get_ring().save(name + ".ring.gz")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def serve(socket, app):
    quiet = open(os.devnull, "w", encoding="utf-8")
    eventlet.spawn(eventlet.wsgi.server, socket, app, log=quiet, debug=False,
                   keepalive=True)


def end_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def main():
    end_with_parent()
    folder = os.path.abspath(sys.argv[1])
    etc, srv = os.path.join(folder, "etc"), os.path.join(folder, "srv")
    os.makedirs(etc, exist_ok=True)
    os.makedirs(os.path.join(srv, "d1"), exist_ok=True)
    utils.SWIFT_CONF_FILE = write(os.path.join(etc, "swift.conf"), SWIFT)
    utils.validate_hash_conf()
    sockets = {role: listen() for role in ("account", "container", "object")}
    for role, socket in sockets.items():
        make_ring(etc, role, socket.getsockname()[1])
    for role, socket in sockets.items():
        conf = write(os.path.join(etc, role + ".conf"),
                     STORE.format(role=role, etc=etc, srv=srv))
        serve(socket, wsgi.loadapp(conf))
    conf = write(os.path.join(etc, "proxy.conf"), PROXY.format(etc=etc))
    socket = listen(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    serve(socket, WithCache(wsgi.loadapp(conf)))
    print("http://127.0.0.1:%d" % socket.getsockname()[1], flush=True)
    while True:
        eventlet.sleep(3600)


main()
