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

Struct = namedtuple('Struct', 'struct module types rules')
Block = namedtuple('Block', 'struct size types refs')
Ref = namedtuple('Ref', 'label offset kind is_attr count')

FIELD = re.compile(r'^HW_FIELD\((\w+), ([\w.]+), (\w+)\)$')
SIZE = re.compile(r'^HW_SIZE\((\w+), (\w+)\)$')
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
    """structs.list: [Struct], each with its rules."""
    entries = []
    with open(path, encoding='utf-8') as stream:
        for number, line in enumerate(stream, 1):
            line = line.split('#')[0].rstrip()
            if not line:
                continue
            if not line[0].isspace():
                struct, _, types = line.partition(' = ')
                module, _, struct = struct.strip().rpartition(':')
                entries.append(Struct(struct, module, [], []))
                entries[-1].types.extend(t.strip() for t in types.split(',') if t.strip())
                continue
            if not entries:
                raise ValueError(f'{path}:{number}: rules without a structure')
            add_rules(entries[-1], line.split())
    return entries


Rule = namedtuple('Rule', 'low high row word')


def add_rules(entry, words):
    """Words of one line. A leading <3.13, >=3.13 or @ROW makes it hold for those layouts only."""
    low, high, row = 0, 0xffffffff, None
    bound = re.match(r'^(<|>=)(\d+)\.(\d+)(?:\.(\d+))?$', words[0])
    if bound:
        version = int(bound[2]) << 24 | int(bound[3]) << 16 | int(bound[4] or 0) << 8
        low, high = (version, high) if bound[1] == '>=' else (low, version - 1)
        words = words[1:]
    elif words[0].startswith('@'):
        row, words = words[0][1:], words[1:]
    entry.rules.extend(Rule(low, high, row, word) for word in words)


def rules_for(entry, row, version):
    """The words that hold for one layout, in the order of the list."""
    return [rule.word for rule in entry.rules
            if rule.low <= version <= rule.high and rule.row in (None, row)]


RULE = re.compile(r'^(?P<mark>[!~+-]?)(?P<field>[\w.]+)(?P<many>\[(?:n|\d+)\])?'
                  r'(?:(?P<shown>[>=])(?P<label>[\w.]*))?$')


def apply_rules(words, found, base):
    """The references of one structure, labelled and marked as the rules say; the last rule wins."""
    rules = {}
    for word in words:
        rule = RULE.match(word)
        if rule is None:
            raise ValueError(f'structs.list: cannot read the rule {word!r}')
        rules[rule['field']] = rule
    listed = [tuple(ref) for ref in found['refs']]
    known = {ref[0] for ref in listed}
    for name in rules:
        if name in found['offsets'] and name not in known:
            listed.append((name, found['offsets'][name], None))
    marked = [reference_word(name, base + offset, count, rules.get(name))
              for name, offset, count in sorted(set(listed), key=lambda ref: ref[1])]
    return [word for word in marked if word is not None]


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


def place_struct(words, known, sizes):
    """(tp_basicsize, offset at which the structure starts in the object)."""
    size, base = known['size'], 0
    for word in words:
        key, _, value = word.partition(':')
        if key == 'size':
            size = known['offsets'][value]
        elif key == 'after':
            base = (sizes[value]['size'] + 15) // 16 * 16
            size = base + (known['size'] + 15) // 16 * 16
    return size, base


def structs_text(entries, found, sizes, row, version):
    """NAME.structs. FOUND: by (module, structure); SIZES: what fields.def found, by structure."""
    lines = ['# made by tools/layout-row from debug information and tools/structs.list']
    for entry in sorted(entries, key=lambda e: (e.struct, e.module)):
        known = found.get((entry.module, entry.struct))
        if known is None:
            continue
        words = rules_for(entry, row, version)
        size, base = place_struct(words, known, sizes)
        lines += ['', f'struct {entry.struct} {size}']
        lines += [f'type {name}' for name in entry.types]
        refs = apply_rules([word for word in words if ':' not in word], known, base)
        if refs:
            lines.append('refs ' + ' '.join(refs))
    return '\n'.join(lines) + '\n'


def merge_structs(text, other):
    """TEXT with those structures of OTHER, a second .structs file, that have another size there."""
    blocks = text.rstrip('\n').split('\n\n')
    known = {block.split('\n')[0] for block in blocks[1:]}
    names = {head.split()[1] for head in known}
    for block in other.rstrip('\n').split('\n\n')[1:]:
        head = block.split('\n')[0]
        if head not in known and head.split()[1] in names:
            blocks.append(block)
    return '\n\n'.join([blocks[0]] + sorted(blocks[1:])) + '\n'


def parse_structs(path):
    """NAME.structs: [Block]."""
    blocks = []
    with open(path, encoding='utf-8') as stream:
        for number, line in enumerate(stream, 1):
            key, _, rest = line.split('#')[0].strip().partition(' ')
            if key == 'struct':
                name, size = rest.split()
                blocks.append(Block(name, int(size), [], []))
            elif key == 'type':
                blocks[-1].types.append(rest)
            elif key == 'refs':
                blocks[-1].refs.extend(parse_ref(word) for word in rest.split())
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
