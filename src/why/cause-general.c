/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

/* What can be said when nothing more special fits: by family, and by the type of what holds or
 * what grows. Every family ends with a row that fits. */
static const struct hw_cause rows[] = {
    {"unclosed-resource", HW_FAMILY(UNCLOSED_RESOURCE), NULL, NULL, NULL,
     "{holder} collects {noun} that nobody ends.",
     "End what {holder} collects: {cure}; and take it out of {holder} then."},
    {"callbacks", HW_FAMILY(CLOSURE), NULL, NULL, NULL,
     "{holder} keeps callbacks, and each of them keeps all that it captured.",
     "Remove each callback from {holder} when it is no longer needed, and let it capture no more "
     "than it uses: everything it captured lives as long as it does."},
    {"kept-frames", HW_FAMILY(FRAME), NULL, NULL, NULL,
     "{holder} keeps frames with all of their local variables.",
     "Keep text instead of exceptions in {holder}, or clear their __traceback__: a traceback keeps "
     "every frame and all of its local variables."},
    {"cycles-without-collector", HW_FAMILY(REFERENCE_CYCLE), NULL, NULL, NULL,
     "Objects hold each other in cycles, and the collector that would free them {off}.",
     "Break the cycle: make {cycle} a weakref.ref, or set it to None when the object is done; or "
     "call {enable}."},
    {"missing-decref", HW_FAMILY(NATIVE_REFERENCE), NULL, NULL, NULL,
     "C code takes references to {type} and does not give them back.",
     "Look for a missing Py_DECREF in the extension that makes or receives {type}{near}: after a call "
     "that returns a new reference (PyObject_Call, PySequence_GetItem), on an early return, or a "
     "Py_INCREF too many. heapwhy audit shows more of the content."},
    {"unexplained-references", HW_FAMILY(UNEXPLAINED), NULL, NULL, NULL,
     "C code holds references that no object, frame or C variable shows.",
     "Look for a missing Py_DECREF, or for a list of its own that only grows, in the extension that "
     "makes or receives {type}."},
    {"unbounded-lru-cache", 0, "functools._lru_cache_wrapper", NULL, NULL,
     "A function's cache has no bound.",
     "Give {holder} a bound, @functools.lru_cache(maxsize=...); on a method, keep the cache on the "
     "instance, so that it dies with it."},
    {"unbounded-deque", 0, "collections.deque", NULL, NULL, "A deque without maxlen only grows.",
     "Give {holder} a bound, collections.deque(maxlen=...), or take out what has been handled."},
    {"growing-defaultdict", 0, "collections.defaultdict", NULL, NULL,
     "A defaultdict only grows: every look-up of a new key adds an entry.",
     "Remove entries from {holder} when they are done, or bound their number; where only reading "
     "is "
     "meant, ask `key in` first, since defaultdict stores what it makes up."},
    {"growing-dict", 0, "dict", NULL, NULL, "A dict gets entries and loses none.",
     "Remove the entry from {holder} when its {type} is done{bound}"},
    {"growing-set", 0, "set", NULL, NULL, "A set gets members and loses none.",
     "Remove each {type} from {holder} when it is done, or bound the set."},
    {"growing-list", 0, "list", NULL, NULL, "A list gets items and loses none.",
     "Remove each {type} from {holder} when it is done, or bound it: "
     "collections.deque(maxlen=...)."},
    {"growing-tuple", 0, "tuple", NULL, NULL,
     "A tuple is replaced by a longer one again and again.",
     "Cut {holder} to the newest items whenever it is replaced by a longer one."},
    {"growing-buffer", 0, "bytearray", NULL, NULL, "One buffer becomes larger and larger.",
     "Write out what {holder} has gathered and clear it, del {holder}[:], or bound its size."},
    {"growing-buffer", 0, "_io.*IO", NULL, NULL, "One buffer becomes larger and larger.",
     "Write out what {holder} has gathered, then seek(0) and truncate() it, or bound its size."},
    {"growing-objects", 0, NULL, NULL, NULL, "More and more objects hang below one holder.",
     "Let go of each {type} below {holder} when it is done, or bound how many are kept."},
};
const struct hw_cause_table hw_causes_general = HW_CAUSE_TABLE(rows);
