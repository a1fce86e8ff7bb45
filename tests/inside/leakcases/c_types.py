# SPDX-License-Identifier: Apache-2.0
"""What the types in C have besides methods: their making, attributes, lengths, items, operators, comparisons, texts."""
import operator
import types

import heapwhy
from heapwhy import _heapwhy
from things import holders, swallow, thing

snapshot = heapwhy.snapshot(values=False)
some, other = _heapwhy.HeapSet(holders), _heapwhy.HeapSet([thing])
SAMPLES = [some, _heapwhy.partition(some, "type"), snapshot, _heapwhy.nodes(snapshot, "dict"),
           _heapwhy.ask("types", (snapshot,)), _heapwhy.Births(), _heapwhy.Dump("/bin/true", ["leakcheck.hwsnap"]),
           _heapwhy.LineTracer("rss"), _heapwhy.Recorder(1, 1.0), _heapwhy.Sizer(8, 0.0), _heapwhy.Result()]
# What the type of a sample has of these is used.
USES = {"__len__": len, "__bool__": bool, "__repr__": repr, "__hash__": lambda sample: swallow(hash, sample),
        "__iter__": list, "__contains__": lambda sample: thing in sample, "__getitem__": lambda sample: sample[0],
        "__new__": lambda sample: swallow(type(sample), None, None), "__init__": lambda sample: swallow(type(sample), nonsense=1),
        "__del__": None, "__getattribute__": lambda sample: swallow(getattr, sample, "nonsense", None)}
USES.update({"__%s__" % name.rstrip("_"): lambda sample, use=getattr(operator, name): use(sample, other)
             for name in ("and_", "or_", "sub", "xor", "lt", "le", "eq", "ne", "gt", "ge")})
USES.update({"__r%s" % name[2:]: lambda sample, use=USES[name]: use(sample)
             for name in ("__and__", "__or__", "__sub__", "__xor__")})


def unused():
    """Slots of our types that no entry of USES knows."""
    kinds = {kind for sample in SAMPLES for kind in type(sample).__mro__ if kind.__module__ == "heapwhy._heapwhy"}
    return sorted("%s.%s" % (kind.__name__, name) for kind in kinds for name, value in vars(kind).items()
                  if isinstance(value, types.WrapperDescriptorType) and name not in USES)


def attributes():
    for sample in SAMPLES:
        for kind in type(sample).__mro__[:-1]:
            for name, value in vars(kind).items():
                if isinstance(value, (types.GetSetDescriptorType, types.MemberDescriptorType)):
                    told = getattr(sample, name)
                    try:
                        setattr(sample, name, told)
                    except (AttributeError, TypeError):
                        pass


def slots():
    for sample in SAMPLES:
        for kind in type(sample).__mro__[:-1]:
            for name in vars(kind):
                if USES.get(name) and isinstance(vars(kind)[name], (types.WrapperDescriptorType, types.BuiltinFunctionType)):
                    USES[name](sample)


assert not unused(), unused()
CASES = {
    "attributes": attributes,
    "slots": slots,
    "made and dropped": lambda: (_heapwhy.HeapSet(holders), _heapwhy.Births(), _heapwhy.Dump("/bin/true", ["/a", "/b"]),
                                 _heapwhy.LineTracer("rss"), _heapwhy.LineTracer(len), _heapwhy.Recorder(1, 1.0),
                                 _heapwhy.Sizer(8, 0.0), _heapwhy.Result()),
    "not to be made": lambda: [swallow(kind) for kind in (_heapwhy.Graph, _heapwhy.Answer, _heapwhy.Nodes, _heapwhy.Partition)],
    "wrong arguments": lambda: (swallow(_heapwhy.HeapSet, 5), swallow(_heapwhy.Dump, 5, 5), swallow(_heapwhy.LineTracer, 5),
                                swallow(_heapwhy.Recorder, "x"), swallow(operator.and_, some, 5), some == 5),
    "errors": lambda: [swallow(getattr(heapwhy, name), "text") for name in heapwhy.__all__ if name.endswith("Error")],
}
