# SPDX-License-Identifier: Apache-2.0
"""The committed layout rows against real interpreters.

From inside: what the struct rows call references is what gc.get_referents returns, on every
interpreter. From debug information, where there is some: the generator makes the committed rows.
"""
import glob
import json
import os
import subprocess
import sys

import pytest
from elftools.elf.elffile import ELFFile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, '..', '..')
ROWS = os.path.join(TOP, 'src', 'cpython', 'rows')
sys.path[:0] = [os.path.join(TOP, 'tools'), os.path.join(TOP, 'tests', 'env')]
import layoutlist  # noqa: E402
from interpreters import interpreters, more_interpreters  # noqa: E402

# Types of which a row tells a part only; a decoder in src/cpython adds the rest.
DECODED_TOO = {
    'functools._lru_cache_wrapper': 'the list of links',
    'PyCapsule': 'a capsule may bring its own traverse function',
    'StgDict': 'a dict with more fields',
    'collections.defaultdict': 'a dict with one more field',
    '_io.BytesIO': 'the buffer, when somebody shares it',
    '_pickle.Pickler': 'the memo table',
    '_pickle.Unpickler': 'the memo array',
    '_queue.SimpleQueue': 'the ring buffer (3.13)',
    'pyexpat.xmlparser': 'the array of handlers',
    'itertools._tee_dataobject': 'the values, as many as were read',
    '_ctypes.CType_Type': 'a type with more fields',
    'sqlite3.Cache': 'the list of nodes (3.10)',
    'sqlite3.Connection': 'the contexts of callbacks',
}
# Heap types whose tp_traverse does not visit the type.
TYPE_UNVISITED = {'typing.ParamSpecArgs', 'typing.ParamSpecKwargs'}
OB_TYPE = 8
# Fewer would mean that the probe no longer makes its objects.
LEAST_TYPES, LEAST_OBJECTS = 140, 5000


def targets():
    return pytest.mark.parametrize('target', interpreters() + more_interpreters(),
                                   ids=lambda target: target.name)


def struct_rows(name):
    rows = {}
    path = os.path.join(ROWS, name + '.structs')
    for block in layoutlist.parse_structs(path):
        refs = [(ref.offset, ref.kind, ref.count) for ref in block.refs]
        for kind in block.types:
            rows.setdefault(kind, {})[str(block.size)] = refs
    return rows


def row_lines(name):
    """{key: [words behind it]} of NAME.row."""
    with open(os.path.join(ROWS, name + '.row'), encoding='utf-8') as stream:
        lines = [line.split() for line in stream if line.strip() and line[0] != '#']
    return {words[0]: words[1:] for words in lines if words[0] != 'sizeof'}


def row_fields(name):
    return {key: int(words[0]) for key, words in row_lines(name).items() if '.' in key}


@pytest.fixture(scope='module')
def probe(tmp_path_factory):
    answers = {}

    def ask(target):
        if target.name not in answers:
            path = tmp_path_factory.mktemp('rows') / 'rows.json'
            path.write_text(json.dumps({'structs': struct_rows(target.layout),
                                        'fields': row_fields(target.layout)}))
            inside = target.share(str(path))
            try:
                status, out, err = target.run(os.path.join(HERE, 'layout_probe.py'), [inside],
                                              timeout=120)
            finally:
                target.forget(inside)
            assert status == 0, err
            answers[target.name] = json.loads(out)
        return answers[target.name]
    return ask


@targets()
def test_struct_rows_are_what_traverse_visits(probe, target):
    answer = probe(target)
    wrong = {}
    for name, cases in answer['bad'].items():
        # A decoder adds edges; none of the row's may be missing even then.
        cases = [case for case in cases if case['less'] or name not in DECODED_TOO]
        if name in TYPE_UNVISITED:
            cases = [case for case in cases if case != {'more': [], 'less': [OB_TYPE]}]
        if cases:
            wrong[name] = cases
    seen = answer['seen']
    print(f'{target.name}: {len(seen)} types, {sum(seen.values())} objects compared, '
          f'{len(wrong)} types differ')
    assert not wrong
    assert len(seen) >= LEAST_TYPES and sum(seen.values()) >= LEAST_OBJECTS


@targets()
def test_struct_rows_have_the_sizes_of_the_types(probe, target):
    rows = struct_rows(target.layout)
    wrong = [(name, size, sorted(rows[name])) for name, size, _ in probe(target)['types']
             if name in rows and size not in rows[name]]
    assert not wrong


@targets()
def test_runtime_fields_lead_to_what_python_knows(probe, target):
    checks = probe(target)['runtime']
    assert all(checks.values()), checks


def runtime_file(target):
    """The ELF file that defines _PyRuntime: a libpython beside the executable, or itself."""
    root = target.root or ''
    home = os.path.dirname(os.path.dirname(os.path.realpath(root + target.executable)))
    shared = glob.glob(os.path.join(home, 'lib', f'libpython{target.version}.so.1.0'))
    return shared[0] if shared else os.path.realpath(root + target.executable)


@targets()
def test_runtime_has_the_size_of_the_row(target):
    with open(runtime_file(target), 'rb') as stream:
        symbols = ELFFile(stream).get_section_by_name('.dynsym')
        size = symbols.get_symbol_by_name('_PyRuntime')[0]['st_size']
    assert [str(size)] == row_lines(target.layout)['runtime_bytes']


def modules_of(target):
    for pattern in ('lib/python*/lib-dynload/*.so', 'build/lib.*/*.so'):
        base = os.path.dirname(os.path.dirname(os.path.realpath(target.executable)))
        found = sorted(glob.glob(os.path.join(base, pattern)))
        if found:
            return found
    return []


def has_debug_information(target):
    if target.root is not None:
        return False
    with open(runtime_file(target), 'rb') as stream:
        return ELFFile(stream).get_section_by_name('.debug_info') is not None


def facts_of(path):
    """The lines of a row that are not comments."""
    with open(path, encoding='utf-8') as stream:
        return [line for line in stream.read().splitlines() if line and line[0] != '#']


@targets()
def test_generator_makes_the_committed_row(target, tmp_path):
    if not has_debug_information(target):
        pytest.skip('no debug information; the other tests cover this interpreter')
    release = subprocess.run([target.executable, '-c', 'import platform as p; print(p.python_version())'],
                             check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    subprocess.run([os.path.join(TOP, 'tools', 'layout-row'), '--name', target.layout,
                    '--release', release, '-o', str(tmp_path), runtime_file(target)] + modules_of(target), check=True)
    committed = facts_of(os.path.join(ROWS, target.layout + '.row'))
    made = facts_of(tmp_path / (target.layout + '.row'))
    assert [line for line in made if line not in committed] == []
    lacking = [line for line in committed if line not in made]
    assert lacking == [] or not modules_of(target)
    known = layoutlist.parse_structs(os.path.join(ROWS, target.layout + '.structs'))
    for block in layoutlist.parse_structs(tmp_path / (target.layout + '.structs')):
        assert block in known
