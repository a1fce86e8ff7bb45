# SPDX-License-Identifier: Apache-2.0
"""heapwhy flame: the page, in a browser, and the picture: all is there, nothing in it is run, all adds up."""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
import support  # noqa: E402

WORK = os.path.join(HERE, "flame_work.py")
AGENT = os.path.join(os.path.dirname(os.path.abspath(support.heapwhy_binary())), "src/agent/libheapwhy-agent.so")
BROWSER_TIMEOUT_S = 100
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE_TITLE = "document.title='ran'"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("flame") / "work.hwsnap")
    environment = {"LD_PRELOAD": AGENT, "HEAPWHY_AGENT": "1024"}
    with support.ready_target(support.interpreters()[0], WORK, env=environment) as process:
        support.heapwhy("snapshot", process.pid, "-o", path)
    return path


@pytest.fixture(scope="module")
def page(snapshot):
    path = os.path.join(os.path.dirname(snapshot), "work.html")
    support.heapwhy("flame", snapshot, "-o", path)
    return path


def data_of(page):
    with open(page, encoding="utf-8") as file:
        return json.loads(re.search(r'<script id="profile" type="application/json">\n(.*?)\n</script>', file.read(), re.S).group(1))


def seen(page, tmp_path, words="", script=""):
    """The page's elements after its script ran, and ours behind it."""
    with open(page, encoding="utf-8") as file:
        whole = file.read()
    copy = tmp_path / "page.html"
    copy.write_text(whole.replace("</body>", "<script>%s</script></body>" % script), encoding="utf-8")
    browser = shutil.which("chromium")
    assert browser, "chromium: packages.txt lists it"
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,900",
                           "--user-data-dir=%s" % (tmp_path / "browser"), "--dump-dom", "file://%s#%s" % (copy, words)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=BROWSER_TIMEOUT_S,
                          env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode("utf-8")


def boxes(dom):
    """Titles of all boxes."""
    return [html.unescape(title) for title in re.findall(r'<div class="box[^>]* title="([^"]*)"', dom)]


def test_trees_add_up(page, snapshot):
    sites, data = support.heapwhy_json("sites", "--json", snapshot), data_of(page)
    assert data["measures"] == ["live"] and [tree["direction"] for tree in data["trees"]] == ["callers", "callees"]
    for tree in data["trees"]:
        sizes = tree["bytes"][0]
        assert sizes[0] == sites["bytes"] and tree["blocks"][0][0] == sites["blocks"] and tree["parent"][0] == -1
        below = [0] * len(sizes)
        for node in range(1, len(sizes)):
            assert 0 <= tree["parent"][node] < node
            assert tree["what"][node] < 0 or sizes[node] >= sizes[0] * tree["percent"] / 100
            below[tree["parent"][node]] += sizes[node]
        assert all(inside <= size for inside, size in zip(below, sizes))
        assert not below[0] or below[0] == sizes[0]


def test_a_recording_has_all_measures_and_threads(tmp_path):
    recording, path = str(tmp_path / "work.hwrec"), str(tmp_path / "work.html")
    subprocess.run([support.heapwhy_binary(), "run", "--every", "-o", recording, support.SYSTEM_PYTHON, WORK, "end"], check=True,
                   stdout=subprocess.DEVNULL, env=support.clean_environment())
    support.heapwhy("flame", recording, "-o", path)
    totals, data = support.heapwhy_json("allocations", "--json", recording)["profile"]["totals"], data_of(path)
    assert data["measures"] == ["live", "peak", "allocated", "temporary"] and data["measure"] == "peak"
    assert [tree["direction"] for tree in data["trees"]] == ["callers", "callees", "threads"] and len(data["moments"]) > 1
    for tree in data["trees"]:
        assert [sizes[0] for sizes in tree["bytes"]] == [totals[name]["bytes"] for name in data["measures"]]
    dom = seen(path, tmp_path, "direction=threads&measure=allocated")
    told = boxes(dom)
    assert sum(bool(re.match(r"\S.* [0-9]+\n", title)) for title in told) >= 2, "a box for each thread"
    assert '<option value="allocated">' in dom and "%.1f MB" % (totals["allocated"]["bytes"] / 1e6) in told[0]


def test_the_page_draws_itself_and_runs_no_name(page, tmp_path):
    dom = seen(page, tmp_path)
    assert "<title>%s - heapwhy</title>" % WORK in dom
    told = boxes(dom)
    assert told[0].startswith("all\n") and "100.00 % of all" in told[0]
    assert any(title.startswith("allocate  ") for title in told) and any(HOSTILE_TITLE in title for title in told)
    assert re.search(r'<output id="found"></output>', dom)
    assert not re.search(r"\b(src|href)=", dom), "a page that is complete in itself fetches nothing"


def test_a_search_tells_the_matched_share(page, tmp_path):
    data = data_of(page)
    tree = data["trees"][0]

    def name(node):
        what = tree["what"][node]
        return data["functions"][data["places"][what][0]]["name"] if what >= 0 else ""

    top = [node for node in range(len(tree["parent"])) if name(node) == "twice"]
    share = sum(tree["bytes"][0][node] for node in top) / tree["bytes"][0][0]
    dom = seen(page, tmp_path, "search=twice")
    found = re.search(r'<output id="found">([^<]*)</output>', dom).group(1)
    assert found.startswith("%d boxes: %.2f %%" % (len(top), 100 * share)), found
    assert len(re.findall(r'<div class="box[^"]* found"', dom)) == len(top) > 0


KEYS = """
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const at = () => document.activeElement.title.split("\\n")[0];
const said = [];
document.querySelector(".box").focus();
for (const key of ["ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Enter", "Escape"]) {
  press(key);
  said.push(at(), location.hash, document.querySelectorAll(".box.above").length);
}
press("/");
said.push(document.activeElement.id);
document.getElementById("direction").value = "callees";
document.getElementById("direction").dispatchEvent(new Event("change"));
said.push(document.querySelectorAll(".box")[1].title.split("\\n")[0]);
document.body.dataset.said = JSON.stringify(said);
"""


def test_it_works_from_the_keyboard(page, tmp_path):
    dom = seen(page, tmp_path, script=KEYS)
    said = json.loads(html.unescape(re.search(r'data-said="([^"]*)"', dom).group(1)))
    steps = [said[at:at + 3] for at in range(0, 21, 3)]
    first = steps[0][0]
    assert first not in ("", "all") and steps[1][0] not in ("", first)
    assert [step[0] for step in steps[2:5]] == [first, "all", first]
    assert steps[5][0] == first and "zoom=" in steps[5][1] and steps[5][2] == 1, "Enter looks at a box, below its callers"
    assert "zoom=" not in steps[6][1] and steps[6][2] == 0
    assert said[21] == "search" and said[22] not in ("", "all", first)


def test_the_picture_is_well_formed_and_says_all(snapshot, tmp_path):
    path = tmp_path / "work.svg"
    told = support.heapwhy_json("flame", "--json", snapshot, "--by=function", "--title", "a & b", "-o", path)
    assert told["file"] == str(path) and told["file_bytes"] == path.stat().st_size
    picture = xml.etree.ElementTree.parse(path).getroot()
    assert not picture.findall(".//" + SVG + "script")
    groups = picture.findall(SVG + "g")
    titles = [group.find(SVG + "title").text.split("\n") for group in groups]
    assert titles[0][0] == "all" and "100.00 %" in titles[0][-1]
    assert any(HOSTILE_TITLE in title[0] for title in titles)
    assert any(title[0].startswith("twice") for title in titles)
    rows = [group.find(SVG + "rect") for group in groups]
    width = float(picture.get("width"))
    assert all(float(row.get("x")) + float(row.get("width")) <= width for row in rows)
    assert picture.find(SVG + "text").text.startswith("a & b: in use, ")
    renderer = shutil.which("rsvg-convert")
    assert renderer, "rsvg-convert: packages.txt lists it"
    subprocess.run([renderer, str(path), "-o", str(tmp_path / "work.png")], check=True)
    assert (tmp_path / "work.png").read_bytes().startswith(b"\x89PNG")


def test_wrong_names_are_refused_before_anything_is_read(tmp_path):
    for args in ([], ["-o", str(tmp_path / "work.png")]):
        done = subprocess.run([support.heapwhy_binary(), "flame", "1"] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and ".html" in done.stderr and ".svg" in done.stderr
    assert not os.listdir(tmp_path)
