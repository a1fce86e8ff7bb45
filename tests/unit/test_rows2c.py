# SPDX-License-Identifier: Apache-2.0
"""tools/rows2c.py refuses layout rows that are wrong."""
import os
import re
import shutil
import subprocess

import pytest

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
CPYTHON = os.path.join(TOP, 'src', 'cpython')


@pytest.fixture
def row(tmp_path):
    """A copy of a good row, and a function that changes it and builds."""
    for suffix in ('.row', '.structs'):
        shutil.copy(os.path.join(CPYTHON, 'rows', '3.13.0' + suffix), tmp_path)

    def build(suffix='.row', old='', new=''):
        path = tmp_path / ('3.13.0' + suffix)
        text = path.read_text()
        changed = re.sub(old, new, text, count=1, flags=re.M)
        assert changed != text or not old
        path.write_text(changed)
        run = subprocess.run([os.path.join(TOP, 'tools', 'rows2c.py'),
                              os.path.join(CPYTHON, 'fields.def'), str(tmp_path / 'out.c'),
                              str(tmp_path / '3.13.0.row')], stderr=subprocess.PIPE, text=True)
        return run.returncode, run.stderr, tmp_path / 'out.c'
    return build


def test_good_row_has_what_was_asked(row):
    status, err, out = row()
    assert status == 0, err
    text = out.read_text()
    assert '[HW_F_PyTypeObject_tp_name] = {24, 8},' in text
    assert '[HW_S_PyTypeObject] = 416,' in text
    assert '.runtime_bytes = 283320,' in text
    assert '.version_min = 0x030d00f0,' in text and '.version_max = 0x030dffff,' in text


def test_structures_are_sorted_by_name_then_size(row):
    _, _, out = row()
    table = out.read_text().split('hw_struct_row structs_3_13_0[] = {')[1].split('};')[0]
    keys = [(name, int(size)) for name, size in re.findall(r'{"([^"]+)", (\d+),', table)]
    assert len(keys) > 250 and keys == sorted(keys)


@pytest.mark.parametrize('suffix, old, new, message', [
    ('.row', r'^PyTypeObject.tp_name ', 'PyTypeObject.tp_nome ', 'not in fields.def'),
    ('.row', r'^sizeof PyTypeObject ', 'sizeof PyTipeObject ', 'not in fields.def'),
    ('.row', r'^(PyTypeObject.tp_name .*)$', r'\1\n\1', 'given twice'),
    ('.row', r'^flavour .*$', 'flavour release\nflavour debug', 'given twice'),
    ('.row', r'^PyTypeObject.tp_name .*$', '', 'missing: PyTypeObject.tp_name'),
    ('.row', r'^runtime_bytes .*$', '', 'no line runtime_bytes'),
    ('.row', r'^version .*$', 'version 3.13 3.14', 'rror'),
    ('.row', r'^flavour .*$', 'flavour odd', 'KeyError'),
    ('.row', r'^PyTypeObject.tp_name .*$', 'PyTypeObject.tp_name 2400 8', 'outside its structure'),
    ('.row', r'^PyTypeObject.tp_name .*$', 'PyTypeObject.tp_name 24 0', 'impossible value'),
    ('.structs', r'^refs .*$', 'refs source@x', 'cannot read the reference'),
    ('.structs', r'^(struct chainobject .*\ntype .*)$', r'\1\ntype itertools.cycle', None),
    ('.structs', r'^(struct chainobject .*)$', r'\1\ntype itertools.chain', 'is there twice'),
    ('.structs', r'^struct chainobject .*$', 'strict chainobject 32', 'cannot read'),
])
def test_wrong_row_is_refused(row, suffix, old, new, message):
    status, err, out = row(suffix, old, new)
    if message is None:
        assert status == 0, err
        return
    assert status != 0 and message in err
    assert not out.exists()
