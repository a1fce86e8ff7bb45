#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turn layout rows into one C file (build step).

usage: rows2c.py fields.def OUTPUT.c ROW...

Each ROW is NAME.row with NAME.structs beside it. Fails on unknown or doubled names, on fields
outside their structure, and when a row lacks what every layout must have.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layoutlist  # noqa: E402

FLAVOURS = {'release': 'RELEASE', 'debug': 'DEBUG', 'threaded': 'THREADED'}

# Without these nothing can be read, so a row that lacks one is a mistake.
MANDATORY = [
    'PyObject.ob_refcnt', 'PyObject.ob_type', 'PyVarObject.ob_size',
    'PyTypeObject.tp_name', 'PyTypeObject.tp_basicsize', 'PyTypeObject.tp_itemsize',
    'PyTypeObject.tp_flags', 'PyTypeObject.tp_base', 'PyTypeObject.tp_dict',
    'PyTypeObject.tp_mro', 'PyTypeObject.tp_members', 'PyTypeObject.tp_dictoffset',
    'PyTypeObject.tp_weaklistoffset', 'PyHeapTypeObject.ht_cached_keys',
    'PyDictObject.ma_used', 'PyDictObject.ma_keys', 'PyDictObject.ma_values',
    'PyDictKeysObject.dk_refcnt', 'PyDictKeysObject.dk_nentries',
    'PyListObject.ob_item', 'PyListObject.allocated', 'PyTupleObject.ob_item',
    'PySetObject.mask', 'PySetObject.table', 'PyASCIIObject.length', 'PyASCIIObject.state',
    'PyUnicodeObject.data', 'PyFloatObject.ob_fval', 'PyBytesObject.ob_sval',
    'PyFunctionObject.func_code', 'PyCodeObject.co_name', 'PyCodeObject.co_filename',
    'PyFrameObject.f_back', 'PyModuleObject.md_dict', 'PyCellObject.ob_ref',
    'PyInterpreterState.next', 'PyInterpreterState.builtins',
    '_PyRuntimeState.interpreters.head', 'PyThreadState.interp', 'PyThreadState.next',
    '_gc_runtime_state.collecting', 'PyGC_Head._gc_next', 'PyGC_Head._gc_prev',
]


class RowError(Exception):
    pass


def version_hex(text, last):
    """PY_VERSION_HEX of the final release X.Y.Z; LAST: the highest number that Z can have."""
    major, minor, micro = (int(part) for part in text.split('.'))
    return major << 24 | minor << 16 | micro << 8 | (0xff if last else 0xf0)


def parse_row(path, names):
    """{'version': (min, max), 'runtime_bytes', 'flavour', 'fields': {}, 'sizes': {}}."""
    row = {'name': os.path.basename(path)[:-len('.row')], 'fields': {}, 'sizes': {}}
    with open(path, encoding='utf-8') as stream:
        for number, line in enumerate(stream, 1):
            words = line.split('#')[0].split()
            if words:
                try:
                    parse_line(row, words, names)
                except (RowError, ValueError, IndexError, KeyError) as error:
                    raise RowError(f'{path}:{number}: {error!r}') from error
    check_row(path, row)
    return row


def parse_line(row, words, names):
    fields, sizes = names
    key = words[0]
    if key in ('version', 'runtime_bytes', 'flavour'):
        if key in row:
            raise RowError(f'{key} is given twice')
        if key == 'version':
            row[key] = (version_hex(words[1], False), version_hex(words[2], True))
        else:
            row[key] = int(words[1]) if key == 'runtime_bytes' else FLAVOURS[words[1]]
    elif key == 'sizeof':
        put(row['sizes'], sizes, words[1], (int(words[2]),))
    else:
        put(row['fields'], fields, key, (int(words[1]), int(words[2])))


def put(table, known, key, value):
    if key not in known:
        raise RowError(f'{key} is not in fields.def')
    if key in table:
        raise RowError(f'{key} is given twice')
    if not 0 < value[-1] < 1 << 32 or not 0 <= value[0] < 1 << 32:
        raise RowError(f'{key} has an impossible value')
    table[key] = value


def check_row(path, row):
    for key in ('version', 'runtime_bytes', 'flavour'):
        if key not in row:
            raise RowError(f'{path}: no line {key}')
    missing = [field for field in MANDATORY if field not in row['fields']]
    if missing:
        raise RowError(f'{path}: missing: {" ".join(missing)}')
    for field, (offset, _) in row['fields'].items():
        structure = field.partition('.')[0]
        if offset > row['sizes'].get(structure, (0,))[0]:
            raise RowError(f'{path}: {field} lies outside its structure')


def c_string(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def c_refs(prefix, blocks, out):
    """One array for each structure with references; returns {(struct, size): array name}."""
    arrays = {}
    for block in blocks:
        if not block.refs:
            continue
        name = f'refs_{prefix}_{block.struct}_{block.size}'
        arrays[block.struct, block.size] = name
        out.append(f'static const struct hw_ref {name}[] = {{')
        for ref in block.refs:
            out.append(f'    {{{c_string(ref.label)}, {ref.offset}, HW_REF_{ref.kind}, '
                       f'{int(ref.is_attr)}, {ref.count}}},')
        out.append('};')
    return arrays


def c_structs(path, prefix, out):
    """The table of structures by type name, then size; returns how many."""
    blocks = layoutlist.parse_structs(path)
    arrays = c_refs(prefix, blocks, out)
    rows = {}
    for block in blocks:
        array = arrays.get((block.struct, block.size), 'NULL')
        for name in block.types:
            if (name, block.size) in rows:
                raise RowError(f'{path}: {name} of {block.size} bytes is there twice')
            rows[name, block.size] = f'{array}, {len(block.refs)}'
    out.append(f'static const struct hw_struct_row structs_{prefix}[] = {{')
    for (name, size), value in sorted(rows.items()):
        out.append(f'    {{{c_string(name)}, {size}, {value}}},')
    out.append('};')
    return len(rows)


def c_layout(row, names, prefix, count, out):
    fields, sizes = names
    out.append(f'static const struct hw_layout layout_{prefix} = {{')
    out.append(f'    .name = {c_string(row["name"])},')
    out.append(f'    .version_min = {row["version"][0]:#010x},')
    out.append(f'    .version_max = {row["version"][1]:#010x},')
    out.append(f'    .runtime_bytes = {row["runtime_bytes"]},')
    out.append(f'    .flavour = HW_FLAVOUR_{row["flavour"]},')
    out.append('    .f = {')
    for key, (offset, width) in row['fields'].items():
        out.append(f'        [HW_F_{fields[key]}] = {{{offset}, {width}}},')
    out.append('    },')
    out.append('    .s = {')
    for key, (size,) in row['sizes'].items():
        out.append(f'        [HW_S_{sizes[key]}] = {size},')
    out.append('    },')
    out.append(f'    .structs = structs_{prefix},')
    out.append(f'    .struct_count = {count},')
    out.append('};')


def read_names(path):
    fields, sizes = layoutlist.read_fields(path)
    field_names = {f'{structure}.{field}': name for structure, field, name in fields}
    size_names = dict(sizes)
    if len(set(field_names.values())) != len(fields) or len(size_names) != len(sizes):
        raise RowError(f'{path}: a name is there twice')
    return field_names, size_names


def generate(fields_path, rows):
    names = read_names(fields_path)
    out = ['/* Made by tools/rows2c.py from src/cpython/rows. */',
           '#include <stddef.h>', '', '#include "cpython/layout.h"', '']
    prefixes = []
    parsed = [(parse_row(path, names), path) for path in rows]
    for row, path in sorted(parsed, key=lambda pair: (pair[0]['version'], pair[1])):
        prefix = re.sub(r'\W', '_', row['name'])
        count = c_structs(path[:-len('.row')] + '.structs', prefix, out)
        c_layout(row, names, prefix, count, out)
        prefixes.append(prefix)
    out.append('const struct hw_layout *const hw_layouts[] = {')
    out += [f'    &layout_{prefix},' for prefix in prefixes]
    out += ['};', f'const size_t hw_layout_count = {len(prefixes)};']
    return '\n'.join(out) + '\n'


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    try:
        text = generate(sys.argv[1], sys.argv[3:])
    except (RowError, ValueError, OSError) as error:
        sys.exit(f'rows2c.py: {error}')
    with open(sys.argv[2], 'w', encoding='utf-8') as stream:
        stream.write(text)


if __name__ == '__main__':
    main()
