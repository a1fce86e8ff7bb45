/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/frame-stack.h"

enum { THREADS_MAX = 1 << 16, CHUNKS_MAX = 1 << 16, PAGE = 4096 };
#define CHUNK_MAX_BYTES ((uint64_t)1 << 32)

static bool chunks_visit(struct hw_py *py, hw_addr chunk,
                         bool (*visit)(void *ctx, hw_addr start, hw_addr end), void *ctx)
{
    for (unsigned n = 0; chunk && n < CHUNKS_MAX; n++) {
        uint64_t bytes = hw_py_word(py, chunk + PY_OFF(py, _PyStackChunk_size));
        if (chunk % PAGE || !bytes || bytes % PAGE || bytes > CHUNK_MAX_BYTES)
            return true;
        if (!visit(ctx, chunk, chunk + bytes))
            return false;
        chunk = hw_py_word(py, chunk + PY_OFF(py, _PyStackChunk_previous));
    }
    return true;
}

void hw_frame_stacks_visit(struct hw_py *py, const struct hw_runtime *runtime,
                           bool (*visit)(void *ctx, hw_addr start, hw_addr end), void *ctx)
{
    uint32_t head = PY_HAS(py, PyInterpreterState_threads_head)
                        ? PY_OFF(py, PyInterpreterState_threads_head)
                        : PY_OFF(py, PyInterpreterState_tstate_head);
    if (!PY_HAS(py, PyThreadState_datastack_chunk) || !PY_HAS(py, _PyStackChunk_size))
        return;
    for (size_t i = 0; i < runtime->interpreter_count; i++) {
        hw_addr thread = hw_py_word(py, runtime->interpreters[i] + head);
        for (unsigned n = 0; thread && n < THREADS_MAX; n++) {
            hw_addr chunk = hw_py_word(py, thread + PY_OFF(py, PyThreadState_datastack_chunk));
            if (!chunks_visit(py, chunk, visit, ctx))
                return;
            thread = hw_py_word(py, thread + PY_OFF(py, PyThreadState_next));
        }
    }
}
