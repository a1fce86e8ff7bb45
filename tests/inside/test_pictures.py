# SPDX-License-Identifier: Apache-2.0
"""Pictures: what they show, that graphviz draws them, and what happens without it."""
import gc
import io
import re
import shutil
import subprocess

import pytest

import heapwhy
from heapwhy.compat import objgraph

needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is missing")


class Hub:
    def __init__(self):
        self.peers = {}


class Peer:
    def __init__(self, hub):
        self.hub = hub

    def __del__(self):
        pass


@pytest.fixture
def hub():
    hub = Hub()
    for i in range(40):
        hub.peers["peer-%d" % i] = Peer(hub)
    hub.peers["again"] = hub.peers["peer-7"]
    return hub


def test_edges_bear_all_their_names(hub):
    dot = heapwhy.show_backrefs(hub.peers["peer-7"], max_depth=1).dot
    assert '[label="[\'peer-7\']\\nagain"]' in dot
    dot = heapwhy.show_refs(hub.peers, max_depth=1, too_many=100).dot
    assert ">[&#x27;peer-7&#x27;] again<" in dot
    assert ">[&#x27;peer-8&#x27;]<" in dot


def test_many_ends_stand_in_a_box():
    many = {"key%d" % number: Hub() for number in range(30)}
    dot = heapwhy.show_refs(many, max_depth=1, too_many=100).dot
    assert re.findall(r"^  (\w+) -> (\w+)", dot, re.M) == [("n0", "box_n0")]
    assert dot.count("<b>Hub</b>") == 30
    dot = heapwhy.show_refs(many, max_depth=2, too_many=100, max_nodes=31).dot
    assert dot.count("<b>Hub</b>") == 30 and dot.count(" more: ") == 30
    few = {"key%d" % number: Hub() for number in range(5)}
    assert "box_" not in heapwhy.show_refs(few, max_depth=1).dot
    shared = [[one] for one in [Hub()] * 30]  # each leads on
    assert "box_" not in heapwhy.show_refs(shared, max_depth=2, too_many=100).dot


@needs_dot
def test_a_wide_picture_is_no_tower():
    many = {number: Hub() for number in range(300)}
    svg = heapwhy.show_refs(many, too_many=400).render("svg").decode()
    width, height = map(int, re.search(r'width="(\d+)pt" height="(\d+)pt"', svg).groups())
    assert height < width


def test_objects_without_a_place_are_counted():
    many = [Hub() for _ in range(30)]
    assert "10 more objects that were asked about" in heapwhy.show_refs(many, max_depth=0, max_nodes=20).dot
    assert "asked about" not in heapwhy.show_refs(many, max_depth=0).dot


def test_what_is_left_out_is_counted(hub):
    picture = heapwhy.show_refs(hub.peers, max_depth=1, too_many=5)
    assert picture.nodes == 6 and "35 more: 35 Peer" in picture.dot  # one of 40 twice
    assert heapwhy.show_refs(hub.peers, max_depth=1, too_many=100, max_nodes=11).nodes == 11


def test_finalizers_and_roots_stand_out(hub):
    peer = hub.peers["peer-7"]
    dot = heapwhy.show_backrefs(peer, max_depth=2).dot
    (line,) = re.findall(r"^  n0 .*$", dot, re.M)
    assert "__del__" in line and "penwidth=2" in line
    assert "__del__" not in heapwhy.show_refs(len).dot


def test_nothing_of_our_own_is_shown():
    obj = Hub()
    outer = (lambda value: [{"key": [value]}])(obj)
    assert heapwhy.show_backrefs(obj, max_depth=9).nodes == 4
    text = io.StringIO()
    objgraph.show_backrefs([obj], max_depth=9, output=text)
    assert len(re.findall(r"^  o\d+\[label=", text.getvalue(), re.M)) == 4
    assert outer


def test_a_second_picture_shows_nothing_of_the_first(hub):
    peer = hub.peers["peer-7"]
    gc.disable()
    try:
        pictures = [heapwhy.show_backrefs(peer, max_depth=4) for _ in range(3)]
    finally:
        gc.enable()
    assert len({picture.nodes for picture in pictures}) == 1
    assert "Node" not in pictures[2].dot


def test_limits_filters_and_texts(hub):
    peer = hub.peers["peer-7"]
    picture = heapwhy.show_backrefs([peer], filter=lambda obj: type(obj) in (dict, Hub), ignore=[id(globals())],
                                    highlight=lambda obj: type(obj) is Hub, extra_info=lambda obj: "size <1>",
                                    refcounts=True, shortnames=False)
    assert "size &lt;1&gt;" in picture.dot and "test_pictures.Peer [" in picture.dot
    assert "0.600 0.600 1" in picture.dot


def test_reference_counts_are_without_our_own():
    class Lonely:
        pass
    kept = [Lonely()]
    assert "<b>Lonely [1]</b>" in heapwhy.show_refs(kept, refcounts=True).dot


def test_a_chain_shows_what_several_have_in_common(hub):
    chains = [[hub, hub.peers, hub.peers["peer-%d" % i]] for i in range(3)]
    picture = heapwhy.show_chain(*chains)
    assert picture.nodes == 5 and picture.dot.count(" -> ") == 4


class Odd:
    def __repr__(self):
        return "\0<&\"'>\\\n\ud800\u4e2d"


class Broken:
    def __repr__(self):
        raise RuntimeError("no")


@needs_dot
@pytest.mark.parametrize("form, start", [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_graphviz_draws_it(hub, tmp_path, form, start):
    hub.odd = [Odd(), Broken(), "\x00\x1b<b>&amp;", {Odd(): 1, "\"\\": 2}]
    name = str(tmp_path / ("picture." + form))
    heapwhy.show_refs(hub, max_depth=5, filename=name)
    with open(name, "rb") as file:
        assert file.read().startswith(start)


@needs_dot
def test_notebooks_show_the_drawing(hub):
    assert "<svg" in heapwhy.show_refs(hub)._repr_svg_()
    Hub.registry = [hub]
    assert "<svg" in heapwhy.chain(hub)._repr_svg_()
    del Hub.registry


@needs_dot
def test_two_hundred_nodes_are_drawn_without_complaint():
    import logging
    picture = heapwhy.show_refs([logging], max_depth=6, too_many=14)
    assert picture.nodes == 200
    done = subprocess.run(["dot", "-Tsvg"], input=picture.dot.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0 and done.stderr == b""


def test_without_graphviz_the_text_is_written(hub, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PATH", str(tmp_path))
    name = str(tmp_path / "picture.png")
    picture = heapwhy.show_refs(hub, filename=name)
    told = capfd.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and "apt install graphviz" in told.err
    with open(name + ".dot") as file:
        assert file.read() == picture.dot
    assert picture._repr_svg_() is None
