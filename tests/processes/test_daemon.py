"""Programs that become daemons: they fork twice and close all descriptors."""

import os

import pytest

from tests.support.processes import end_of, start

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork"),
]

# What python-daemon does between `DaemonContext()` and the body of its `with`.
DAEMONIZE = """
def close_all(keep=(0, 1, 2)):
    for descriptor in reversed(range(2048)):
        if descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:
                pass
def daemonize():
    # Unlike python-daemon, the parents wait for the daemon, so that the test sees its exit code.
    for step in range(2):
        pid = os.fork()
        if pid:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
        if step == 0:
            os.setsid()
    os.chdir("/")
    os.umask(0)
    close_all()
def refused(call):
    try:
        call()
    except aerospike.ClientError as error:
        return str(error)
    raise AssertionError("not refused")
def read(client):
    assert client.batch_read(keys[:100], _dtype=dtype).batch_records["i"][0] == 5
async def async_read():
    async with aerospike.AsyncClient(config) as client:
        assert (await client.batch_read(keys[:100], _dtype=dtype)).batch_records["i"][0] == 5
"""

PARENT_WORKED = """
client = aerospike.client(config).connect()
client.put(keys[0], {"i": 5})
read(client)
asyncio.run(async_read())
"""


def run(body, server, seconds=60):
    """Runs a program and returns what it printed; it must end well, with nothing on stderr."""
    code, out, err = end_of(start(DAEMONIZE + body, server), seconds)
    assert (code, err) == (0, ""), err
    return out


@pytest.mark.parametrize("before", ["", PARENT_WORKED], ids=["first use", "the parent was connected"])
def test_a_daemon_has_clients_of_its_own(own_node, before):
    out = run(
        before
        + """
with aerospike.client(config).connect() as seed:
    seed.put(keys[0], {"i": 5})
daemonize()
for _ in range(2):
    with aerospike.client(config).connect() as mine:
        read(mine)
    asyncio.run(async_read())
print("fine", flush=True)
""",
        own_node,
    )
    assert out == "fine\n"


def test_a_daemon_drops_what_it_inherited(own_node):
    out = run(
        PARENT_WORKED
        + """
daemonize()
assert "before fork()" in refused(lambda: client.get(keys[0])), "the parent's"
del client
gc.collect()
mine = aerospike.client(config).connect()
read(mine)
print("fine", flush=True)
sys.exit(0)
""",
        own_node,
    )
    assert out == "fine\n"


def test_a_child_that_closes_all_descriptors_at_exit(own_node):
    """os.closerange in a child, after the child has used clients of its own."""
    out = run(
        PARENT_WORKED
        + """
pid = os.fork()
if pid == 0:
    mine = aerospike.client(config).connect()
    read(mine)
    os.closerange(3, 256)
    assert "descriptors" in refused(lambda: read(mine))
    assert "before fork()" in refused(lambda: read(client))
    mine.close()
    with aerospike.client(config).connect() as new:
        read(new)
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
read(client)
print("fine")
""",
        own_node,
    )
    assert out == "fine\n"


@pytest.mark.parametrize("wait", [0, 2.5], ids=["at once", "after the runtime has noticed"])
def test_descriptors_closed_under_a_client(own_node, wait):
    out = run(
        PARENT_WORKED
        + f"""
query = client.query("test", "s")
os.closerange(3, 256)
time.sleep({wait})
for call in (lambda: read(client), lambda: client.get(keys[0]), client.is_connected, client.connect,
             client.get_node_names, query.results):
    assert "make a new one" in (message := refused(call)), message
    assert "descriptors of this process were closed" in message, message
client.close()
client.close()
with aerospike.client(config).connect() as new:
    read(new)
    asyncio.run(async_read())
    time.sleep({wait})
    read(new)
    del client, query
    gc.collect()
print("fine")
""",
        own_node,
    )
    assert out == "fine\n"


@pytest.mark.parametrize("order", ["", "reverse=True"], ids=["upwards", "downwards"])
def test_descriptors_closed_under_calls_in_progress(own_node, order):
    """One by one, so that the calls look at their runtimes in between."""
    own_node.inject("late", command="read", seconds=5)
    own_node.inject("late", command="write", seconds=5)
    out = run(
        f"""
client = aerospike.client(config).connect()
policy = {{"total_timeout": 20_000, "max_retries": 0}}
errors = {{}}
def call(name, function):
    try:
        function()
    except aerospike.ClientError as error:
        errors[name] = error
calls = dict(get=lambda: client.get(keys[0], policy),
             put=lambda: client.put(keys[0], {{"i": 1}}, policy=policy),
             add=lambda: client.increment(keys[0], "i", 1, policy=policy))
threads = [threading.Thread(target=call, args=item) for item in calls.items()]
for thread in threads: thread.start()
time.sleep(0.5)
for descriptor in sorted(map(int, os.listdir("/proc/self/fd")), {order or "reverse=False"}):
    if descriptor > 2:
        try:
            os.close(descriptor)
        except OSError:
            pass
        time.sleep(0.08)
for thread in threads: thread.join(10)
assert sorted(errors) == ["add", "get", "put"], errors
assert all("descriptors of this process were closed" in str(error) for error in errors.values()), errors
# Whether the writes were applied is not known.
assert {{name: error.in_doubt for name, error in errors.items()}} == dict(get=False, put=True, add=True)
client.close()
with aerospike.client(config).connect() as new:
    new.batch_read(keys[:100], _dtype=dtype)
print("fine")
""",
        own_node,
    )
    assert out == "fine\n"


@pytest.mark.parametrize("ending", ["client.close()", "del client; gc.collect()", "pass", "sys.exit(7)"])
def test_the_program_ends_normally(own_node, ending):
    process = start(DAEMONIZE + PARENT_WORKED + f"os.closerange(3, 256)\n{ending}\n", own_node)
    code, out, err = end_of(process)
    assert (code, out, err) == (7 if "7" in ending else 0, "", "")


def test_numbers_that_belong_to_other_files_now(own_node):
    """Files opened after the descriptors were closed have their numbers: the client must not close them."""
    out = run(
        PARENT_WORKED
        + """
os.closerange(3, 256)
files = [open("/dev/null") for _ in range(60)]
refused(lambda: read(client))
client.close()
del client
gc.collect()
time.sleep(2.5)
with aerospike.client(config).connect() as new:
    read(new)
for file in files:
    os.fstat(file.fileno())
    file.close()
print("fine")
""",
        own_node,
    )
    assert out == "fine\n"


def test_threads_of_their_own_and_loops(own_node):
    """Runtimes of threads, and a loop that outlives its descriptors."""
    out = run(
        PARENT_WORKED
        + """
ready, closed = threading.Barrier(3), threading.Event()
messages = []
def work():
    read(client)
    ready.wait()
    closed.wait()
    messages.append(refused(lambda: read(client)))
    with aerospike.client(config).connect() as mine:
        read(mine)
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
ready.wait()
os.closerange(3, 256)
closed.set()
for thread in threads: thread.join()
assert len(messages) == 2 and all("descriptors" in message for message in messages), messages
print("fine")
""",
        own_node,
    )
    assert out == "fine\n"
