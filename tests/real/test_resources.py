# SPDX-License-Identifier: Apache-2.0
"""What `heapwhy resources` says of a process that has something open of every kind."""
import json
import os
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

BOX = "sys.modules['__main__'].box."


class Answer:
    """What the process says of itself, and what heapwhy says."""

    def __init__(self, lines, told):
        self.facts = {fact["name"]: fact for fact in map(json.loads, lines)}
        self.told = told
        self.by_fd = {row["fd"]: row for row in told["descriptors"]}

    def row(self, name):
        return self.by_fd[self.facts[name]["fd"]]

    def rows(self, name):
        return [self.by_fd[fd] for fd in self.facts[name]["fds"]]

    def thread(self, name):
        return next(row for row in self.told["threads"] if row["tid"] == self.facts[name]["tid"])


def look(interpreter, path, *args):
    """The answer from the process itself and from a file are the same but for what moved."""
    lines = []
    with support.ready_target(interpreter, os.path.join(HERE, "open_things.py"), *args,
                              sink=lines.append) as process:
        support.heapwhy("snapshot", "-o", path, process.pid)
        live = support.heapwhy_json("resources", "--json", process.pid)
    told = support.heapwhy_json("resources", "--json", path)
    assert [row["fd"] for row in live["descriptors"]] == [row["fd"] for row in told["descriptors"]]
    return Answer(lines, told)


@pytest.fixture(scope="module", params=support.interpreters(), ids=lambda i: i.name)
def answer(request, tmp_path_factory):
    return look(request.param, str(tmp_path_factory.mktemp("resources") / "open.hwsnap"))


def owner_path(row):
    return row["owner"]["path"]


def test_sockets_have_owners_and_addresses(answer):
    server = answer.row("server")
    assert (server["kind"], server["protocol"], server["state"]) == ("socket", "tcp", "LISTEN")
    assert server["listens"] and server["local"] == answer.facts["server"]["local"]
    assert owner_path(server) == BOX + "server"
    for i, row in enumerate(answer.rows("clients")):
        assert owner_path(row) == BOX + "clients[%d].sock" % i
        assert row["peer"] == answer.facts["clients"]["peer"] and row["state"] == "ESTABLISHED"
    for i, row in enumerate(answer.rows("accepted")):
        assert owner_path(row) == BOX + "accepted[%d]" % i
        assert row["local"] == answer.facts["accepted"]["local"] and "problem" not in row
    assert answer.row("udp")["local"] == answer.facts["udp"]["local"]
    assert answer.row("fresh")["protocol"] == "tcp" and "local" not in answer.row("fresh")
    assert answer.row("unix")["protocol"] == "unix-stream" and answer.row("unix")["listens"]
    assert answer.row("unix")["local"] == answer.facts["unix"]["local"]
    if "six" in answer.facts:
        assert answer.row("six")["protocol"] == "tcp6"
        assert answer.row("six")["local"] == answer.facts["six"]["local"]


def test_files_have_owners(answer):
    for name in ("text", "raw", "gone", "map_file"):
        row = answer.row(name)
        assert (row["kind"], owner_path(row)) == ("file", BOX + name)
        assert row["name"] == answer.facts[name]["file"]
        assert row["deleted"] == (name == "gone")
    assert answer.row("gone")["disk_bytes"] >= 100000
    assert answer.told["deleted_bytes"] >= 100000


def owners_of_file(answer, file):
    return {owner_path(row) for row in answer.told["descriptors"]
            if row.get("name", "").startswith(file) and "owner" in row}


def test_what_c_code_opened_has_owners(answer):
    assert BOX + "map" in owners_of_file(answer, answer.facts["map"]["file"])
    folder = answer.facts["folder"]["file"]
    assert any(row["kind"] == "directory" and row["name"] == folder and
               owner_path(row) == BOX + "scan" for row in answer.told["descriptors"])
    database = answer.facts["database"]["file"]
    files = [row for row in answer.told["descriptors"] if row.get("name", "").startswith(database)]
    assert {row["name"] for row in files} >= {database, database + "-wal", database + "-shm"}
    assert {owner_path(row) for row in files} == {BOX + "database"}


def test_epoll_sets_watch_and_own_nothing_else(answer):
    for name, owner in (("epoll", "epoll"), ("selector", "selector")):
        row = answer.row(name)
        assert (row["kind"], owner_path(row)) == ("epoll", BOX + owner)
        assert answer.by_fd[answer.facts[name]["watches"]]["watchers"] >= 1
    assert owner_path(answer.row("server")) == BOX + "server"


def test_numbers_are_hints_and_no_owners(answer):
    for row in answer.rows("numbers"):
        assert "owner" not in row and row["candidate"] == BOX + "numbers[*]"
    for row in answer.rows("pipe_ints"):
        assert "owner" not in row and row["candidate"] == BOX + "pipe_ints[*]"
    lost = answer.row("lost")
    assert "owner" not in lost and lost["name"] == answer.facts["lost"]["file"]
    unowned = [row for row in answer.told["descriptors"]
               if "owner" not in row and row["fd"] >= 3 and row["steady"]]
    assert answer.told["unowned"] == len(unowned)
    known = set(answer.facts["numbers"]["fds"] + answer.facts["pipe_ints"]["fds"] +
                [answer.facts["lost"]["fd"]])
    assert {row["fd"] for row in unowned} == known | set(answer.facts["inherited"]["fds"])


def test_pipes_of_children(answer):
    sleeper = answer.row("sleeper")
    assert (sleeper["kind"], owner_path(sleeper)) == ("pipe", BOX + "sleeper.stdout")
    assert sleeper["reads"] and not sleeper["writes"]
    assert owner_path(answer.row("connection")) == BOX + "ours"
    children = {row["pid"]: row for row in answer.told["children"]}
    sleeping, zombie = (children[answer.facts[name]["pid"]] for name in ("sleeper", "zombie"))
    assert sleeping["state"] == "S" and sleeping["object"]["path"] == BOX + "sleeper"
    assert zombie["state"] == "Z" and zombie["object"]["path"] == BOX + "zombie"
    assert "problem" in zombie and "problem" not in sleeping


def test_what_should_have_been_closed(answer):
    expected = {"half": "peer", "finished": "child process", "cycle": "cycles",
                "traceback": "traceback"}
    for name, word in expected.items():
        assert word in answer.row(name)["problem"], name
    others = {row["fd"] for row in answer.told["descriptors"] if "problem" in row}
    assert others == {answer.facts[name]["fd"] for name in expected}


def test_threads_say_what_they_wait_for(answer):
    event, lock = answer.thread("wait_event"), answer.thread("wait_lock")
    sock, queue = answer.thread("wait_socket"), answer.thread("wait_queue")
    for row, name in ((event, "wait_event"), (lock, "wait_lock"), (sock, "wait_socket"),
                      (queue, "wait_queue")):
        assert row["place"].startswith(name + "() at open_things.py:")
        assert row["name"] == name and row["daemon"] == answer.facts[name]["daemon"]
        assert row["object"]["type"] == "threading.Thread"
    assert (event["waits"], event["waits_for"]) == ("Event.wait()", BOX + "event")
    assert (queue["waits"], queue["waits_for"]) == ("Queue.get()", BOX + "queue")
    assert (sock["call"], sock["fd"]) == ("recvfrom", answer.facts["pair"]["fd"])
    assert lock["waits"] == "a lock" and lock.get("waits_for", BOX + "lock") == BOX + "lock"


def test_tasks_say_what_they_wait_for(answer):
    tasks = {row["name"]: row for row in answer.told["tasks"]}
    for i in range(5):
        row = tasks["work-%d" % i]
        assert row["coroutine"].startswith("consume() at open_things.py:")
        assert row["place"].startswith("get_job() at open_things.py:")
        assert (row["waits"], row["waits_for"]) == ("Queue.get()", BOX + "jobs")
    assert (tasks["work-5"]["waits"], tasks["work-5"]["waits_for"]) == \
        ("Event.wait()", BOX + "async_event")
    assert tasks["work-6"]["waits"] == "sleep()"
    assert tasks["work-7"]["waits_for"] == BOX + "future"
    assert tasks["work-8"]["waits"] == "StreamReader.read()"
    groups = {row["what"].split(":")[0]: row["count"] for row in answer.told["task_groups"]}
    assert groups["get_job() at open_things.py"] == 5


def test_asyncio_owns_through_its_transports(answer):
    assert owner_path(answer.row("service")) == BOX + "service"
    assert answer.row("stream")["owner"]["type"].endswith("SelectorSocketTransport")


def test_databases(answer):
    rows = {row["object"]["path"]: row for row in answer.told["databases"]}
    assert set(rows) == {BOX + "database", BOX + "memory"}
    assert rows[BOX + "database"]["server"] == answer.facts["database"]["file"]


def test_groups_count_everything_once(answer):
    assert sum(row["count"] for row in answer.told["groups"]) == len(answer.told["descriptors"])
    by_owner = {row["owner"]: row for row in answer.told["groups"]}
    assert by_owner[BOX + "clients[*].sock"]["count"] == 20
    assert answer.told["descriptor_total"] == len(answer.told["descriptors"])


def test_document_is_enough_to_read_the_file(tmp_path):
    """With what docs/snapshot-format.md says alone."""
    sys.path.insert(0, os.path.join(support.TESTS, "format"))
    import second_reader as reader
    path = str(tmp_path / "open.hwsnap")
    told = look(support.interpreters()[0], path).told
    with open(path, "rb") as file:
        rows = reader.read_table(file.read())[0]
    fds = reader.elements(rows["fds"], reader.descriptor)
    assert [(row[0], row[10], row[11], row[12], row[13]) for row in fds] == [
        (row["fd"], row.get("name", ""), row.get("protocol", ""), row.get("local", ""),
         row.get("peer", "")) for row in told["descriptors"]]
    watched = {watch[1] for watch in reader.elements(rows["watches"], reader.watch)}
    assert watched >= {row["fd"] for row in told["descriptors"] if row["watchers"]}
    tasks = reader.elements(rows["tasks"], reader.task)
    assert {task[1] for task in tasks if task[0] == 0} == {row["tid"] for row in told["threads"]}
    assert {task[1] for task in tasks if task[0] == 1} == {row["pid"] for row in told["children"]}


def test_diagnose_doubts_what_nobody_owns(tmp_path):
    """Growth in every interval; not when it ends, as that of a pool does."""
    files = [str(tmp_path / ("%d.hwsnap" % i)) for i in range(4)]
    script = os.path.join(HERE, "opening.py")
    with support.ready_target(support.interpreters()[0], script, 20) as process:
        for path in files[:3]:
            pass_on(process, path)
        support.heapwhy("snapshot", "-o", files[3], process.pid)
        support.heapwhy("snapshot", "-o", str(tmp_path / "4.hwsnap"), process.pid)
    doubts = "\n".join(support.heapwhy_json("diagnose", "--json", *files)["doubts"])
    assert "that no Python object owns became more in every interval: 20 -> 40 -> 60 -> 80" in doubts
    assert "/dev/null" in doubts
    doubts = support.heapwhy_json("diagnose", "--json", *files, tmp_path / "4.hwsnap")["doubts"]
    assert not any("no Python object owns" in doubt for doubt in doubts)


def test_growth(tmp_path):
    interpreter = support.interpreters()[0]
    script = os.path.join(HERE, "opening.py")
    files = [str(tmp_path / name) for name in ("a.hwsnap", "b.hwsnap")]
    with support.ready_target(interpreter, script, 50) as process:
        pass_on(process, files[0])
        pass_on(process, files[1])
    told = support.heapwhy_json("resources", "--json", files[1], files[0])
    rows = {(row["what"], row.get("where", "")): row for row in told["growth"]}
    assert rows["descriptors nobody owns", ""]["delta"] == 50
    assert rows["sockets", ""]["delta"] == 50
    assert rows["tcp, not connected", "sys.modules['__main__'].kept[*]"]["counts"] == [50, 100]
    text = support.heapwhy("resources", *files)
    assert all(len(line) <= 80 for line in text.splitlines())


def pass_on(process, path):
    """A snapshot now; then the program opens as much again."""
    support.heapwhy("snapshot", "-o", path, process.pid)
    os.kill(process.pid, 10)
    process.stdout.readline()


def test_many_descriptors(tmp_path):
    """As many as this machine allows, 100,000 where it does."""
    import resource
    most = 100000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard - 100)
    script = os.path.join(HERE, "opening.py")
    with support.ready_target(support.interpreters()[0], script, most // 2) as process:
        told = support.heapwhy_json("resources", "--json", "--limit", "100", process.pid)
        assert told["descriptor_total"] >= most // 2 * 2
        assert len(told["descriptors"]) == 100
        counts = {row["owner"]: row["count"] for row in told["groups"]}
        assert counts["sys.modules['__main__'].kept[*]"] == most // 2
        assert told["unowned"] == most // 2


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root")
def test_other_namespaces(tmp_path):
    """Addresses are those of the process's own network; names those of its own mounts."""
    python = support.SYSTEM_PYTHON
    script = os.path.join(HERE, "open_things.py")
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
               "ip link set lo up; mount -t proc proc /proc; mount -t tmpfs tmpfs /mnt; cd /mnt;"
               " TMPDIR=/mnt exec %s %s" % (python, script)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            lines = []
            support.wait_until_ready(process, lines.append)
            pid = int(open("/proc/%d/task/%d/children" % (process.pid, process.pid)).read())
            answer = Answer(lines, support.heapwhy_json("resources", "--json", pid))
        finally:
            process.kill()
    assert answer.row("server")["local"] == answer.facts["server"]["local"]
    assert answer.row("text")["name"] == answer.facts["text"]["file"]
    assert answer.facts["text"]["file"].startswith("/mnt/")
    children = {row["pid"]: row for row in answer.told["children"]}
    assert children[answer.facts["zombie"]["pid"]]["object"]["path"] == BOX + "zombie"
    assert answer.thread("wait_event")["waits_for"] == BOX + "event"


def test_old_files_say_that_they_do_not_record_it():
    old = os.path.join(support.TESTS, "data", "golden-1.hwsnap")
    done = subprocess.run([support.heapwhy_binary(), "resources", old], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1 and "does not record" in done.stderr


def test_text_fits(answer, tmp_path):
    """Nothing to read in the JSON alone."""
    assert {row["what"].split("()")[0] for row in answer.told["thread_groups"]} >= {
        "wait_event", "wait_lock", "wait_socket", "wait_queue"}
