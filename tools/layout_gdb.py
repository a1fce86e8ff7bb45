# SPDX-License-Identifier: Apache-2.0
"""Runs inside gdb for layout-row: offsets, widths and pointer fields of named structures.

Reads the request from $LAYOUT_ASK, writes the answer to $LAYOUT_ANSWER, both JSON.
"""
import json
import os

import gdb

STRUCT = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)


def bare(kind):
    return kind.strip_typedefs().unqualified()


def lookup(name, aliases):
    """The complete structure called NAME, or one of its other names; None if there is none."""
    for other in [name] + aliases.get(name, []):
        if other.startswith('@'):
            kind = element(other[1:])
            if kind is not None:
                return kind
            continue
        for spelling in (other, 'struct ' + other, 'union ' + other):
            try:
                kind = bare(gdb.lookup_type(spelling))
            except gdb.error:
                continue
            if kind.code in STRUCT and kind.fields():
                return kind
    return None


def element(path):
    """The structure that a field such as "_PyRuntimeState.signals.handlers" is an array of."""
    owner, _, field = path.partition('.')
    kind = lookup(owner, {})
    part = kind and follow(kind, field)
    if not part:
        return None
    kind = bare(part[1])
    while kind.code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_PTR):
        kind = bare(kind.target())
    return kind if kind.code in STRUCT else None


def members(kind):
    """(name, byte offset, type) of a structure's fields, anonymous parts opened up."""
    for field in kind.fields():
        if not hasattr(field, 'bitpos'):
            continue
        inner = bare(field.type)
        if not field.name:
            if inner.code in STRUCT:
                for name, offset, part in members(inner):
                    yield name, field.bitpos // 8 + offset, part
            continue
        yield field.name, field.bitpos // 8, field.type


def follow(kind, path):
    """(offset, type) of a dotted field, or None. Array elements are not entered."""
    offset = 0
    for step in path.split('.'):
        kind = bare(kind)
        if kind.code not in STRUCT:
            return None
        for name, start, part in members(kind):
            if name == step:
                offset, kind = offset + start, part
                break
        else:
            return None
    return offset, kind


def place(kind, path):
    """(offset, width) of a field; an array without a length has the width of one element."""
    found = follow(kind, path)
    if found is None:
        return None
    part = bare(found[1])
    while part.sizeof == 0 and part.code == gdb.TYPE_CODE_ARRAY:
        part = bare(part.target())
    return found[0], part.sizeof


def is_object(kind):
    """Does this structure start with an object header?"""
    kind = bare(kind)
    if kind.code != gdb.TYPE_CODE_STRUCT:
        return False
    if kind.name in ('_object', '_typeobject'):
        return True
    fields = kind.fields()
    return bool(fields and fields[0].name) and is_object(fields[0].type)


def references(kind, base=0, prefix=''):
    """Every pointer to an object: [name, offset, count]; count None: a single one."""
    result = []
    for name, offset, part in members(kind):
        part = bare(part)
        if part.code == gdb.TYPE_CODE_STRUCT and name in ('ob_base', 'ob_type'):
            continue
        count = None
        element = part
        if part.code == gdb.TYPE_CODE_ARRAY:
            low, high = part.range()
            count = high - low + 1
            element = bare(part.target())
        if element.code == gdb.TYPE_CODE_PTR and is_object(element.target()):
            if base + offset >= 16:
                result.append([prefix + name, base + offset, count])
        elif element.code in STRUCT and count is None:
            result += references(element, base + offset, prefix + name + '.')
    return result


def main():
    with open(os.environ['LAYOUT_ASK'], encoding='utf-8') as stream:
        ask = json.load(stream)
    answer = {'fields': {}, 'refs': {}}
    for name, fields in ask['fields'].items():
        kind = lookup(name, ask['aliases'])
        if kind is None:
            continue
        places = {field: place(kind, field) for field in fields}
        answer['fields'][name] = {
            'size': kind.sizeof, 'fields': {f: p for f, p in places.items() if p is not None}}
    for name in ask['refs']:
        kind = lookup(name, ask['aliases'])
        if kind is not None:
            answer['refs'][name] = {
                'size': kind.sizeof, 'refs': references(kind),
                'offsets': {name: offset for name, offset, _ in members(kind)}}
    with open(os.environ['LAYOUT_ANSWER'], 'w', encoding='utf-8') as stream:
        json.dump(answer, stream)


main()
