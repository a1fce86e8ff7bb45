/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

/*
 * Memory that grows while Python objects do not. No object is to blame, so memory.c tells these,
 * and takes sentence and cure from here.
 */

static const struct hw_cause rows[] = {
    {"missing-free", HW_FAMILY(NATIVE_MEMORY), NULL, NULL, NULL,
     "C code asks malloc for blocks and does not free them; no Python object is known to use them.",
     "Start the program by heapwhy run: the stacks that allocate them are then told here. A library "
     "that the evidence names comes first. Look at its error paths, and at functions that return "
     "memory which the caller has to free."},
    {"missing-munmap", HW_FAMILY(NATIVE_MEMORY), NULL, NULL, NULL,
     "C code makes anonymous mappings and does not unmap them; no Python object is known to use "
     "them.",
     "Look at the error paths of the code that Created names, and at who has to unmap what it "
     "returns."},
    {"pinned-arenas", HW_FAMILY(FRAGMENTATION), NULL, NULL, NULL,
     "Not a leak: a few survivors of each burst lie in arenas that are otherwise free, and an arena "
     "goes back to the kernel only when it is empty.",
     "Make what survives before or after the burst, not amid it: copy the survivors when the burst "
     "is over, build them from the results at the end, or let a child process do the burst. "
     "Smaller batches lower the peak, and so what can be pinned."},
    {"kept-by-malloc", HW_FAMILY(FRAGMENTATION), NULL, NULL, NULL,
     "Not a leak: blocks were freed, but malloc keeps their memory, since others in use lie between "
     "them or because it expects to need it again.",
     "Call malloc_trim(0) after the peak (ctypes.CDLL(None).malloc_trim(0)), or set "
     "MALLOC_TRIM_THRESHOLD_=131072, and MALLOC_ARENA_MAX=2 where many threads allocate; or "
     "preload jemalloc, which gives memory back by itself."},
};

const struct hw_cause_table hw_causes_memory = HW_CAUSE_TABLE(rows);
