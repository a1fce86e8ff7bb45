# SPDX-License-Identifier: Apache-2.0
"""paths, owners and what is ignored, on a program whose places are known."""
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

ITEMS = 500 * 3 + 70 + 3000 + 11 + 30 * 3 + 5 * 40 + 1
MAIN = "sys.modules['__main__']"
PATHS = {
    MAIN + ".sessions[*].items[*]": 1000,
    MAIN + ".sessions[*].waiting[*]": 500,
    MAIN + ".Registry.known[*]": 70,
    MAIN + ".chain.next+.item": 2998,
    MAIN + ".state.items[*]": 11,
    "<worker() at merged.py>.mine[*]": 90,
    "<coroutine serve() at merged.py>.own[*]": 200,
}
OWNERS = {
    "__main__.Session.items": 1000,
    "__main__.Session.waiting": 500,
    "__main__.Registry.known": 70,
    "__main__.Slotted.item": 3000,
    "<worker() at merged.py>.mine": 90,
    "<coroutine serve() at merged.py>.own": 200,
}


@pytest.fixture(scope="module", params=support.interpreters(), ids=lambda one: one.name)
def target(request):
    with support.ready_target(request.param, os.path.join(HERE, "merged.py")) as process:
        yield process


def counts(answer, rows, name):
    """A frame's operand stack may hold one more item for a moment: places are looked up, not
    compared as a whole."""
    assert answer["objects"] == ITEMS
    found = {}
    for row in answer[rows]:
        found[row[name]] = found.get(row[name], 0) + row["objects"]
    assert sum(found.values()) + answer["unheld"]["objects"] == ITEMS
    return found


def test_every_object_is_on_the_path_where_it_is(target):
    found = counts(support.heapwhy_json("paths", "--json", target.pid, "__main__.Item"), "paths", "path")
    assert {path: found.get(path) for path in PATHS} == PATHS


def test_every_object_has_the_owner_that_it_has(target):
    answer = support.heapwhy_json("owners", "--json", target.pid, "__main__.Item")
    found = counts(answer, "owners", "owner")
    assert {owner: found.get(owner) for owner in OWNERS} == OWNERS
    shared = [row for row in answer["owners"] if row["shared"]]
    assert sum(row["objects"] for row in shared) >= 1


def test_the_tail_is_one_line(target):
    text = support.heapwhy("paths", target.pid, "str", "--limit", "3")
    assert "other paths; --all shows all" in text


LEAK = """
import time
class Session:
    pass
cache = {}
print("READY", flush=True)
while True:
    cache[len(cache)] = Session()
    time.sleep(0.005)
"""


@pytest.fixture(scope="module")
def leak(tmp_path_factory):
    script = tmp_path_factory.mktemp("leak") / "leak.py"
    script.write_text(LEAK)
    with support.ready_target(support.interpreters()[0], str(script)) as process:
        yield process


def diagnose(process, *args, env=None):
    command = [support.heapwhy_binary(), "--json", "--exit-code", "-i", "1s", str(process.pid), *args]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, **(env or {})), timeout=support.HEAPWHY_TIMEOUT_S)


def test_what_is_ignored_is_no_leak_for_a_script(leak, tmp_path):
    assert diagnose(leak).returncode == 3
    assert diagnose(leak, "--ignore", "__main__.Other").returncode == 3
    assert diagnose(leak, "--ignore", "__main__.Sess*").returncode == 0
    rules = tmp_path / "rules"
    rules.write_text("# known\nignore sys.modules['__main__'].cache because it is the test's\n")
    done = diagnose(leak, env={"HEAPWHY_RULES": str(rules)})
    assert done.returncode == 0
    assert '"reason": "it is the test\'s"' in done.stdout
    assert diagnose(leak, "--rules", str(rules)).returncode == 0


def test_a_wrong_rule_is_named_before_anything_is_looked_at(tmp_path):
    rules = tmp_path / "rules"
    rules.write_text("ignore app.A because b\nforget app.B because c\n")
    command = [support.heapwhy_binary(), "4194305", "--rules", str(rules)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "%s:2: unknown word 'forget'" % rules in done.stderr
