/* SPDX-License-Identifier: Apache-2.0 */

/* Reads the input as Python source: functions lie within the file, in order, one after the other.
 */

#include "heapwhy.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct hw_source *source = NULL;
    int fd = memfd_create("source", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (!hw_source_read(path, &source, NULL))
        abort();
    uint32_t after = 0;
    for (size_t i = 0; i < source->function_count; i++) {
        const struct hw_source_function *function = &source->functions[i];
        if (function->first <= after || function->last < function->first ||
            function->last > source->line_count)
            abort();
        after = function->last;
    }
    hw_source_destroy(source);
    close(fd);
    return 0;
}
