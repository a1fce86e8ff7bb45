# SPDX-License-Identifier: Apache-2.0
"""Who refers to an object, and who to that one, as a tree.

ConsoleBrowser prints it, FileBrowser writes it into a file, StreamBrowser to any stream, InteractiveBrowser
shows it in a window that opens further levels (with Tk).
"""
import gc
import inspect
import sys
from typing import IO, Any, Callable, List, Optional, Set

from heapwhy.compat.pympler import muppy, summary
from heapwhy.compat.pympler.util.compat import tkinter

StrFunction = Callable[[Any], str]


class _Node:
    """An object `o` in a tree, and its `children`: nodes, or leaves of any kind."""

    def __init__(self, o: Any, str_func: Optional[StrFunction] = None):
        self.o = o
        self.children: List[Any] = []
        self.str_func = str_func

    def __str__(self) -> str:
        return self.str_func(self.o) if self.str_func else str(self.o)


class RefBrowser:
    """The tree of referrers of rootobject, maxdepth levels.

    str_func: how objects are called; repeat: False: an object appears once, later only its id; stream: where
    subclasses write.
    """

    def __init__(self, rootobject: Any, maxdepth: int = 3, str_func: StrFunction = summary._repr, repeat: bool = True,
                 stream: Optional[IO[str]] = None):
        self.root = rootobject
        self.maxdepth = maxdepth
        self.str_func = str_func
        self.repeat = repeat
        self.stream = stream
        self.ignore: List[Any] = []
        self.already_included: Set[int] = set()

    def get_tree(self) -> _Node:
        """The tree, its root a node of the object."""
        own = [self, self.__dict__, self.ignore, inspect.currentframe()]
        try:
            return self._get_tree(self.root, self.maxdepth, own)
        finally:
            own.clear()  # the frame is in it

    def _get_tree(self, root: Any, maxdepth: int, own: Optional[List[Any]] = None) -> _Node:
        own = [self, self.__dict__] if own is None else own
        node = _Node(root, self.str_func)
        self.already_included.add(id(root))
        if maxdepth == 0:
            return node
        referrers = gc.get_referrers(root)
        own += [referrers, inspect.currentframe(), node, node.__dict__, node.children, own]
        for o in referrers:
            if isinstance(o, (_Node, RefBrowser)) or any(o is mine for mine in own) or self._is_ours(o):
                continue
            if not self.repeat and id(o) in self.already_included:
                node.children.append("%s (already included, id %s)" % (self.str_func(o), id(o)))
            else:
                node.children.append(self._get_tree(o, maxdepth - 1, own))
        return node

    def _is_ours(self, o: Any) -> bool:
        """Frames that are building the tree, and attributes of nodes."""
        if inspect.isframe(o):
            return o.f_code in (RefBrowser._get_tree.__code__, RefBrowser.get_tree.__code__)
        return isinstance(o, dict) and o.keys() == {"o", "children", "str_func"}


class StreamBrowser(RefBrowser):
    """Writes the tree. The characters it draws with are hline, vline, cross and space."""

    hline = "-"
    vline = "|"
    cross = "+"
    space = " "

    def print_tree(self, tree: Optional[_Node] = None) -> None:
        """Writes a tree, that of the root object if none is given."""
        self._print(self.get_tree() if tree is None else tree, "", "", 0)

    def _print(self, tree: Any, head: str, margin: str, level: int) -> None:
        """Writes one node after head, and what hangs on it below, where lines begin with margin."""
        text = str(tree)
        children = tree.children if isinstance(tree, _Node) and level < self.maxdepth else []
        if not children:
            self.stream.write(head + text + "\n")
            return
        several = len(children) > 1
        indent = margin + self.space * (len(text) + 1)
        for i, child in enumerate(children):
            last = i == len(children) - 1
            first_head = head + text + self.hline + (self.cross if several else "") + self.hline
            next_head = indent + self.cross + self.hline
            line = self.vline if not last else self.space
            below = indent + (line if several else "") + self.space
            self._print(child, next_head if i else first_head, below, level + 1)
            opened = isinstance(child, _Node) and child.children and level + 1 < self.maxdepth
            if not last and opened:
                self.stream.write((indent + self.vline).rstrip() + "\n")


class ConsoleBrowser(StreamBrowser):
    """Prints the tree."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if not self.stream:
            self.stream = sys.stdout


class FileBrowser(StreamBrowser):
    """Writes the tree into a file."""

    def print_tree(self, filename: str, tree: Optional[_Node] = None) -> None:  # type: ignore[override]
        """Writes a tree into a file, that of the root object if none is given."""
        stream = self.stream
        try:
            with open(filename, "w") as self.stream:
                super().print_tree(tree=tree)
        finally:
            self.stream = stream


def gui_default_str_function(o: Any) -> str:
    """How objects are called in the window."""
    return summary._repr(o) + "(id=%s)" % id(o)


class InteractiveBrowser(RefBrowser):
    """Shows the tree in a window. Raises ImportError where there is no Tk."""

    def __init__(self, rootobject: Any, maxdepth: int = 3, str_func: StrFunction = gui_default_str_function,
                 repeat: bool = True):
        if tkinter is None:
            raise ImportError("InteractiveBrowser requires Tkinter to be installed.")
        super().__init__(rootobject, maxdepth, str_func, repeat)

    def main(self, standalone: bool = False) -> None:
        """Opens the window. standalone: runs until it is closed."""
        from tkinter import ttk
        window = tkinter.Tk()
        view = ttk.Treeview(window, show="tree")
        view.pack(expand=1, fill="both")
        nodes = {}

        def add(parent: str, child: Any) -> None:
            item = view.insert(parent, "end", text=str(child))
            if isinstance(child, _Node):
                nodes[item] = child
                for grandchild in child.children:
                    add(item, grandchild)
                if not child.children and muppy._is_containerobject(child.o):
                    view.insert(item, "end", text="...")

        def opened(event: Any) -> None:
            item = view.focus()
            node = nodes.get(item)
            if node is not None and not node.children:
                view.delete(*view.get_children(item))
                node.children = self._get_tree(node.o, 1).children
                for child in node.children:
                    add(item, child)

        view.bind("<<TreeviewOpen>>", opened)
        add("", self.get_tree())
        if standalone:
            window.mainloop()
