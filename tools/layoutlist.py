# SPDX-License-Identifier: Apache-2.0
"""The text forms of layout data, shared by layout-row (writes them) and rows2c.py (reads them).

fields.def     the fields and structures that rows may name
structs.list   which C structures hold references, under which type names, with which labels
NAME.row       offsets, widths and sizes of one layout
NAME.structs   the references of C structures in one layout:

    struct partialobject 64
    type functools.partial
    refs .func@16 .args@24 .keywords@32 .__dict__@40 !weakreflist@48

A reference is LABEL@OFFSET. A dot in front says that Python shows it as an attribute of that name;
"!" that it is no edge (weak, borrowed, list link); "~" that it is owned but tp_traverse does not
visit it. "[N]" behind the label is an array of N pointers, "[n]" one of ob_size pointers.
"""
import re
from collections import namedtuple

# Structures that go by another name, or by none ("@": the type of that field's elements).
ALIASES = {
    'dequeblock': ['BLOCK', 'block'],
    'static_type_state': ['managed_static_type_state', 'static_builtin_state'],
    'atexit_callback': ['atexit_py_callback'],
    '_signal_handler': ['@_PyRuntimeState.signals.handlers'],
    'TemplateItem': ['@TemplateObject.items'],
    'tracemalloc_trace': ['trace_t'],
    'tracemalloc_traceback': ['traceback_t'],
    'tracemalloc_frame': ['frame_t'],
    'formatcode': ['_formatcode'],
    'PyExecutorObject': ['_PyExecutorObject'],
    'PyWeakReference': ['_PyWeakReference'],
}

Struct = namedtuple('Struct', 'struct module types size_of rules')
Ref = namedtuple('Ref', 'label offset kind is_attr count')

FIELD = re.compile(r'^HW_FIELD\((\w+), ([\w.]+), (\w+)\)$')
SIZE = re.compile(r'^HW_SIZE\((\w+), (\w+)\)$')
TYPE_OFFSET = 8  # ob_type, in builds with the lock
REF = re.compile(r'^(?P<mark>[.!~]*)(?P<label>[\w.]+)(?:\[(?P<count>\d+|n)\])?@(?P<offset>\d+)$')


def read_fields(path):
    """([(structure, field, name)], [(structure, name)]) in the order of the file."""
    fields, sizes = [], []
    with open(path, encoding='utf-8') as stream:
        for line in stream:
            field, size = FIELD.match(line.strip()), SIZE.match(line.strip())
            if field:
                fields.append(field.groups())
            elif size:
                sizes.append(size.groups())
            elif line.startswith('HW_'):
                raise ValueError(f'{path}: cannot read {line.strip()!r}')
    return fields, sizes


def read_structs(path):
    """structs.list: [Struct]. Rules are (minimum version, maximum version, word)."""
    entries = []
    with open(path, encoding='utf-8') as stream:
        for number, line in enumerate(stream, 1):
            line = line.split('#')[0].rstrip()
            if not line:
                continue
            if not line[0].isspace():
                struct, _, types = line.partition(' = ')
                module, _, struct = struct.strip().rpartition(':')
                entries.append(Struct(struct, module, [], [], []))
                entries[-1].types.extend(t.strip() for t in types.split(',') if t.strip())
                continue
            if not entries:
                raise ValueError(f'{path}:{number}: rules without a structure')
            add_rules(entries[-1], line.split())
    return entries


def add_rules(entry, words):
    """Words of one line; a leading <3.13 or >=3.13 makes the line hold for those versions only."""
    low, high = 0, 0xffffffff
    bound = re.match(r'^(<|>=)(\d+)\.(\d+)(?:\.(\d+))?$', words[0])
    if bound:
        version = int(bound[2]) << 24 | int(bound[3]) << 16 | int(bound[4] or 0) << 8
        low, high = (version, high) if bound[1] == '>=' else (low, version - 1)
        words = words[1:]
    for word in words:
        if word.startswith(('size:', 'after:')):
            entry.size_of.append((low, high, word))
        else:
            entry.rules.append((low, high, word))


RULE = re.compile(r'^(?P<mark>[!~+-]?)(?P<field>[\w.]+)(?P<many>\[(?:n|\d+)\])?'
                  r'(?:(?P<shown>[>=])(?P<label>[\w.]*))?$')


def apply_rules(entry, found, version, base):
    """The references of one structure, labelled and marked as structs.list says."""
    rules = {}
    for low, high, word in entry.rules:
        rule = RULE.match(word)
        if rule is None:
            raise ValueError(f'{entry.struct}: cannot read the rule {word!r}')
        if low <= version <= high:
            rules[rule['field']] = rule
    listed = [tuple(ref) for ref in found['refs']]
    known = {ref[0] for ref in listed}
    offsets = dict(found['offsets'], ob_type=TYPE_OFFSET)
    for name, rule in rules.items():
        if name in offsets and name not in known:
            listed.append((name, offsets[name], None))
    words = []
    for name, offset, count in sorted(set(listed), key=lambda ref: ref[1]):
        word = reference_word(name, base + offset, count, rules.get(name))
        if word is not None:
            words.append(word)
    return words


def reference_word(name, offset, count, rule):
    mark, label = '', name
    if rule is not None:
        if rule['mark'] == '-':
            return None
        mark = rule['mark'].replace('+', '')
        if rule['shown']:
            label = rule['label'] or name
            mark += '.' if rule['shown'] == '>' else ''
    elif re.search(r'(weakreflist|weaklist)$', name):
        mark = '!'
    if rule is not None and rule['many']:
        many = rule['many']
    else:
        many = '' if count is None else f'[{count}]'
    return f'{mark}{label}{many}@{offset}'


def place_struct(entry, known, sizes, version):
    """(size, first offset): where the structure starts in the object, and tp_basicsize."""
    size, base = known['size'], 0
    for low, high, word in entry.size_of:
        if low <= version <= high:
            key, _, value = word.partition(':')
            if key == 'size':
                size = known['offsets'][value]
            else:
                base = (sizes[value]['size'] + 15) // 16 * 16
                size = base + known['size']
    return size, base


def structs_text(entries, found, sizes, version):
    """NAME.structs. FOUND: by (module, structure); SIZES: what fields.def found, by structure."""
    lines = ['# made by tools/layout-row from debug information and tools/structs.list']
    for entry in sorted(entries, key=lambda e: (e.struct, e.module)):
        known = found.get((entry.module, entry.struct))
        if known is None:
            continue
        size, base = place_struct(entry, known, sizes, version)
        lines += ['', f'struct {entry.struct} {size}']
        lines += [f'type {name}' for name in entry.types]
        words = apply_rules(entry, known, version, base)
        if words:
            lines.append('refs ' + ' '.join(words))
    return '\n'.join(lines) + '\n'


def parse_structs(path):
    """NAME.structs: [(struct, size, [type name], [Ref])]."""
    blocks = []
    with open(path, encoding='utf-8') as stream:
        for number, line in enumerate(stream, 1):
            key, _, rest = line.split('#')[0].strip().partition(' ')
            if key == 'struct':
                name, size = rest.split()
                blocks.append((name, int(size), [], []))
            elif key == 'type':
                blocks[-1][2].append(rest)
            elif key == 'refs':
                blocks[-1][3].extend(parse_ref(word) for word in rest.split())
            elif key:
                raise ValueError(f'{path}:{number}: cannot read {line.strip()!r}')
    return blocks


def parse_ref(word):
    match = REF.match(word)
    if match is None:
        raise ValueError(f'cannot read the reference {word!r}')
    mark = match['mark']
    kind = 'OWNED'
    if '!' in mark:
        kind = 'WEAK'
    elif '~' in mark:
        kind = 'UNVISITED'
    count = match['count']
    if count is not None:
        if kind != 'OWNED':
            raise ValueError(f'{word!r}: an array can only be owned and visited')
        kind = 'INLINE'
    return Ref(match['label'], int(match['offset']), kind, '.' in mark,
               int(count) if count not in (None, 'n') else 0)
